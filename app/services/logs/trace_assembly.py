"""Puts the rows of a trace together: tasks, their steps, and each step's attempts.

The rows say it by the conventions of `app.lib.tracelog.steps`: the rows of a step share its name
and `execution_order`, and a new START of a step is another attempt at it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from app.lib.tracelog.ids import time_of
from app.lib.tracelog.store.store import Cell
from app.schemas.log import (
    Attempt,
    AttemptStatus,
    RequestLine,
    RequestView,
    StepView,
    TaskView,
    TraceView,
)
from app.services.logs.log_text import payload, visible

LogRow = Mapping[str, Cell]
"""A row by column name."""

REQUEST_CHARS: Final = 65_536
STEP_CHARS: Final = 8_192
"""So many characters of a value are shown."""

CAPTURE_TASK: Final = "HTTP"
"""The task under which the capture records what ended a request."""

STUCK: Final = timedelta(minutes=10)
"""A step without an end that has said nothing for so long is not taken for running."""

_SAME_MOMENT: Final = timedelta(milliseconds=5)


def assemble(
    trace_id: str,
    requests: Iterable[LogRow],
    steps: Sequence[LogRow],
    now: datetime,
    *,
    undelivered: int = 0,
    truncated: bool = False,
) -> TraceView:
    """The trace out of its rows, in the order of their ids. Raises `ValueError` without any."""
    views = tuple(_request(row) for row in requests)
    request_ids = [int(view.line.id) for view in views]
    tasks = _tasks(steps, request_ids, now)
    moments = [moment for view in views for moment in (view.line.created_at, view.ended_at)]
    # What the capture adds about a failed request is recorded after the request was timed.
    moments += [_moment(row) for row in steps if not views or row["task_name"] != CAPTURE_TASK]
    moments += [now for task in tasks if task.status == "RUNNING"]
    return TraceView(trace_id, views, tasks, min(moments), max(moments), undelivered, truncated)


def request_line(row: LogRow) -> RequestLine:
    """What a list shows of a request; its route is in the row, or in the headers there."""
    if "request_header" in row:
        route = _headers(row)[0].get("route")
    else:
        route = visible(_text(row, "route")) if row.get("route") else None
    return RequestLine(
        id=str(row["id"]),
        trace_id=visible(_text(row, "trace_id")),
        method=visible(_text(row, "method")),
        endpoint=visible(_text(row, "endpoint")),
        status=_integer(row, "response_status"),
        duration_ms=_integer(row, "duration_ms"),
        user_id=_integer(row, "user_id"),
        created_at=_created_at(row),
        ip_address=visible(_text(row, "ip_address")) or None,
        route=route,
    )


def _request(row: LogRow) -> RequestView:
    line = request_line(row)
    facts, headers = _headers(row)
    return RequestView(
        line=line,
        ended_at=line.created_at + timedelta(milliseconds=max(line.duration_ms or 0, 0)),
        ip_address=visible(_text(row, "ip_address")) or None,
        facts=facts,
        headers=payload(headers, REQUEST_CHARS),
        request_body=payload(row["request_body"], REQUEST_CHARS),
        response_body=payload(row["response_body"], REQUEST_CHARS),
    )


def _headers(row: LogRow) -> tuple[dict[str, str], Cell]:
    """What the log says about the request itself, under names that no header has; the headers."""
    raw = row["request_header"]
    try:
        parsed = orjson.loads(raw) if isinstance(raw, str) else None
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, dict):
        return {}, raw
    facts = {
        visible(name.removeprefix(":")): visible(value if isinstance(value, str) else _json(value))
        for name, value in parsed.items()
        if name.startswith(":")
    }
    headers = {name: value for name, value in parsed.items() if not name.startswith(":")}
    return facts, _json(headers) if headers else None


# --- steps -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _OpenAttempt:
    """An attempt while its rows are read."""

    rows: list[LogRow]

    @property
    def status(self) -> str:
        return _text(self.rows[-1], "status")

    @property
    def is_open(self) -> bool:
        return self.status in {"START", "IN_PROGRESS"}


@dataclass(slots=True)
class _OpenTask:
    """A run of a task while its rows are read. `request` is where its last row was written."""

    name: str
    steps: dict[tuple[int, str], list[_OpenAttempt]] = field(default_factory=dict)
    request: int = 0

    def takes(self, order: int, step: str, status: str, request: int) -> bool:
        """Whether a row belongs to this run, and not to a new run of the same task."""
        if any(name == step and known != order for known, name in self.steps):
            return False  # a run gives each of its steps one order
        if status != "START" or (order, step) not in self.steps:
            return True
        if any(attempts[-1].is_open for attempts in self.steps.values()):
            return True
        goes_back = order < max(known for known, _ in self.steps)
        return not goes_back and request == self.request


def _tasks(rows: Sequence[LogRow], request_ids: list[int], now: datetime) -> tuple[TaskView, ...]:
    runs: list[_OpenTask] = []
    latest: dict[str, _OpenTask] = {}
    for row in rows:
        name, step = _text(row, "task_name"), _text(row, "step_name")
        order, status = _integer(row, "execution_order") or 0, _text(row, "status")
        # Requests of one trace may each run the same task; their rows are written at their ends.
        request = bisect_left(request_ids, _integer(row, "id") or 0)
        run = latest.get(name)
        if run is None or not run.takes(order, step, status, request):
            run = latest[name] = _OpenTask(name)
            runs.append(run)
        run.request = request
        attempts = run.steps.setdefault((order, step), [])
        if not attempts or status == "START" or not attempts[-1].is_open:
            attempts.append(_OpenAttempt([row]))
        else:
            attempts[-1].rows.append(row)
    counts: dict[str, int] = {}
    tasks = []
    for run in runs:
        counts[run.name] = number = counts.get(run.name, 0) + 1
        tasks.append(_task(run, number, now))
    return tuple(tasks)


def _task(run: _OpenTask, number: int, now: datetime) -> TaskView:
    steps = []
    for (order, name), attempts in sorted(run.steps.items(), key=_order):
        last = len(attempts)
        views = [
            _attempt(attempt, i, now, is_last=i == last) for i, attempt in enumerate(attempts, 1)
        ]
        steps.append(StepView(visible(name), order, tuple(views)))
    return TaskView(visible(run.name), number, tuple(steps))


def _order(step: tuple[tuple[int, str], list[_OpenAttempt]]) -> tuple[int, int]:
    (order, _), attempts = step
    return order, _integer(attempts[0].rows[0], "id") or 0


def _attempt(attempt: _OpenAttempt, number: int, now: datetime, *, is_last: bool) -> Attempt:
    first, last = attempt.rows[0], attempt.rows[-1]
    progress = [row for row in attempt.rows if _text(row, "status") == "IN_PROGRESS"]
    ended = not attempt.is_open
    status: AttemptStatus
    if ended:
        status = "SUCCESS" if attempt.status == "SUCCESS" else "FAILED"
    else:
        status = "RUNNING" if is_last and now - _moment(last) < STUCK else "UNFINISHED"
    return Attempt(
        number=number,
        status=status,
        started_at=_moment(first),
        seen_at=_moment(last),
        ended_at=_moment(last) if ended else None,
        timed=_text(first, "status") == "START" or len(attempt.rows) > 1,
        input=payload(_last(attempt.rows, "input_data"), STEP_CHARS),
        progress=payload(_last(progress, "output_data"), STEP_CHARS),
        output=payload(last["output_data"], STEP_CHARS) if ended else None,
        error_message=visible(_text(last, "error_message")) or None,
        stack_trace=_text(last, "stack_trace") or None,
    )


# --- values ----------------------------------------------------------------------------------


def _last(rows: Sequence[LogRow], column: str) -> Cell:
    return next((row[column] for row in reversed(rows) if row[column] is not None), None)


def _text(row: LogRow, column: str) -> str:
    value = row[column]
    return "" if value is None else str(value)


def _integer(row: LogRow, column: str) -> int | None:
    value = row[column]
    return value if isinstance(value, int) else None


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _created_at(row: LogRow) -> datetime:
    """When it happened; rows that others put into the store may hold anything there."""
    try:
        moment = datetime.fromisoformat(_text(row, "created_at"))
    except ValueError:
        return datetime.fromtimestamp(time_of(_integer(row, "id") or 0), UTC)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(row: LogRow) -> datetime:
    """`created_at` to the microsecond, which the id knows where it was made at that moment."""
    created_at = _created_at(row)
    made_at = datetime.fromtimestamp(time_of(_integer(row, "id") or 0), UTC)
    return made_at if timedelta(0) <= made_at - created_at < _SAME_MOMENT else created_at
