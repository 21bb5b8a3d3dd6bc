"""Charts as data for the page's script, and as drawings for readers without it."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import orjson

from app.lib.tracelog.rollup.histogram import BUCKETS, bounds_of
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
                "values": [None if v is None else _short(v) for v in line.values],
            }
            for line in self.lines
        ]
        start = self.starts[0] if self.starts else 0
        return orjson.dumps(
            {"start": start, "step": self.step, "unit": self.unit, "lines": lines}
        ).decode()

    def paths(self) -> list[tuple[Line, str]]:
        """The outline of each line in a picture of `WIDTH` by `HEIGHT`; gaps stay open."""
        top = self.top
        return [(line, self._path(line, top)) for line in self.lines]

    def _path(self, line: Line, top: float) -> str:
        width = WIDTH / max(len(self.starts), 1)
        parts: list[str] = []
        pen_up = True
        for position, value in enumerate(line.values):
            if value is None:
                pen_up = True
                continue
            y = HEIGHT - value / top * HEIGHT
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


def _short(value: float) -> float | int:
    """A number with as many digits as a reader can tell apart in a picture."""
    return round(value) if value >= 100 else round(value, 1 if value >= 1 else 2)


@dataclass(frozen=True, slots=True)
class Cell:
    """A field of the heat map, in row `y`; where its requests are listed. `shade` is 1 to 5."""

    y: int
    count: int
    shade: int
    url: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Which durations occurred how often when; rows go from slow to fast, in milliseconds."""

    rows: list[tuple[int, int | None]]
    columns: list[tuple[datetime, list[Cell]]]

    @property
    def is_empty(self) -> bool:
        return not any(cells for _, cells in self.columns)


_ROW_OF: Final = tuple(bisect_right(_EDGES, bounds_of(bucket)[0]) for bucket in range(BUCKETS))


def heat_map(points: Sequence[Point], step: int) -> HeatMap:
    """Points of a chart by groups, and their durations in rows a factor of four apart."""
    size = -(-len(points) // _COLUMNS) or 1
    rows: list[tuple[int, int | None]] = list(zip((0, *_EDGES), (*_EDGES, None), strict=True))
    counts = [[0] * len(rows) for _ in range(-(-len(points) // size))]
    for position, point in enumerate(points):
        column = counts[position // size]
        for bucket, count in enumerate(point.counts):
            if count:
                column[_ROW_OF[bucket]] += count
    most = max((count for column in counts for count in column), default=1)
    columns = []
    for x, column in enumerate(counts):
        start = points[x * size].start
        span = f"/logs/requests?from={start}&to={start + size * step}"
        cells = []
        for (slower, faster), row, count in zip(rows, range(len(rows)), column, strict=True):
            if count:
                ends = (f"&slower={slower}" if slower else "") + (
                    f"&faster={faster}" if faster else ""
                )
                shade = 1 + bisect_right(_SHADES, count / most)
                cells.append(Cell(len(rows) - 1 - row, count, shade, span + ends))
        columns.append((datetime.fromtimestamp(start, UTC), cells))
    return HeatMap(rows[::-1], columns)
