"""A trace as a picture: rows with bars on one scale of time, in percent of its width."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from app.schemas.log import Attempt, RequestView, StepView, TaskView, TraceView
from app.services.logs.log_text import StackPart, stack_parts
from app.services.logs.trace_assembly import CAPTURE_TASK

_CUT: Final = '":cut"'
_MOST_TICKS: Final = 6
_NARROWEST: Final = 0.4
_MILLISECOND: Final = timedelta(milliseconds=1)
_SECOND, _MINUTE, _HOUR = 1000.0, 60_000.0, 3_600_000.0
_TICK_STEPS: Final = (
    *(digit * 10.0**power for power in range(-1, 4) for digit in (1, 2, 5)),
    *(seconds * _SECOND for seconds in (10, 20, 30)),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 20, 30)),
    *(hours * _HOUR for hours in (1, 2, 6, 12, 24, 48, 96)),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """Where a bar starts and how wide it is, in percent."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the picture.

    `offset_ms` is when it started, counted from the trace's start; `duration_ms` is None where
    nobody knows it.
    """

    kind: Literal["request", "task", "attempt"]
    anchor: str
    bar: Bar
    offset_ms: float
    duration_ms: float | None
    request: RequestView | None = None
    task: TaskView | None = None
    step: StepView | None = None
    attempt: Attempt | None = None

    @property
    def stack(self) -> list[StackPart]:
        trace = self.attempt.stack_trace if self.attempt else None
        return stack_parts(trace) if trace else []


class Timeline:
    """The rows of a trace, in the order of their start, and the scale above them."""

    def __init__(self, trace: TraceView) -> None:
        self.trace = trace
        self._start = trace.started_at
        self._span = max(trace.ended_at - trace.started_at, _MILLISECOND)
        self.duration_ms = (trace.ended_at - trace.started_at) / _MILLISECOND
        self.rows = list(self._rows())

    @property
    def ticks(self) -> list[tuple[float, float]]:
        """Round moments on the scale: the place in percent, and milliseconds."""
        span = self._span / _MILLISECOND
        step = next((s for s in _TICK_STEPS if span / s <= _MOST_TICKS), span)
        return [(i * step / span * 100, i * step) for i in range(1, math.ceil(span / step))]

    @property
    def unfinished(self) -> int:
        """Steps of which no end was recorded, and which are not taken for running."""
        steps = [step for task in self.trace.tasks for step in task.steps]
        return sum(step.status == "UNFINISHED" for step in steps)

    @property
    def cut(self) -> int:
        """Values of which the log shows, or has, only a part."""
        values = [
            value
            for request in self.trace.requests
            for value in (request.headers, request.request_body, request.response_body)
        ]
        attempts = [row.attempt for row in self.rows if row.attempt]
        values += [value for each in attempts for value in (each.input, each.output)]
        return sum(value is not None and (value.cut or _CUT in value.text) for value in values)

    @property
    def is_complete(self) -> bool:
        trace = self.trace
        partly = trace.is_running or trace.undelivered or trace.truncated or not trace.requests
        return not (partly or self.unfinished or self.cut)

    @property
    def failure(self) -> Row | None:
        """Where it broke: the first step that failed for good, else what ended the request."""
        failed = [r for r in self.rows if r.attempt and r.attempt.status == "FAILED"]
        final = [r for r in failed if r.step and r.attempt is r.step.attempts[-1]]
        steps = [r for r in final if r.task and r.task.name != CAPTURE_TASK]
        return next(iter(steps or final), None)

    def _rows(self) -> Iterator[Row]:
        parts: list[tuple[datetime, int, RequestView | TaskView]] = [
            (request.line.created_at, 0, request) for request in self.trace.requests
        ]
        parts += [(task.started_at, 1, task) for task in self.trace.tasks]
        parts.sort(key=lambda part: part[:2])
        for number, (_, _, part) in enumerate(parts, 1):
            if isinstance(part, RequestView):
                yield self._row(
                    "request",
                    f"request-{number}",
                    part.line.created_at,
                    part.ended_at,
                    timed=part.line.duration_ms is not None,
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
        kind: Literal["request", "task", "attempt"],
        anchor: str,
        started_at: datetime,
        ended_at: datetime,
        *,
        timed: bool,
        request: RequestView | None = None,
        task: TaskView | None = None,
        step: StepView | None = None,
        attempt: Attempt | None = None,
    ) -> Row:
        offset, length = started_at - self._start, ended_at - started_at
        # What lies behind the scale's end is drawn at it.
        width = max(length / self._span * 100, _NARROWEST)
        return Row(
            kind,
            anchor,
            Bar(min(offset / self._span * 100, 100 - width), width),
            offset / _MILLISECOND,
            length / _MILLISECOND if timed else None,
            request,
            task,
            step,
            attempt,
        )
