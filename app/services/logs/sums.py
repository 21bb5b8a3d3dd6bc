"""SQL over the sums: which of their rows cover a span of time, and by what points to draw it."""

# Only names out of the rollup's tables are put into SQL text.

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from app.lib.tracelog.rollup.histogram import percentile
from app.lib.tracelog.rollup.tables import BUCKET_COLUMNS
from app.lib.tracelog.schema import Value
from app.lib.tracelog.store.store import Cell

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 24 * HOUR

_STEPS: Final = (
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
)
_MINUTES_UP_TO: Final = 2 * DAY

BUCKET_SUMS: Final = ", ".join(f"sum({name}) AS {name}" for name in BUCKET_COLUMNS)


def step_of(start: int, end: int, most: int) -> int:
    """The shortest round step in seconds by which the span has at most so many points."""
    return next((step for step in _STEPS if (end - start) / step <= most), _STEPS[-1])


def points_of(start: int, end: int, step: int) -> range:
    """Where each point of the span begins."""
    return range(start // step * step, end, step)


def covering(start: int, end: int) -> tuple[str, tuple[Value, ...]]:
    """The condition for the rows that cover a span: its whole hours, and minutes at both ends.

    Minutes do not live as long as hours; a span that is longer than what they show has whole hours.
    """
    first, last = -(-start // HOUR) * HOUR, end // HOUR * HOUR
    if first >= last:
        return f"seconds = {MINUTE} AND start >= ? AND start < ?", (start, end)
    if end - start > _MINUTES_UP_TO:
        return f"seconds = {HOUR} AND start >= ? AND start < ?", (start // HOUR * HOUR, end)
    minutes = f"seconds = {MINUTE} AND start >= ? AND start < ?"
    condition = f"((seconds = {HOUR} AND start >= ? AND start < ?) OR ({minutes}) OR ({minutes}))"
    return condition, (first, last, start, first, last, end)


def by_points(start: int, end: int, step: int) -> tuple[str, tuple[Value, ...]]:
    """The condition for the rows out of which points of `step` seconds can be made."""
    seconds = HOUR if step % HOUR == 0 else MINUTE
    return f"seconds = {seconds} AND start >= ? AND start < ?", (start // step * step, end)


def integer(row: Mapping[str, Cell], name: str) -> int:
    value = row[name]
    return int(value) if isinstance(value, (int, float)) else 0


def buckets(row: Mapping[str, Cell]) -> list[int]:
    return [integer(row, name) for name in BUCKET_COLUMNS]


def added(counts: Iterable[Sequence[int]]) -> list[int]:
    """Histograms added up."""
    total = [0] * len(BUCKET_COLUMNS)
    for each in counts:
        total = [a + b for a, b in zip(total, each, strict=True)]
    return total


def percentiles(counts: Sequence[int]) -> tuple[float | None, float | None, float | None]:
    """p50, p95 and p99 in milliseconds."""
    return percentile(counts, 0.5), percentile(counts, 0.95), percentile(counts, 0.99)
