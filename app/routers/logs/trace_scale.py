"""The scale of a trace's picture, in percent of its width: moments, gaps, and all bars in small.

Moments are in microseconds of Unix time.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.lib.utils import micros_of
from app.schemas.log import Attempt, AttemptStatus, TraceView

_MOST_TICKS: Final = 6
_MOST_GAPS: Final = 20
_LEAST_GAP: Final = 1.0
"""In percent of the width: what is shorter cannot be seen."""

NARROWEST: Final = 0.4
_MILLISECOND: Final = 1000
_SECOND, _MINUTE, _HOUR = 1000.0, 60_000.0, 3_600_000.0
_TICK_STEPS: Final = (
    *(digit * 10.0**power for power in range(-1, 4) for digit in (1, 2, 5)),
    *(seconds * _SECOND for seconds in (10, 20, 30)),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 20, 30)),
    *(hours * _HOUR for hours in (1, 2, 6, 12, 24, 48, 96)),
)
_MAP_WIDTH: Final = 1000
_MAP_LINES: Final = 160

_STATUSES: Final[tuple[AttemptStatus, ...]] = ("SUCCESS", "UNFINISHED", "RUNNING", "FAILED")


@dataclass(frozen=True, slots=True)
class Bar:
    """Where a bar starts and how wide it is, in percent."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which no step ran; it began `offset_ms` after the trace did."""

    bar: Bar
    offset_ms: float
    duration_ms: float


class Scale:
    """Places the moments of a trace."""

    def __init__(self, trace: TraceView) -> None:
        self.start, self.end = micros_of(trace.started_at), micros_of(trace.ended_at)
        self._span = max(self.end - self.start, _MILLISECOND)
        self.duration_ms = (self.end - self.start) / _MILLISECOND

    def offset_ms(self, moment: int) -> float:
        return (moment - self.start) / _MILLISECOND

    def bar(self, started: int, ended: int) -> Bar:
        """What lies behind the scale's end is drawn at it."""
        width = max((ended - started) / self._span * 100, NARROWEST)
        return Bar(min((started - self.start) / self._span * 100, 100 - width), width)

    @property
    def ticks(self) -> list[tuple[float, float]]:
        """Round moments on the scale: the place in percent, and milliseconds."""
        span = self._span / _MILLISECOND
        step = next((s for s in _TICK_STEPS if span / s <= _MOST_TICKS), span)
        return [(i * step / span * 100, i * step) for i in range(1, math.ceil(span / step))]

    def gaps(self, attempts: Iterable[Attempt]) -> list[Gap]:
        """The longest times between steps, in their order.

        Where only the end of a step was recorded, nobody knows whether it ran all the while.
        """
        runs = sorted([(a.started, self._seen(a), a.timed) for a in attempts])
        least = max(self._span * _LEAST_GAP / 100, _MILLISECOND)
        found: list[Gap] = []
        seen = runs[0][0] if runs else 0
        for started, ended, timed in runs:
            if started - seen >= least and timed:
                length = (started - seen) / _MILLISECOND
                found.append(Gap(self.bar(seen, started), self.offset_ms(seen), length))
            if ended > seen:
                seen = ended
        longest = sorted(found, key=lambda gap: -gap.duration_ms)[:_MOST_GAPS]
        return sorted(longest, key=lambda gap: gap.offset_ms)

    def _seen(self, attempt: Attempt) -> int:
        return self.end if attempt.status == "RUNNING" else attempt.seen

    def map(self, attempts: Sequence[Attempt | None]) -> list[tuple[AttemptStatus, str]]:
        """All rows in small, as one path for each status, on a field of `MAP_SIZE`.

        Rows that share a line there share its strokes; what failed is drawn over what did not.
        """
        strokes: dict[AttemptStatus, dict[int, list[tuple[int, int]]]] = {
            status: defaultdict(list) for status in _STATUSES
        }
        lines, span = map_lines(len(attempts)), self._span
        for place, attempt in enumerate(attempts):
            if attempt is None:
                continue
            started = attempt.started
            width = max((self._seen(attempt) - started) * _MAP_WIDTH // span, 2)
            start = min((started - self.start) * _MAP_WIDTH // span, _MAP_WIDTH - width)
            strokes[attempt.status][place * lines // len(attempts)].append((start, width))
        return [
            (status, "".join(_strokes(line, bars) for line, bars in strokes[status].items()))
            for status in _STATUSES
            if strokes[status]
        ]


def map_lines(rows: int) -> int:
    """How many lines the small picture has."""
    return min(rows, _MAP_LINES)


def _strokes(line: int, bars: list[tuple[int, int]]) -> str:
    """The bars of a line, those that touch as one."""
    path = ""
    left = right = -1
    for start, width in [*sorted(bars), (_MAP_WIDTH * 2, 0)]:
        if start > right:
            if left >= 0:
                path += f"M{left} {line}.5h{right - left}"
            left, right = start, start + width
        else:
            right = max(right, start + width)
    return path
