"""Puts the rows of a trace together, and those of requests by themselves."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson

from app.lib.tracelog.store.store import Cell
from app.lib.utils import micros_of, moment_of
from app.schemas.log import RequestLine, RequestView, TraceView
from app.services.logs.log_rows import LogRow, StepRow, integer, logged_at, text
from app.services.logs.log_text import payload, visible
from app.services.logs.step_assembly import assemble_tasks

REQUEST_CHARS: Final = 65_536
"""So many characters of a header, and of a body, are shown."""

CAPTURE_TASK: Final = "HTTP"
"""The task under which the capture records what ended a request."""


def assemble(
    trace_id: str,
    requests: Iterable[LogRow],
    steps: Sequence[StepRow],
    now: datetime,
    *,
    undelivered: int = 0,
    truncated: bool = False,
    is_outline: bool = False,
) -> TraceView:
    """The trace out of its rows, in the order of their ids. Raises `ValueError` without any.

    Rows of steps without values make an outline.
    """
    views = tuple(_request(row) for row in requests)
    tasks = assemble_tasks(steps, [int(view.line.id) for view in views], micros_of(now))
    moments = [moment for view in views for moment in (view.line.created_at, view.ended_at)]
    for task in tasks:
        # What the capture adds about a failed request is recorded after the request was timed.
        if not views or task.name != CAPTURE_TASK:
            moments += [moment_of(task.started), moment_of(task.seen)]
        if task.status == "RUNNING":
            moments.append(now)
    ends = min(moments), max(moments)
    return TraceView(trace_id, views, tasks, *ends, undelivered, truncated, is_outline)


def request_line(row: LogRow) -> RequestLine:
    """What a list shows of a request; its route is in the row, or in the headers there."""
    if "request_header" in row:
        route = _headers(row)[0].get("route")
    else:
        route = visible(text(row, "route")) if row.get("route") else None
    row_id = integer(row, "id") or 0
    return RequestLine(
        id=str(row["id"]),
        trace_id=visible(text(row, "trace_id")),
        method=visible(text(row, "method")),
        endpoint=visible(text(row, "endpoint")),
        status=integer(row, "response_status"),
        duration_ms=integer(row, "duration_ms"),
        user_id=integer(row, "user_id"),
        created_at=moment_of(logged_at(text(row, "created_at"), row_id)),
        ip_address=visible(text(row, "ip_address")) or None,
        route=route,
        failed=bool(row.get("failed")),
    )


def _request(row: LogRow) -> RequestView:
    line = request_line(row)
    facts, headers = _headers(row)
    row_id = integer(row, "id") or 0
    values = {
        name: payload(value, REQUEST_CHARS, name, row_id)
        for name, value in {**row, "request_header": headers}.items()
        if name in {"request_header", "request_body", "response_body"}
    }
    return RequestView(
        line=line,
        ended_at=line.created_at + timedelta(milliseconds=max(line.duration_ms or 0, 0)),
        ip_address=visible(text(row, "ip_address")) or None,
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


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
