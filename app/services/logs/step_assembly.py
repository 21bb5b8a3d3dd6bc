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
        if run is None or not run.take(row, request):
            run = latest[row.task] = _OpenTask(row.task)
            runs.append(run)
            run.take(row, request)
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
    is_open: bool

    def view(self, number: int, status: AttemptStatus) -> Attempt:
        rows = self.rows
        first, last = rows[0], rows[-1]
        timed, cut = first.status == "START" or len(rows) > 1, sum([row.cut for row in rows])
        ids = first.id, last.id
        if first.values is None and last.values is None:
            return Attempt(number, *ids, status, self.began, self.seen, timed, cut)
        values = last.values or {}
        progress = [row for row in rows if row.status == "IN_PROGRESS"]
        return Attempt(
            number,
            *ids,
            status,
            self.began,
            self.seen,
            timed,
            cut,
            input=_last(rows, "input_data"),
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
        attempts = self.attempts
        return tuple([each.view(i, self._status(each, now)) for i, each in enumerate(attempts, 1)])

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

    def take(self, row: StepRow, request: int) -> bool:
        """Take the row, unless it belongs to a new run of the same task.

        It is of the step's last attempt, or begins another one.
        """
        name, status, order = row.step, row.status, row.order
        is_open = status in _OPEN
        step = self.steps.get(name)
        if step is None:
            self.highest = max(self.highest, order) if self.steps else order
            time = recorded_at(row)
            self.steps[name] = _OpenStep(name, order, [_OpenAttempt([row], time, time, is_open)])
        elif step.order != order or (status == "START" and self._is_over(order, request)):
            return False  # a run gives each of its steps one order
        else:
            last, time = step.attempts[-1], recorded_at(row)
            if status == "START" or not last.is_open:
                step.attempts.append(_OpenAttempt([row], time, time, is_open))
            else:
                last.rows.append(row)
                last.seen, last.is_open = time, is_open
        self.request = request
        if is_open:
            self.running.add(name)
        else:
            self.running.discard(name)
        return True

    def _is_over(self, order: int, request: int) -> bool:
        """Whether another START of a step is not another attempt at it."""
        return not self.running and (order < self.highest or request != self.request)


def _last(rows: Sequence[StepRow], column: str) -> Payload | None:
    """The last value of a column in these rows."""
    for row in reversed(rows):
        if (value := (row.values or {}).get(column)) is not None:
            return payload(value, STEP_CHARS, column, row.id)
    return None
