"""What changes on a page by itself: a stream of events, made by looking into the database.

Any instance can serve it, whichever does the work that is looked at.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, format_sse_event
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database

Look = Callable[[AsyncSession, str], Awaitable[tuple[str, str | None]]]
"""Gets what was shown last; gives what is shown now, and what is to be sent, if anything."""


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


async def messages(texts: AsyncIterator[str]) -> AsyncIterator[bytes]:
    """An event for each text."""
    async for text in texts:
        yield format_sse_event(data_str=text)


def response(events: AsyncIterator[bytes]) -> Response:
    """Events as the browser gets them, past proxies that would hold them back."""
    return EventSourceResponse(events, headers={"X-Accel-Buffering": "no"})
