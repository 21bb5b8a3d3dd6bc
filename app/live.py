"""What changes on a page by itself: a stream of events, made by looking into the database.

Any instance can serve it, whichever does the work that is looked at.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, format_sse_event
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database

Look = Callable[[AsyncSession, str], Awaitable[tuple[str, str | None]]]
"""Gets what was shown last; gives what is shown now, and what is to be sent, if anything."""


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE_DIGITS: Final = 17
"""Some thousand years."""


def place_of(moment: datetime) -> str:
    """A moment as streams and the addresses of streams have it."""
    return str((moment - _EPOCH) // timedelta(microseconds=1))


def begun_at(request: Request, now: datetime) -> datetime:
    """Up to when the reader of a stream knows how it was.

    That is where a broken stream was, else when its page was made, which is in its address: between
    the page and the stream no time is lost.
    """
    place = request.headers.get("last-event-id") or request.query_params.get("since", "")
    if not (place.isascii() and place.isdigit() and len(place) < _PLACE_DIGITS):
        return now
    return _EPOCH + timedelta(microseconds=int(place))


async def looks(
    request: Request,
    database: Database,
    user_id: int,
    look: Look,
    *,
    every: float,
    seconds: float,
) -> AsyncIterator[str]:
    """What `look`, for a user, wants to be sent, until `seconds` are over or nobody listens."""
    shown = ""
    for _ in range(int(seconds / every)):
        async with database.session(user_id) as session:
            shown, changed = await look(session, shown)
        if changed is not None:
            yield changed
        await asyncio.sleep(every)
        if await request.is_disconnected():
            return


async def messages(texts: AsyncIterator[str], place: Callable[[], str]) -> AsyncIterator[bytes]:
    """An event for each text, with the place that the reader has come to."""
    async for text in texts:
        yield format_sse_event(data_str=text, id=place())


def response(events: AsyncIterator[bytes]) -> Response:
    """Events as the browser gets them, past proxies that would hold them back."""
    return EventSourceResponse(events, headers={"X-Accel-Buffering": "no"})
