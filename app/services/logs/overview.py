"""How the app is doing in a span of time, out of the sums that the store keeps."""

# Only names out of the rollup's tables are put into SQL text; values go through `?`.
# ruff: noqa: S608

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.lib.tracelog import ids
from app.lib.tracelog.rollup.histogram import percentile
from app.lib.tracelog.rollup.tables import (
    CLASS_COLUMNS,
    ERROR_HITS,
    ERROR_SUMS,
    ERRORS,
    REQUEST_SUMS,
    STEP_SUMS,
)
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import StoreSchemaMissing
from app.lib.utils import utc_now
from app.services.logs.log_text import visible
from app.services.logs.open_steps import OpenSteps, open_steps
from app.services.logs.refusals import REFUSED
from app.services.logs.store_reader import Ask, StoreReader
from app.services.logs.sums import (
    BUCKET_SUMS,
    HOUR,
    added,
    buckets,
    by_points,
    covering,
    integer,
    percentiles,
    points_of,
    step_of,
)

POINTS: Final = 100
"""A chart has about so many points at most."""

_ROUTES: Final = 200
_LISTED: Final = 6
_EXACT: Final = 6 * HOUR
_CLASS_SUMS: Final = ", ".join(f"sum({name}) AS {name}" for name in CLASS_COLUMNS)


@dataclass(frozen=True, slots=True)
class Point:
    """What arrived in one step of a chart; `start` is Unix time. `counts` is the histogram."""

    start: int
    requests: int
    refused: int
    failed: int
    counts: list[int]


