"""Sums of steps by minute and hour, which steps are open, how each task's runs stand, failures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.lib.tracelog import ids
from app.lib.tracelog.rollup.frames import Failure, failure_of
from app.lib.tracelog.rollup.histogram import bucket_of
from app.lib.tracelog.rollup.requests import KEY_CHARS
from app.lib.tracelog.rollup.tables import BUCKET_COLUMNS, PERIODS, STEP_COUNTS
from app.lib.tracelog.schema import TABLES, TASK_PROGRESS_LOGS, Row
from app.lib.tracelog.short_turns import give_way
from app.lib.tracelog.store.store import id_of

CAPTURE_TASK: Final = "HTTP"
"""The task under which the capture records what ended a request; it is no work of its own."""

_NAMES: Final = TABLES[TASK_PROGRESS_LOGS].column_names
_TRACE, _TASK, _STEP, _STATUS, _ERROR, _STACK, _ORDER = (
    _NAMES.index(name)
    for name in (
        "trace_id",
        "task_name",
        "step_name",
        "status",
        "error_message",
        "stack_trace",
        "execution_order",
    )
)
_COUNT_OF: Final = {"START": 0, "SUCCESS": 1, "FAILED": 2}
_TIMED, _MS = STEP_COUNTS.index("timed"), STEP_COUNTS.index("ms")
_FIRST_BUCKET: Final = len(STEP_COUNTS) - len(BUCKET_COLUMNS)
_MICROSECONDS: Final = 1_000_000
_ROWS_A_TURN: Final = 32

SumKey = tuple[int, int, str, str]
"""Seconds of the period, its start, task and step."""

StepKey = tuple[str, str, int, str]
"""Trace id, task, order and step."""


@dataclass(slots=True)
class _Run:
    first_id: int
    last_id: int
    status: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A failed row."""

    row_id: int
    trace_id: str
    task: str
    step: str
    failure: Failure


@dataclass(slots=True)
class _Ending:
    """An end whose start is in no row of this batch."""

    key: StepKey
    at: int


@dataclass(slots=True)
class StepSummary:
    """What the rows of `task_progress_logs` in one batch add up to. Times are in microseconds.

    `opened` steps have no end yet: when they began and when they last said something. Of those in
    `touched` only the latter is known. `endings` ended here and began in an earlier batch.
    """

    sums: dict[SumKey, list[int]] = field(default_factory=dict)
    opened: dict[StepKey, list[int]] = field(default_factory=dict)
    touched: dict[StepKey, int] = field(default_factory=dict)
    endings: list[_Ending] = field(default_factory=list)
    runs: dict[tuple[str, str], _Run] = field(default_factory=dict)
    hits: list[Hit] = field(default_factory=list)

    @property
    def ended(self) -> set[StepKey]:
        return {ending.key for ending in self.endings}

    @property
    def doubtful_traces(self) -> set[str]:
        """Traces in which the request failed and no step did, as far as this batch knows."""
        by_steps = {hit.trace_id for hit in self.hits if hit.task != CAPTURE_TASK}
        return {hit.trace_id for hit in self.hits if hit.trace_id not in by_steps}

    def close(self, began: Mapping[StepKey, int]) -> None:
        """Add the durations of what ended here, by when it `began`."""
        for ending in self.endings:
            if (start := began.get(ending.key)) is not None:
                self._add_duration(ending.key, start, ending.at)

    def drop_repeated(self, failed_before: Collection[tuple[str, str]]) -> None:
        """Leave out failed requests whose failing step is a hit already.

        `failed_before` are trace ids and the exceptions' types of hits that the store has.
        """
        by_steps = {(h.trace_id, h.failure.kind) for h in self.hits if h.task != CAPTURE_TASK}
        by_steps.update(failed_before)
        self.hits = [
            hit
            for hit in self.hits
            if hit.task != CAPTURE_TASK or (hit.trace_id, hit.failure.kind) not in by_steps
        ]

    def add(self, row: Row) -> None:
        row_id, status = id_of(row), str(row[_STATUS])
        trace_id, task, step = str(row[_TRACE]), _name(row[_TASK]), _name(row[_STEP])
        order = number if isinstance(number := row[_ORDER], int) else 0
        if status == "FAILED":
            message, stack = row[_ERROR], row[_STACK]
            failure = failure_of(
                str(message) if message else None,
                str(stack) if stack else None,
                task=task,
                step=step,
            )
            self.hits.append(Hit(row_id, trace_id, task, step, failure))
        if task == CAPTURE_TASK:
            return
        at = (row_id >> ids.NODE_BITS) + ids.EPOCH_US
        key = (trace_id, task, order, step)
        if status in _COUNT_OF:
            self._count(task, step, at, _COUNT_OF[status])
        if status == "START":
            self.opened[key] = [at, at]
        elif status == "IN_PROGRESS":
            if key in self.opened:
                self.opened[key][1] = at
            else:
                self.touched[key] = at
        elif (times := self.opened.pop(key, None)) is not None:
            self._add_duration(key, times[0], at)
        else:
            self.touched.pop(key, None)
            self.endings.append(_Ending(key, at))
        if (run := self.runs.get((trace_id, task))) is None:
            self.runs[trace_id, task] = _Run(row_id, row_id, status)
        else:
            run.last_id, run.status = row_id, status

    def _add_duration(self, key: StepKey, start: int, end: int) -> None:
        milliseconds = max(end - start, 0) // 1000
        for counts in self._counts(key[1], key[3], end):
            counts[_TIMED] += 1
            counts[_MS] += milliseconds
            counts[_FIRST_BUCKET + bucket_of(milliseconds)] += 1

    def _count(self, task: str, step: str, at: int, position: int) -> None:
        for counts in self._counts(task, step, at):
            counts[position] += 1

    def _counts(self, task: str, step: str, at: int) -> list[list[int]]:
        second, found = at // _MICROSECONDS, []
        for seconds in PERIODS:
            key = (seconds, second - second % seconds, task, step)
            if (counts := self.sums.get(key)) is None:
                counts = self.sums[key] = [0] * len(STEP_COUNTS)
            found.append(counts)
        return found


def summarise_steps(rows: Sequence[Row]) -> StepSummary:
    """Sum up the rows of a batch, in the order of their ids."""
    summary = StepSummary()
    for number, row in enumerate(sorted(rows, key=id_of)):
        if number % _ROWS_A_TURN == 0:
            give_way()
        summary.add(row)
    return summary


def _name(value: object) -> str:
    return str(value)[:KEY_CHARS]
