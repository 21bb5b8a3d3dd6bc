"""Puts the rows of a trace's steps together: tasks, their steps, and each step's attempts.

The rows say it by the conventions of `app.lib.tracelog.steps`: the rows of a step share its name
and `execution_order`, and a new START of a step is another attempt at it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.schemas.log import Attempt, AttemptStatus, Payload, StepView, TaskView
from app.services.logs.log_rows import StepRow, recorded_at, text
from app.services.logs.log_text import payload, visible

STEP_CHARS: Final = 8_192
"""So many characters of a value are shown."""

STUCK_AFTER: Final = 10 * 60 * 1_000_000
"""A step without an end that has said nothing for so many microseconds is not taken for running."""

_OPEN: Final = frozenset({"START", "IN_PROGRESS"})


def assemble_tasks(
    rows: Iterable[StepRow], request_ids: Sequence[int], now: int
) -> tuple[TaskView, ...]:
    """The runs of tasks in the order of their first row. Rows come in the order of their ids.

    `request_ids` are those of the trace's requests: each may run the same task, and its row is
    written at its end.
    """
    runs: list[_OpenTask] = []
    latest: dict[str, _OpenTask] = {}
    for row in rows:
        request = bisect_left(request_ids, row.id)
        run = latest.get(row.task)
        if run is None or not run.takes(row, request):
            run = latest[row.task] = _OpenTask(row.task)
            runs.append(run)
        run.add(row, request)
    counts: dict[str, int] = {}
    tasks = []
    for run in runs:
        counts[run.name] = number = counts.get(run.name, 0) + 1
        steps = sorted(run.steps.values(), key=_OpenStep.place)
        views = tuple(StepView(visible(s.name), s.order, s.attempt_views(now)) for s in steps)
        tasks.append(TaskView(visible(run.name), number, views))
    return tuple(tasks)


@dataclass(slots=True)
class _OpenAttempt:
    """An attempt while its rows are read. `began` is when the first was recorded, `seen` when the
    last was, in microseconds."""

    rows: list[StepRow]
    began: int
    seen: int

    @property
    def is_open(self) -> bool:
        return self.rows[-1].status in _OPEN

    def view(self, number: int, status: AttemptStatus) -> Attempt:
        first, last = self.rows[0], self.rows[-1]
        outline = Attempt(
            number,
            first.id,
            last.id,
            status,
            self.began,
            self.seen,
            timed=first.status == "START" or len(self.rows) > 1,
            cut=sum([row.cut for row in self.rows]),
        )
        if first.values is None and last.values is None:
            return outline
        values = last.values or {}
        progress = [row for row in self.rows if row.status == "IN_PROGRESS"]
        return outline._replace(
            input=_last(self.rows, "input_data"),
            progress=_last(progress, "output_data"),
            output=None if self.is_open else _last([last], "output_data"),
            error_message=visible(text(values, "error_message")) or None,
            stack_trace=text(values, "stack_trace") or None,
        )


@dataclass(slots=True)
class _OpenStep:
    """A step of a run while its rows are read."""

    name: str
    order: int
    attempts: list[_OpenAttempt]

    def place(self) -> tuple[int, int]:
        return self.order, self.attempts[0].rows[0].id

    def attempt_views(self, now: int) -> tuple[Attempt, ...]:
        return tuple(
            attempt.view(number, self._status(attempt, now))
            for number, attempt in enumerate(self.attempts, 1)
        )

    def _status(self, attempt: _OpenAttempt, now: int) -> AttemptStatus:
        if not attempt.is_open:
            return "SUCCESS" if attempt.rows[-1].status == "SUCCESS" else "FAILED"
        is_running = attempt is self.attempts[-1] and now - attempt.seen < STUCK_AFTER
        return "RUNNING" if is_running else "UNFINISHED"


@dataclass(slots=True)
class _OpenTask:
    """A run of a task while its rows are read. `request` is where its last row was written.

    Its `steps` are there by name, `running` are those of which an attempt is open.
    """

    name: str
    steps: dict[str, _OpenStep] = field(default_factory=dict)
    request: int = 0
    running: set[str] = field(default_factory=set)
    highest: int = 0

    def takes(self, row: StepRow, request: int) -> bool:
        """Whether a row belongs to this run, and not to a new run of the same task."""
        step = self.steps.get(row.step)
        if step is None:
            return True
        if step.order != row.order:
            return False  # a run gives each of its steps one order
        if row.status != "START" or self.running:
            return True
        return row.order >= self.highest and request == self.request

    def add(self, row: StepRow, request: int) -> None:
        """The row belongs to the step's last attempt, or begins another one."""
        time, status = recorded_at(row), row.status
        step = self.steps.get(row.step)
        if step is None:
            self.highest = max(self.highest, row.order) if self.steps else row.order
            attempts = [_OpenAttempt([row], time, time)]
            self.steps[row.step] = _OpenStep(row.step, row.order, attempts)
        else:
            last = step.attempts[-1]
            if status == "START" or not last.is_open:
                step.attempts.append(_OpenAttempt([row], time, time))
            else:
                last.rows.append(row)
                last.seen = time
        self.request = request
        if status in _OPEN:
            self.running.add(row.step)
        else:
            self.running.discard(row.step)


def _last(rows: Sequence[StepRow], column: str) -> Payload | None:
    """The last value of a column in these rows."""
    for row in reversed(rows):
        if (value := (row.values or {}).get(column)) is not None:
            return payload(value, STEP_CHARS, column, row.id)
    return None