@dataclass(frozen=True, slots=True)
class RouteLine:
    """A route in this span. `route` is empty for paths that nobody serves; times are in ms."""

    method: str
    route: str
    requests: int
    refused: int
    failed: int
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """A group of failures, its `hits` in this span, and the last trace that had one."""

    fingerprint: str
    kind: str
    message: str
    place: str
    task: str
    step: str
    hits: int
    last_id: int
    last_trace: str


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task in this span: steps that began, and those that failed."""

    name: str
    started: int
    failed: int


@dataclass(frozen=True, slots=True)
class Overview:
    """`step` seconds lie between two points; percentiles are p50, p95 and p99 in ms."""

    step: int
    points: list[Point]
    percentiles: tuple[float | None, float | None, float | None]
    routes: list[RouteLine]
    errors: list[ErrorLine]
    tasks: list[TaskLine]
    open_steps: OpenSteps

    @property
    def requests(self) -> int:
        return sum(point.requests for point in self.points)

    @property
    def failed(self) -> int:
        return sum(point.failed for point in self.points)

    @property
    def refused(self) -> int:
        return sum(point.refused for point in self.points)

    @property
    def failure_share(self) -> float:
        return self.failed / self.requests if self.requests else 0.0

    @property
    def slowest(self) -> list[RouteLine]:
        known = [line for line in self.routes if line.p95 is not None]
        return sorted(known, key=lambda line: -(line.p95 or 0))[:_LISTED]

    @property
    def most_failing(self) -> list[RouteLine]:
        failing = [line for line in self.routes if line.failed]
        return sorted(failing, key=lambda line: (-line.failed, -line.refused))[:_LISTED]


class OverviewService:
    """Reads what the overview shows. Its calls raise `StoreError`."""

    def __init__(self, reader: StoreReader, clock: Callable[[], datetime] = utc_now) -> None:
        self._reader = reader
        self._clock = clock

    async def overview(self, start: int, end: int) -> Overview:
        """From `start` up to `end`, in Unix time; before the first delivery nothing is in it."""
        now = self._clock()

        def work(ask: Ask) -> Overview:
            step = step_of(start, end, POINTS)
            points = _points(ask, start, end, step)
            return Overview(
                step,
                points,
                percentiles(added(point.counts for point in points)),
                _routes(ask, start, end),
                top_errors(ask, start, end, _LISTED),
                _tasks(ask, start, end),
                open_steps(ask, now),
            )

        try:
            return await self._reader.run(work)
        except StoreSchemaMissing:
            return _nothing(start, end)


def _nothing(start: int, end: int) -> Overview:
    step = step_of(start, end, POINTS)
    points = [Point(at, 0, 0, 0, added(())) for at in points_of(start, end, step)]
    return Overview(step, points, (None, None, None), [], [], [], OpenSteps([]))


def _points(ask: Ask, start: int, end: int, step: int) -> list[Point]:
    condition, args = by_points(start, end, step)
    sql = (
        f"SELECT start / {step} * {step} AS at, sum(n) AS n, sum(c4) AS c4, sum(c5) AS c5,"
        f" {BUCKET_SUMS} FROM {REQUEST_SUMS} WHERE {condition} AND method = '' GROUP BY at"
    )
    found = {integer(row, "at"): row for row in ask(Statement(sql, args))}
    points = []
    for at in points_of(start, end, step):
        row = found.get(at)
        if row is None:
            points.append(Point(at, 0, 0, 0, added(())))
        else:
            n, refused, failed = (integer(row, name) for name in ("n", "c4", "c5"))
            points.append(Point(at, n, refused, failed, buckets(row)))
    return points


def _routes(ask: Ask, start: int, end: int) -> list[RouteLine]:
    condition, args = covering(start, end)
    sql = (
        f"SELECT method, route, sum(n) AS n, {_CLASS_SUMS}, {BUCKET_SUMS} FROM {REQUEST_SUMS}"
        f" WHERE {condition} AND method <> '' GROUP BY method, route ORDER BY n DESC LIMIT ?"
    )
    lines = []
    for row in ask(Statement(sql, (*args, _ROUTES))):
        counts = buckets(row)
        lines.append(
            RouteLine(
                visible(str(row["method"])),
                visible(str(row["route"])),
                integer(row, "n"),
                integer(row, "c4"),
                integer(row, "c5"),
                percentile(counts, 0.5),
                percentile(counts, 0.95),
            )
        )
    return lines


def top_errors(ask: Ask, start: int, end: int, most: int) -> list[ErrorLine]:
    """The failures with most hits in a span, without what is ignored; if long, by whole hours."""
    if end - start <= _EXACT:
        counted = f"{ERROR_HITS} WHERE id >= ? AND id < ?", "count(*)"
        args = (ids.first_at(start), ids.first_at(end), most)
    else:
        counted = f"{ERROR_SUMS} WHERE start >= ? AND start < ?", "sum(n)"
        args = (start // HOUR * HOUR, end, most)
    source, count = counted
    sql = (
        f"SELECT {ERRORS}.*, s.n FROM (SELECT fingerprint, {count} AS n FROM {source}"
        f" GROUP BY fingerprint) AS s JOIN {ERRORS} ON {ERRORS}.fingerprint = s.fingerprint"
        f" WHERE state <> 'ignored' AND NOT {REFUSED} ORDER BY s.n DESC, last_id DESC LIMIT ?"
    )
    rows = ask(Statement(sql, args))
    return [
        ErrorLine(
            str(row["fingerprint"]),
            visible(str(row["kind"])),
            visible(str(row["message"])),
            visible(str(row["place"])),
            visible(str(row["task"])),
            visible(str(row["step"])),
            integer(row, "n"),
            integer(row, "last_id"),
            str(row["last_trace"]),
        )
        for row in rows
    ]


def _tasks(ask: Ask, start: int, end: int) -> list[TaskLine]:
    condition, args = covering(start, end)
    sql = (
        f"SELECT task, sum(started) AS started, sum(failed) AS failed FROM {STEP_SUMS}"
        f" WHERE {condition} GROUP BY task ORDER BY failed DESC, started DESC LIMIT ?"
    )
    rows = ask(Statement(sql, (*args, _LISTED)))
    return [
        TaskLine(visible(str(row["task"])), integer(row, "started"), integer(row, "failed"))
        for row in rows
    ]
