"""What a filter finds as a file: CSV, CSV for Excel in Japanese, or JSON lines; streamed."""

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Final

from fastapi import HTTPException, Request
from fastapi.responses import Response, StreamingResponse

from app.lib.table_files import TYPES, TextTable, file_name, is_text
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

MOST: Final = 100_000
"""So many requests are in one file at most."""

_PAGE: Final = 200
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
    if not is_text(kind):
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
    name = file_name("requests", kind, utc_now())
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    lines = _stream(TextTable(kind, _COLUMNS, exact=True), first, pages)
    return StreamingResponse(lines, 200, headers, TYPES[kind])


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
    table: TextTable, first: list[RequestLine], pages: AsyncIterator[list[RequestLine]]
) -> AsyncIterator[bytes]:
    yield table.head() + table.body(map(_values, first))
    async for page in pages:
        yield table.body(map(_values, page))


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
