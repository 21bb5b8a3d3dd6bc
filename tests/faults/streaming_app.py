"""The app, and beside it a stream of events that has no end."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from app.main import create_app as create_real_app


def create_app() -> FastAPI:
    app = create_real_app()
    app.get("/endless")(_endless)
    return app


async def _endless() -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        while True:
            yield "data: still here\n\n"
            await asyncio.sleep(0.05)

    return StreamingResponse(events(), media_type="text/event-stream")
