"""A trace as a picture: rows with bars on one scale of time, in parts of so many rows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final, Literal

from app.routers.logs.trace_scale import Bar, Gap, Scale, map_lines
from app.schemas.log import Attempt, AttemptStatus, RequestView, StepView, TaskView, TraceView
from app.services.logs.log_text import StackPart, stack_parts
from app.services.logs.trace_assembly import CAPTURE_TASK, CUT_MARK

PART_ROWS: Final = 100
"""So many rows are one part; parts are loaded as they come into view."""

_RUNNING_PARTS: Final = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the picture.

    `offset_ms` is when it started, counted from the trace's start; `duration_ms` is None where
    nobody knows it. `late` is what of its bar lies behind the response.
    """

    kind: Literal["request", "task", "attempt"]
    anchor: str
    bar: Bar | None
    late: Bar | None
    offset_ms: float | None
    duration_ms: float | None
    request: RequestView | None = None
    task: TaskView | None = None
    step: StepView | None = None
    attempt: Attempt | None = None

    @property
    def stack(self) -> list[StackPart]:
        trace = self.attempt.stack_trace if self.attempt else None
        return stack_parts(trace) if trace else []


def detail_row(attempt: Attempt) -> Row:
    """An attempt by itself, outside the picture."""
    return Row("attempt", "step", None, None, None, None, attempt=attempt)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that are loaded together; `number` counts from 1, `first` is that of its first row.

    A part that is not `shown` is loaded as soon as it comes into view. One in which nothing runs
    is `settled`.
    """

    number: int
    first: int
    rows: list[Row]
    shown: bool

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def settled(self) -> bool:
        return not any(row.attempt and row.attempt.status == "RUNNING" for row in self.rows)


class Timeline:
    """The rows of a trace, in the order of their start, and the scale above them.

    `part` is the number of the part that is asked for.
    """

    def __init__(self, trace: TraceView, part: int = 1) -> None:
        self.trace = trace
        self.scale = Scale(trace)
        self.part = part
        responses = [request.ended_at for request in trace.requests]
        self._responded_at = max(responses) if responses else None
        self.rows = list(self._rows())

    @property
    def attempts(self) -> list[Attempt]:
        return [row.attempt for row in self.rows if row.attempt]

    @property
    def duration_ms(self) -> float:
        return self.scale.duration_ms

    @property
    def parts(self) -> list[Part]:
        """All rows: those of the part asked for, of the failure and of what runs are shown."""
        failing = self.failure
        parts = []
        for number, at in enumerate(range(0, len(self.rows), PART_ROWS), 1):
            rows = self.rows[at : at + PART_ROWS]
            shown = number == self.part or failing in rows
            parts.append(Part(number, at + 1, rows, shown))
        running = [part for part in parts if not part.settled][-_RUNNING_PARTS:]
        return [replace(part, shown=part.shown or part in running) for part in parts]

    @cached_property
    def gaps(self) -> list[Gap]:
        return self.scale.gaps(self.attempts)

    @property
    def map(self) -> list[tuple[AttemptStatus, str]]:
        """All bars in small, for a trace of several parts."""
        return self.scale.map([row.attempt for row in self.rows])

    @property
    def map_lines(self) -> int:
        return map_lines(len(self.rows))

    @property
    def unfinished(self) -> int:
        """Steps of which no end was recorded, and which are not taken for running."""
        steps = [step for task in self.trace.tasks for step in task.steps]
        return sum(step.status == "UNFINISHED" for step in steps)

    @property
    def cut(self) -> int:
        """Values of which the log has only a part."""
        values = [
            value
            for request in self.trace.requests
            for value in (request.headers, request.request_body, request.response_body)
        ]
        cut = sum(value is not None and CUT_MARK in value.text for value in values)
        return cut + sum(attempt.cut for attempt in self.attempts)

    @property
    def is_complete(self) -> bool:
        trace = self.trace
        partly = trace.is_running or trace.undelivered or trace.truncated or not trace.requests
        return not (partly or self.unfinished or self.cut)

    @cached_property
    def failure(self) -> Row | None:
        """Where it broke: the first step that failed for good, else what ended the request."""
        failed = [r for r in self.rows if r.attempt and r.attempt.status == "FAILED"]
        final = [r for r in failed if r.step and r.attempt is r.step.attempts[-1]]
        steps = [r for r in final if r.task and r.task.name != CAPTURE_TASK]
        return next(iter(steps or final), None)

    def fill_failure(self, attempt: Attempt) -> None:
        """Put the values of the attempt that failed into the outline's row."""
        if self.failure is not None:
            place = self.rows.index(self.failure)
            filled = replace(
                attempt, number=self.failure.attempt.number if self.failure.attempt else 1
            )
            self.rows[place] = self.failure = replace(self.failure, attempt=filled)

    def _rows(self) -> Iterator[Row]:
        parts: list[tuple[datetime, int, RequestView | TaskView]] = [
            (request.line.created_at, 0, request) for request in self.trace.requests
        ]
        parts += [(task.started_at, 1, task) for task in self.trace.tasks]
        parts.sort(key=lambda part: part[:2])
        for number, (_, _, part) in enumerate(parts, 1):
            if isinstance(part, RequestView):
                start, end = part.line.created_at, part.ended_at
                timed = part.line.duration_ms is not None
                yield Row(
                    "request",
                    f"request-{number}",
                    self.scale.bar(start, end),
                    None,
                    self.scale.offset_ms(start),
                    (end - start).total_seconds() * 1000 if timed else None,
                    request=part,
                )
            else:
                yield from self._task_rows(part, f"task-{number}")

    def _task_rows(self, task: TaskView, anchor: str) -> Iterator[Row]:
        timed = any(attempt.timed for step in task.steps for attempt in step.attempts)
        ended_at = task.ended_at or self._latest(task)
        yield self._row("task", anchor, task.started_at, ended_at, timed=timed, task=task)
        for position, step in enumerate(task.steps, 1):
            for attempt in step.attempts:
                running = attempt.status == "RUNNING"
                yield self._row(
                    "attempt",
                    f"{anchor}-{position}-{attempt.number}",
                    attempt.started_at,
                    self.trace.ended_at if running else attempt.seen_at,
                    timed=attempt.timed and (running or attempt.ended_at is not None),
                    task=task,
                    step=step,
                    attempt=attempt,
                )

    def _latest(self, task: TaskView) -> datetime:
        if task.status == "RUNNING":
            return self.trace.ended_at
        attempts = [attempt for step in task.steps for attempt in step.attempts]
        return max(attempt.seen_at for attempt in attempts)

    def _row(
        self,
        kind: Literal["task", "attempt"],
        anchor: str,
        started_at: datetime,
        ended_at: datetime,
        *,
        timed: bool,
        task: TaskView,
        step: StepView | None = None,
        attempt: Attempt | None = None,
    ) -> Row:
        bar, late = self._bars(started_at, ended_at)
        length = (ended_at - started_at).total_seconds() * 1000 if timed else None
        offset = self.scale.offset_ms(started_at)
        return Row(kind, anchor, bar, late, offset, length, None, task, step, attempt)

    def _bars(self, started_at: datetime, ended_at: datetime) -> tuple[Bar | None, Bar | None]:
        """What ran before the response was there, and what after it."""
        responded_at = self._responded_at
        if responded_at is None or ended_at <= responded_at:
            return self.scale.bar(started_at, ended_at), None
        if started_at >= responded_at:
            return None, self.scale.bar(started_at, ended_at)
        before = self.scale.bar(started_at, responded_at)
        return before, self.scale.bar(responded_at, ended_at)
