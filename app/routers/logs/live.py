"""New requests as they come: one stream of events for the list that is on the screen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Final

import orjson
from fastapi import Header, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, format_sse_event
from sqlalchemy.exc import SQLAlchemyError

from app.cookies import JOBS, SESSION, read_cookie
from app.dependencies import Admin, DatabaseDep
from app.lib.tracelog.store.store import StoreError
from app.lib.utils import utc_now
from app.routers.job_news import JobNews
from app.routers.logs.columns import column_state, read_columns
from app.routers.logs.frame import Frame
from app.routers.logs.request_pages import Listing, LiveRows, filter_state, read_filter
from app.routers.logs.requests import LogDep
from app.routers.logs.router import router
from app.routers.logs.span import read_span
from app.schemas.log import RequestPage
from app.schemas.numbers import IdFromZero
from app.services.logs.live_tail import COUNTED, Arrivals, LiveTail
from app.services.session_service import SessionService
from app.templating import render_text, time_zone_of

LOOK_SECONDS: Final = 1.0
STREAM_SECONDS: Final = 300.0
"""A stream ends after that and the page asks for a new one."""

RETRY_MS: Final = 1000
_SILENT_LOOKS: Final = 15
"""After so many looks without news a proxy should see that the stream is alive."""


@router.get("/requests/live")
async def follow_requests(
    request: Request,
    log: LogDep,
    database: DatabaseDep,
    admin: Admin,
    since: IdFromZero = 0,
    last_event_id: Annotated[str, Header()] = "",
) -> Response:
    """The rows that a live list gets, as `requests`; as `state` whether the database answers.

    As `jobs` what the navigation says of one's jobs, in a browser that has queued some.

    A browser that lost the stream says where it was, and is given what it missed.
    """
    if log is None:
        return Response(status_code=204)  # ends it: there is no database, as the list says
    zone = time_zone_of(request)
    span = read_span(request.query_params, utc_now(), zone, default="")
    wanted, _ = read_filter(request.query_params, span)
    columns = read_columns(request.query_params)
    kept = filter_state(wanted) | column_state(columns) | {"live": "1"}
    frame = Frame("requests", span, zone, kept)
    went_on_at = int(last_event_id) if _is_id(last_event_id) else since
    tail = LiveTail(log, wanted, went_on_at, routes="route" in columns)

    def message(news: Arrivals) -> bytes:
        page = RequestPage(requests=news.requests)
        rows = LiveRows(Listing(wanted, page, frame, columns=columns, live=True))
        data = {
            "count": news.count,
            "more": news.count == COUNTED,
            "whole": news.whole,
            "html": render_text(request, rows),
        }
        text = orjson.dumps(data).decode()
        return format_sse_event(event="requests", data_str=text, id=str(news.position))

    token = read_cookie(request, SESSION)

    async def may_go_on() -> bool:
        """Whether the reader has not been signed out meanwhile, and is still an administrator."""
        try:
            async with database.session() as session:
                login = await SessionService(session).resolve(token)
        except SQLAlchemyError:
            return True  # the log can be read while the app's own database is away
        return login is not None and login.user.role == "admin"

    user_id = admin.id
    jobs = JobNews(request, user_id) if read_cookie(request, JOBS) else None

    async def besides() -> str:
        if jobs is None:
            return ""
        try:
            async with database.session(user_id) as session:
                news = await jobs.look(session)
        except SQLAlchemyError:
            return ""
        return render_text(request, news) if news.is_new else ""

    events = _events(tail, message, besides, may_go_on)
    return EventSourceResponse(events, headers={"X-Accel-Buffering": "no"})


async def _events(
    tail: LiveTail,
    message: Callable[[Arrivals], bytes],
    besides: Callable[[], Awaitable[str]],
    may_go_on: Callable[[], Awaitable[bool]],
) -> AsyncIterator[bytes]:
    yield format_sse_event(retry=RETRY_MS)
    silent, is_down = 0, False
    for _ in range(int(STREAM_SECONDS / LOOK_SECONDS)):
        try:
            news = await tail.look()
        except StoreError:
            if not is_down:
                yield format_sse_event(event="state", data_str="down")
            is_down = True
        else:
            if is_down:
                yield format_sse_event(event="state", data_str="up")
            is_down = False
            silent = 0 if news.count else silent + 1
            if news.count:
                yield message(news)
            elif silent % _SILENT_LOOKS == 0:
                yield format_sse_event(id=str(news.position))
        if html := await besides():
            yield format_sse_event(event="jobs", data_str=html)
        await asyncio.sleep(LOOK_SECONDS)
        if not await may_go_on():
            return


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 1 << 63
