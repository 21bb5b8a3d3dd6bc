"""What a filter finds as a file: CSV, CSV for Excel in Japanese, or JSON lines; streamed."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import UTC
from typing import Final

import orjson
from fastapi import HTTPException, Request
from fastapi.responses import Response, StreamingResponse

from app.lib.tracelog.store.store import StoreError
from app.lib.utils import utc_now
from app.routers.logs.reading import RETRY, problem_of
from app.routers.logs.request_pages import read_filter
from app.routers.logs.requests import LogDep, log_there
from app.routers.logs.router import router
from app.routers.logs.span import read_span
from app.schemas.log import RequestFilter, RequestLine
from app.services.logs.log_service import LogService
from app.templating import time_zone_of

KINDS: Final[dict[str, tuple[str, str]]] = {
    "csv": ("csv", "text/csv; charset=utf-8"),
    "excel": ("csv", "text/csv; charset=utf-8"),
    "jsonl": ("jsonl", "application/x-ndjson"),
}
"""The file's ending and its type, by what the URL asks for."""

MOST: Final = 100_000
"""So many requests are in one file at most."""

_PAGE: Final = 200
_DIGITS: Final = 15
_BOM: Final = b"\xef\xbb\xbf"
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS: Final = (
    "id",
    "trace_id",
    "created_at",
    "method",
    "endpoint",
    "response_status",
    "duration_ms",
    "user_id",
)


@router.get("/requests/export")
async def export_requests(request: Request, log: LogDep, kind: str = "csv") -> Response:
    """All that the filter in the URL finds, newest first, without headers and bodies."""
    if kind not in KINDS:
        raise HTTPException(404)
    span = read_span(request.query_params, utc_now(), time_zone_of(request), default="")
    wanted, _ = read_filter(request.query_params, span)
    try:
        # The first page is read before anything is sent: a store that is down can still be said.
        pages = _pages(log_there(log), wanted.model_copy(update={"limit": _PAGE, "before": None}))
        first: list[RequestLine] = await anext(pages, [])
    except StoreError as error:
        problem = problem_of(request, error)
        return Response(problem.title, 503, RETRY, "text/plain; charset=utf-8")
    ending, media_type = KINDS[kind]
    name = f"requests-{utc_now():%Y%m%d-%H%M%S}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_stream(kind, first, pages), 200, headers, media_type)


async def _pages(log: LogService, wanted: RequestFilter) -> AsyncIterator[list[RequestLine]]:
    sent = 0
    while sent < MOST:
        page = await log.requests(wanted)
        if page.requests:
            yield page.requests
            sent += len(page.requests)
        if page.next_cursor is None:
            return
        wanted = wanted.model_copy(update={"after": int(page.next_cursor)})


async def _stream(
    kind: str, first: list[RequestLine], pages: AsyncIterator[list[RequestLine]]
) -> AsyncIterator[bytes]:
    write = _json_lines if kind == "jsonl" else _excel_lines if kind == "excel" else _csv_lines
    if kind != "jsonl":
        yield (_BOM if kind == "excel" else b"") + _csv([_COLUMNS])
    yield write(first)
    async for page in pages:
        yield write(page)


def _values(line: RequestLine) -> dict[str, str | int | None]:
    at = line.created_at.astimezone(UTC)
    moment = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"
    values = (
        line.id,
        line.trace_id,
        moment,
        line.method,
        line.endpoint,
        line.status,
        line.duration_ms,
        line.user_id,
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _json_lines(lines: Sequence[RequestLine]) -> bytes:
    return b"".join(orjson.dumps(_values(line)) + b"\n" for line in lines)


def _csv_lines(lines: Sequence[RequestLine]) -> bytes:
    return _csv([list(_values(line).values()) for line in lines])


def _excel_lines(lines: Sequence[RequestLine]) -> bytes:
    return _csv([[_harmless(value) for value in _values(line).values()] for line in lines])


def _harmless(value: str | int | None) -> str | int | None:
    """A value that no spreadsheet takes for a formula, nor for a number that it would round."""
    if not isinstance(value, str):
        return value
    is_long_number = len(value) > _DIGITS and value.isdigit()
    return f"'{value}" if is_long_number or value.startswith(_FORMULA_SIGNS) else value


def _csv(rows: Sequence[Sequence[object]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()
