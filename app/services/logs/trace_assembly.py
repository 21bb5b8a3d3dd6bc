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
from app.lib.tracelog.redaction.plain import CUT_KEY
from app.lib.tracelog.store.store import Cell
from app.schemas.log import (
    Attempt,
    AttemptStatus,
    Payload,
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

VALUES: Final = ("input_data", "output_data", "error_message", "stack_trace")
"""The columns of a step that can be long."""

CAPTURE_TASK: Final = "HTTP"
"""The task under which the capture records what ended a request."""

CUT_MARK: Final = f'"{CUT_KEY}"'
"""Stands in a value of which the log itself has a part only."""

STUCK: Final = timedelta(minutes=10)
"""A step without an end that has said nothing for so long is not taken for running."""

_OPEN: Final = frozenset({"START", "IN_PROGRESS"})
_NO_TIME: Final = timedelta(0)
_SAME_MOMENT: Final = timedelta(milliseconds=5)


def assemble(
    trace_id: str,
    requests: Iterable[LogRow],
    steps: Sequence[LogRow],
    now: datetime,
    *,
    undelivered: int = 0,
    truncated: bool = False,
    is_outline: bool = False,
) -> TraceView:
    """The trace out of its rows, in the order of their ids. Raises `ValueError` without any.

    Rows of steps without the columns of `VALUES` make an outline.
    """
    views = tuple(_request(row) for row in requests)
    request_ids = [int(view.line.id) for view in views]
    times = [_moment(row) for row in steps]
    tasks = _tasks(steps, times, request_ids, now)
    moments = [moment for view in views for moment in (view.line.created_at, view.ended_at)]
    # What the capture adds about a failed request is recorded after the request was timed.
    moments += [
        time
        for row, time in zip(steps, times, strict=True)
        if not views or row["task_name"] != CAPTURE_TASK
    ]
    moments += [now for task in tasks if task.status == "RUNNING"]
    ends = min(moments), max(moments)
    return TraceView(trace_id, views, tasks, *ends, undelivered, truncated, is_outline)


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
    row_id = _integer(row, "id") or 0
    values = {
        name: payload(value, REQUEST_CHARS, name, row_id)
        for name, value in {**row, "request_header": headers}.items()
        if name in {"request_header", "request_body", "response_body"}
    }
    return RequestView(
        line=line,
        ended_at=line.created_at + timedelta(milliseconds=max(line.duration_ms or 0, 0)),
        ip_address=visible(_text(row, "ip_address")) or None,
        facts=facts,
        headers=values["request_header"],
        request_body=values["request_body"],
        response_body=values["response_body"],
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
    """An attempt while its rows are read.

    `began_at` is of the first one, `seen_at` and `status` of the last.
    """

    rows: list[LogRow]
    began_at: datetime
    seen_at: datetime
    status: str

    @property
    def is_open(self) -> bool:
        return self.status in _OPEN


@dataclass(slots=True)
class _OpenTask:
    """A run of a task while its rows are read. `request` is where its last row was written.

    `orders` are those of its steps by name, `running` the steps of which an attempt is open.
    """

    name: str
    steps: dict[tuple[int, str], list[_OpenAttempt]] = field(default_factory=dict)
    request: int = 0
    orders: dict[str, int] = field(default_factory=dict)
    running: set[tuple[int, str]] = field(default_factory=set)
    highest: int = 0

    def takes(self, order: int, step: str, status: str, request: int) -> bool:
        """Whether a row belongs to this run, and not to a new run of the same task."""
        if self.orders.get(step, order) != order:
            return False  # a run gives each of its steps one order
        if status != "START" or (order, step) not in self.steps:
            return True
        if self.running:
            return True
        return order >= self.highest and request == self.request

    def add(self, order: int, step: str, status: str, row: LogRow, time: datetime) -> None:
        """The row belongs to the step's last attempt, or begins another one."""
        key = order, step
        attempts = self.steps.get(key)
        if attempts is None:
            self.highest = max(self.highest, order) if self.steps else order
            self.orders[step] = order
            attempts = self.steps[key] = []
        if not attempts or status == "START" or not attempts[-1].is_open:
            attempts.append(_OpenAttempt([row], time, time, status))
        else:
            last = attempts[-1]
            last.rows.append(row)
            last.seen_at, last.status = time, status
        if status in _OPEN:
            self.running.add(key)
        else:
            self.running.discard(key)


def _tasks(
    rows: Sequence[LogRow], times: Sequence[datetime], request_ids: list[int], now: datetime
) -> tuple[TaskView, ...]:
    runs: list[_OpenTask] = []
    latest: dict[str, _OpenTask] = {}
    for row, time in zip(rows, times, strict=True):
        name, step, status = str(row["task_name"]), str(row["step_name"]), str(row["status"])
        order = number if isinstance(number := row["execution_order"], int) else 0
        # Requests of one trace may each run the same task; their rows are written at their ends.
        request = bisect_left(request_ids, _integer(row, "id") or 0)
        run = latest.get(name)
        if run is None or not run.takes(order, step, status, request):
            run = latest[name] = _OpenTask(name)
            runs.append(run)
        run.request = request
        run.add(order, step, status, row, time)
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
    has_values = "input_data" in first or "input_data" in last
    progress = [row for row in attempt.rows if row["status"] == "IN_PROGRESS"] if has_values else []
    ended = not attempt.is_open
    status: AttemptStatus
    if ended:
        status = "SUCCESS" if attempt.status == "SUCCESS" else "FAILED"
    else:
        status = "RUNNING" if is_last and now - attempt.seen_at < STUCK else "UNFINISHED"
    return Attempt(
        number=number,
        first_id=_integer(first, "id") or 0,
        last_id=_integer(last, "id") or 0,
        status=status,
        started_at=attempt.began_at,
        seen_at=attempt.seen_at,
        ended_at=attempt.seen_at if ended else None,
        timed=first["status"] == "START" or len(attempt.rows) > 1,
        input=_last(attempt.rows, "input_data") if has_values else None,
        progress=_last(progress, "output_data"),
        output=_last([last], "output_data") if ended and has_values else None,
        error_message=visible(_text(last, "error_message")) or None if has_values else None,
        stack_trace=_text(last, "stack_trace") or None if has_values else None,
        cut=sum(map(_cut_values, attempt.rows)),
    )


# --- values ----------------------------------------------------------------------------------


def _last(rows: Sequence[LogRow], column: str) -> Payload | None:
    for row in reversed(rows):
        if (value := row.get(column)) is not None:
            return payload(value, STEP_CHARS, column, _integer(row, "id") or 0)
    return None


def _cut_values(row: LogRow) -> int:
    """How many values of a step were cut when they were recorded."""
    if (known := row.get("cut")) is not None:
        return known if isinstance(known, int) else 0
    return sum(CUT_MARK in _text(row, column) for column in ("input_data", "output_data"))


def _text(row: LogRow, column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value)


def _integer(row: LogRow, column: str) -> int | None:
    value = row.get(column)
    return value if isinstance(value, int) else None


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _created_at(row: LogRow) -> datetime:
    """When it happened; rows that others put into the store may hold anything there."""
    try:
        moment = datetime.fromisoformat(row["created_at"])  # type: ignore[arg-type] # see below
    except (TypeError, ValueError):
        return datetime.fromtimestamp(time_of(_integer(row, "id") or 0), UTC)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(row: LogRow) -> datetime:
    """`created_at` to the microsecond, which the id knows where it was made at that moment."""
    created_at = _created_at(row)
    made_at = datetime.fromtimestamp(time_of(_integer(row, "id") or 0), UTC)
    return made_at if _NO_TIME <= made_at - created_at < _SAME_MOMENT else created_at
