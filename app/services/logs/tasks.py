"""Tasks: how often they run and fail, how long each step takes, and which runs are stuck."""

# Only names out of the rollup's tables are put into SQL text; values go through `?`.
# ruff: noqa: S608

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import orjson

from app.lib.tracelog.ids import first_at, time_of
from app.lib.tracelog.rollup.tables import ERROR_HITS, RUN_SUMS, RUNS, STEP_SUMS
from app.lib.tracelog.schema import TASK_PROGRESS_LOGS, Value
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import StoreSchemaMissing
from app.lib.utils import utc_now
from app.services.errors import NotFound
from app.services.logs.log_text import visible
from app.services.logs.open_steps import OpenStep, open_steps
from app.services.logs.store_reader import Ask, StoreReader
from app.services.logs.sums import BUCKET_SUMS, HOUR, buckets, covering, integer, percentiles

PAGE: Final = 50
_STEPS: Final = 10
_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class StepStats:
    """A step in a span of time; percentiles are of those runs whose start is known, in ms."""

    name: str
    started: int
    succeeded: int
    failed: int
    percentiles: tuple[float | None, float | None, float | None]

    @property
    def failure_share(self) -> float:
        ended = self.succeeded + self.failed
        return self.failed / ended if ended else 0.0


@dataclass(frozen=True, slots=True)
class TaskStats:
    """A task in a span of time: `runs` began in it, and `failed` of them ended with a failure.

    Of its `step_count` steps those are there that failed most, and began most often.
    """

    name: str
    key: str
    runs: int
    failed: int
    steps: list[StepStats]
    step_count: int

    @property
    def failure_share(self) -> float:
        return self.failed / self.runs if self.runs else 0.0


@dataclass(frozen=True, slots=True)
class TasksView:
    """All tasks of a span, those that failed most first, and what is stuck now."""

    tasks: list[TaskStats]
    stuck: list[OpenStep]
    running: list[OpenStep]


@dataclass(frozen=True, slots=True)
class Run:
    """One task in one trace. `status` is that of its last row.

    `failed` also where another step ended after the one that failed.
    """

    id: int
    trace_id: str
    began_at: datetime
    length: timedelta
    status: str
    failed: bool


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, newest first; `before` is the cursor of the older ones."""

    name: str
    runs: list[Run]
    before: int | None


class TaskService:
    """Reads what the sums tell of tasks. Its calls raise `StoreError`."""

    def __init__(self, reader: StoreReader, clock: Callable[[], datetime] = utc_now) -> None:
        self._reader = reader
        self._clock = clock

    async def tasks(self, start: int, end: int) -> TasksView:
        """From `start` up to `end`, in Unix time; before the first delivery there are none."""
        try:
            return await self._reader.run(partial(self._tasks, start, end))
        except StoreSchemaMissing:
            return TasksView([], [], [])

    async def runs(self, task: str, before: int | None = None) -> RunPage:
        """One page of a task's runs. Raises `NotFound`."""
        try:
            return await self._reader.run(partial(self._runs, task, before))
        except StoreSchemaMissing:
            raise NotFound from None

    def _tasks(self, start: int, end: int, ask: Ask) -> TasksView:
        condition, args = covering(start, end)
        counts = "sum(started) AS started, sum(succeeded) AS succeeded, sum(failed) AS failed"
        order = "ORDER BY failed DESC, started DESC"
        # A task that names its steps after what it works on has thousands, and hides no other.
        sql = (
            "SELECT * FROM (SELECT *, count(*) OVER (PARTITION BY task) AS steps,"
            f" row_number() OVER (PARTITION BY task {order}) AS place FROM"
            f" (SELECT task, step, {counts}, {BUCKET_SUMS} FROM {STEP_SUMS}"
            f" WHERE {condition} GROUP BY task, step)) WHERE place <= ? {order} LIMIT ?"
        )
        steps: dict[str, list[StepStats]] = {}
        step_counts: dict[str, int] = {}
        for row in ask(Statement(sql, (*args, _STEPS, _ROWS))):
            found = StepStats(
                visible(str(row["step"])),
                integer(row, "started"),
                integer(row, "succeeded"),
                integer(row, "failed"),
                percentiles(buckets(row)),
            )
            steps.setdefault(str(row["task"]), []).append(found)
            step_counts[str(row["task"])] = integer(row, "steps")
        runs = {str(row["task"]): row for row in ask(_count_runs(list(steps), start, end))}
        tasks = []
        for key, found_steps in steps.items():
            row = runs.get(key, {})
            n, failed = (integer(row, name) if row else 0 for name in ("n", "failed"))
            tasks.append(TaskStats(visible(key), key, n, failed, found_steps, step_counts[key]))
        tasks.sort(key=lambda task: (-task.failed, -task.runs, task.name))
        opened = open_steps(ask, self._clock())
        return TasksView(tasks, opened.stuck, opened.running)

    def _runs(self, task: str, before: int | None, ask: Ask) -> RunPage:
        sql = (
            f"SELECT trace_id, first_id, last_id, status, EXISTS (SELECT 1 FROM {ERROR_HITS} AS h"
            f" JOIN {TASK_PROGRESS_LOGS} AS t ON t.id = h.id WHERE h.trace_id = r.trace_id"
            f" AND t.task_name = r.task) AS failed FROM {RUNS} AS r"
            " WHERE task = ? AND first_id < ? ORDER BY first_id DESC LIMIT ?"
        )
        rows = ask(Statement(sql, (task, before or (1 << 63) - 1, PAGE + 1)))
        if not rows and before is None:
            raise NotFound
        runs = []
        for row in rows[:PAGE]:
            first, last = integer(row, "first_id"), integer(row, "last_id")
            length = timedelta(seconds=max(time_of(last) - time_of(first), 0.0))
            began = datetime.fromtimestamp(time_of(first), UTC)
            status, failed = str(row["status"]), bool(row["failed"])
            runs.append(Run(first, str(row["trace_id"]), began, length, status, failed))
        return RunPage(visible(task), runs, runs[-1].id if len(rows) > PAGE else None)


def _count_runs(tasks: list[str], start: int, end: int) -> Statement:
    """How many runs of each task began, and how many of those have failed.

    Whole hours come out of the sums, what the span has of the hours at its ends from the runs.
    """
    first, last = -(-start // HOUR) * HOUR, end // HOUR * HOUR
    ends = [(start, first), (last, end)] if first <= last else [(start, end)]
    counted = (
        f"SELECT task, n, failed FROM {RUN_SUMS} WHERE start >= ? AND start < ?"
        + f" UNION ALL SELECT task, 1, status = 'FAILED' FROM {RUNS}"
        " WHERE task IN (SELECT value FROM json_each(?)) AND first_id >= ? AND first_id < ?"
        * len(ends)
    )
    sql = (
        f"SELECT task, max(sum(n), 0) AS n, max(sum(failed), 0) AS failed FROM ({counted})"
        " GROUP BY task"
    )
    names = orjson.dumps(tasks).decode()
    args: list[Value] = [first, last]
    for since, until in ends:
        args += [names, first_at(since), first_at(until)]
    return Statement(sql, tuple(args))
