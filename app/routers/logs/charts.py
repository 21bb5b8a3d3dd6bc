"""Charts as data for the page's script, and as drawings for readers without it."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import urlencode

import orjson

from app.lib.tracelog.rollup.histogram import bounds_of
from app.services.logs.overview import Point
from app.services.logs.sums import percentiles

WIDTH: Final = 600
HEIGHT: Final = 150

_ROUND: Final = (1, 2, 5, 10)
_COLUMNS: Final = 24
_EDGES: Final = (4, 16, 64, 256, 1024, 4096, 16384)
"""Where one row of the heat map ends and the next begins, in milliseconds."""
_SHADES: Final = (0.02, 0.08, 0.2, 0.45)
"""From what share of the fullest cell on a cell is darker."""

Number = float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart. `colour` is the name of a theme's colour."""

    label: str
    colour: str
    values: Sequence[Number]
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over one scale of time; `starts` are Unix times, all `step` seconds apart."""

    name: str
    title: str
    unit: Literal["", "ms"]
    step: int
    starts: Sequence[int]
    lines: Sequence[Line]

    @property
    def top(self) -> float:
        """A round number that no value goes beyond."""
        most = max((v for line in self.lines for v in line.values if v is not None), default=0)
        size = 10.0 ** len(str(int(most))) / 10
        return next((digit * size for digit in _ROUND if digit * size >= most), most) or 1.0

    @property
    def data(self) -> str:
        """What the script draws from, as JSON."""
        lines = [
            {
                "label": line.label,
                "colour": line.colour,
                "filled": line.filled,
                "values": [None if v is None else round(v, 2) for v in line.values],
            }
            for line in self.lines
        ]
        start = self.starts[0] if self.starts else 0
        return orjson.dumps(
            {"start": start, "step": self.step, "unit": self.unit, "lines": lines}
        ).decode()

    def paths(self) -> list[tuple[Line, str]]:
        """The outline of each line in a picture of `WIDTH` by `HEIGHT`; gaps stay open."""
        return [(line, self._path(line)) for line in self.lines]

    def _path(self, line: Line) -> str:
        width = WIDTH / max(len(self.starts), 1)
        parts: list[str] = []
        pen_up = True
        for position, value in enumerate(line.values):
            if value is None:
                pen_up = True
                continue
            y = HEIGHT - value / self.top * HEIGHT
            parts.append(f"{'M' if pen_up else 'L'}{position * width:.0f} {y:.0f}h{width:.0f}")
            pen_up = False
        return "".join(parts)


def request_chart(points: Sequence[Point], step: int, _: Callable[[str], str]) -> Chart:
    """Requests a minute, and those of them that were refused or failed."""
    minutes = step / 60
    return Chart(
        "requests",
        _("Requests a minute"),
        "",
        step,
        [point.start for point in points],
        [
            Line(_("All"), "secondary", [p.requests / minutes for p in points], filled=True),
            Line(_("Refused (4xx)"), "warning", [p.refused / minutes for p in points]),
            Line(_("Failed (5xx)"), "error", [p.failed / minutes for p in points]),
        ],
    )


def duration_chart(points: Sequence[Point], step: int, _: Callable[[str], str]) -> Chart:
    """Percentiles of the duration, with gaps where nothing arrived."""
    found = [percentiles(point.counts) for point in points]
    colours = ("success", "info", "primary")
    names = ("p50", "p95", "p99")
    return Chart(
        "durations",
        _("Duration"),
        "ms",
        step,
        [point.start for point in points],
        [
            Line(name, colour, [each[place] for each in found])
            for place, (name, colour) in enumerate(zip(names, colours, strict=True))
        ],
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """A field of the heat map, and where its requests are listed. `shade` goes from 1 to 5."""

    x: int
    y: int
    count: int
    shade: int
    url: str
    starts_at: datetime
    slower: int
    faster: int | None


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Which durations occurred how often when; rows go from slow to fast."""

    columns: int
    rows: list[tuple[int, int | None]]
    cells: list[Cell]


def heat_map(points: Sequence[Point], step: int) -> HeatMap:
    """Points of a chart by groups, and their durations in rows a factor of four apart."""
    size = -(-len(points) // _COLUMNS) or 1
    rows: list[tuple[int, int | None]] = list(zip((0, *_EDGES), (*_EDGES, None), strict=True))
    counts: dict[tuple[int, int], int] = {}
    for position, point in enumerate(points):
        for bucket, count in enumerate(point.counts):
            if count:
                key = (position // size, bisect_right(_EDGES, bounds_of(bucket)[0]))
                counts[key] = counts.get(key, 0) + count
    most = max(counts.values(), default=1)
    cells = []
    for (x, row), count in sorted(counts.items()):
        start, (slower, faster) = points[x * size].start, rows[row]
        state = {"from": start, "to": start + size * step, "slower": slower or "", "faster": faster}
        kept = {name: value for name, value in state.items() if value not in {None, ""}}
        cells.append(
            Cell(
                x,
                len(rows) - 1 - row,
                count,
                1 + bisect_right(_SHADES, count / most),
                f"/logs/requests?{urlencode(kept)}",
                datetime.fromtimestamp(start, UTC),
                slower,
                faster,
            )
        )
    return HeatMap(-(-len(points) // size), rows[::-1], cells)
