"""A trace as a picture: rows with bars on one scale of time, in parts of so many rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

from app.lib.utils import micros_of
from app.routers.logs.trace_scale import Bar, Gap, Scale, map_lines
from app.schemas.log import Attempt, AttemptStatus, RequestView, StepView, TaskView, TraceView
from app.services.logs.log_rows import CUT_MARK
from app.services.logs.log_text import StackPart, stack_parts
from app.services.logs.trace_assembly import CAPTURE_TASK

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
    """Rows that are loaded together; `number` counts from 1, `first` and `last` are their places.

    A part without `rows` is loaded as soon as it comes into view. A full one, with nothing that
    runs in it or before it, is `settled`: an update of the page leaves it alone.
    """

    number: int
    first: int
    last: int
    rows: list[Row]
    settled: bool

    @property
    def count(self) -> int:
        return self.last - self.first + 1


class _Line(NamedTuple):
    """What one row is about; the row itself is made when it is shown."""

    anchor: str
    request: RequestView | None
    task: TaskView | None = None
    step: StepView | None = None
    attempt: Attempt | None = None


class Timeline:
    """The rows of a trace, in the order of their start, and the scale above them.

    `part` is the number of the part that is asked for, and `row` the id of the row of the log with
    which the line begins that is to stand open, 0 where none is.
    """

    def __init__(self, trace: TraceView, part: int = 1, row: int | None = None) -> None:
        self.trace = trace
        self.scale = Scale(trace)
        self.part = part
        responses = [micros_of(request.ended_at) for request in trace.requests]
        self._responded = max(responses) if responses else None
        self._lines = list(_lines(trace))
        self.attempts = [line.attempt for line in self._lines if line.attempt]
        self._chosen = self._place_of(row) if row else None
        self._is_closed = row == 0

    @property
    def row_count(self) -> int:
        return len(self._lines)

    @property
    def duration_ms(self) -> float:
        return self.scale.duration_ms

    @cached_property
    def parts(self) -> list[Part]:
        """All rows: those of the part asked for, of what stands open and of what runs are there."""
        count = -(-self.row_count // PART_ROWS)
        running = {
            place // PART_ROWS + 1
            for place, line in enumerate(self._lines)
            if line.attempt and line.attempt.status == "RUNNING"
        }
        open_parts = {place // PART_ROWS + 1 for place in self._open_places}
        shown = {self.part, *sorted(running)[-_RUNNING_PARTS:], *open_parts}
        first_running = min(running, default=count + 1)
        parts = []
        for number in range(1, count + 1):
            lines = self._lines[(number - 1) * PART_ROWS : number * PART_ROWS]
            first = (number - 1) * PART_ROWS + 1
            rows = [self._row(line) for line in lines] if number in shown else []
            settled = len(lines) == PART_ROWS and number < first_running
            parts.append(Part(number, first, first + len(lines) - 1, rows, settled))
        return parts

    @cached_property
    def gaps(self) -> list[Gap]:
        return self.scale.gaps(self.attempts)

    @property
    def map(self) -> list[tuple[AttemptStatus, str]]:
        """All bars in small, for a trace of several parts."""
        return self.scale.map([line.attempt for line in self._lines])

    @property
    def map_lines(self) -> int:
        return map_lines(self.row_count)

    @cached_property
    def unfinished(self) -> int:
        """Steps of which no end was recorded, and which are not taken for running."""
        steps = [step for task in self.trace.tasks for step in task.steps]
        return sum([step.attempts[-1].status == "UNFINISHED" for step in steps])

    @cached_property
    def cut(self) -> int:
        """Values of which the log has only a part."""
        values = [
            value
            for request in self.trace.requests
            for value in (request.headers, request.request_body, request.response_body)
        ]
        cut = sum(value is not None and CUT_MARK in value.text for value in values)
        return cut + sum([attempt.cut for attempt in self.attempts])

    @property
    def is_complete(self) -> bool:
        trace = self.trace
        partly = trace.is_running or trace.undelivered or trace.truncated or not trace.requests
        return not (partly or self.unfinished or self.cut)

    @cached_property
    def failure(self) -> Row | None:
        """Where it broke: the first step that failed for good, else what ended the request."""
        return None if self._failing is None else self._row(self._lines[self._failing])

    @cached_property
    def opened(self) -> str | None:
        """The anchor of the line that stands open."""
        places = [*self._open_places, *([] if self.trace.tasks else [0])]
        return self._lines[places[0]].anchor if places and not self._is_closed else None

    @property
    def bare(self) -> list[Attempt]:
        """Attempts that stand open, of which an outline has no values."""
        if not self.trace.is_outline:
            return []
        return [found for place in self._open_places if (found := self._lines[place].attempt)]

    def fill(self, attempt: Attempt) -> None:
        """Put the values of an attempt into the outline's line."""
        place = self._place_of(attempt.first_id)
        if place is not None and (there := self._lines[place].attempt):
            whole = attempt._replace(number=there.number)
            self._lines[place] = self._lines[place]._replace(attempt=whole)

    def _place_of(self, row: int) -> int | None:
        for place, line in enumerate(self._lines):
            if line.attempt and line.attempt.first_id == row:
                return place
            if line.request and line.request.line.id == str(row):
                return place
        return None

    @property
    def _open_places(self) -> list[int]:
        """Of the line that was chosen, and of the failure."""
        return [place for place in (self._chosen, self._failing) if place is not None]

    @cached_property
    def _failing(self) -> int | None:
        """The place of the failure."""
        final = [
            (place, line.task)
            for place, line in enumerate(self._lines)
            if line.attempt
            and line.attempt.status == "FAILED"
            and line.step
            and line.attempt is line.step.attempts[-1]
        ]
        steps = [place for place, task in final if task and task.name != CAPTURE_TASK]
        return next(iter(steps or [place for place, _ in final]), None)

    def _row(self, line: _Line) -> Row:
        attempt, task, request = line.attempt, line.task, line.request
        if attempt is not None:
            running = attempt.status == "RUNNING"
            start, end = attempt.started, self.scale.end if running else attempt.seen
            timed = attempt.timed and (running or attempt.has_ended)
        elif task is not None:
            start, end = task.started, self.scale.end if task.status == "RUNNING" else task.seen
            timed = any(each.timed for step in task.steps for each in step.attempts)
        else:
            assert request is not None  # noqa: S101 # a line is about one of the three
            start, end = micros_of(request.line.created_at), micros_of(request.ended_at)
            timed = request.line.duration_ms is not None
        bar, late = (self.scale.bar(start, end), None) if request else self._bars(start, end)
        kind: Literal["request", "task", "attempt"] = "attempt" if attempt else "task"
        return Row(
            "request" if request else kind,
            line.anchor,
            bar,
            late,
            self.scale.offset_ms(start),
            (end - start) / 1000 if timed else None,
            *line[1:],
        )

    def _bars(self, started: int, ended: int) -> tuple[Bar | None, Bar | None]:
        """What ran before the response was there, and what after it."""
        responded = self._responded
        if responded is None or ended <= responded:
            return self.scale.bar(started, ended), None
        if started >= responded:
            return None, self.scale.bar(started, ended)
        return self.scale.bar(started, responded), self.scale.bar(responded, ended)


def _lines(trace: TraceView) -> Iterator[_Line]:
    parts: list[tuple[int, int, RequestView | TaskView]] = [
        (micros_of(request.line.created_at), 0, request) for request in trace.requests
    ]
    parts += [(task.started, 1, task) for task in trace.tasks]
    parts.sort(key=lambda part: part[:2])
    for number, (_, _, part) in enumerate(parts, 1):
        if isinstance(part, RequestView):
            yield _Line(f"request-{number}", part)
            continue
        yield _Line(f"task-{number}", None, part)
        for position, step in enumerate(part.steps, 1):
            for attempt in step.attempts:
                anchor = f"task-{number}-{position}-{attempt.number}"
                yield _Line(anchor, None, part, step, attempt)
