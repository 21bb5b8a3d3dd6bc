"""What can be read can be asked for its headers alone."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import Message

from app.head_requests import HeadRequests
from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.capture.middleware import CaptureMiddleware
from app.lib.tracelog.schema import API_LOGS, TABLES
from tests.lib.tracelog.rows import read_all

pytestmark = pytest.mark.anyio


async def page(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def stream(_request: Request) -> StreamingResponse:
    async def for_ever() -> AsyncIterator[bytes]:
        while True:
            yield b"news"

    return StreamingResponse(for_ever())


app = HeadRequests(Starlette(routes=[Route("/page", page), Route("/stream", stream)]))


async def head(path: str) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "HEAD", "path": path, "headers": [], "query_string": b""}
    with anyio.fail_after(60):
        await app(scope, receive, send)
    return sent


async def test_it_is_answered_as_get_without_the_body() -> None:
    start, body = await head("/page")
    assert start["status"] == 200
    assert (b"content-length", b"5") in start["headers"]
    assert body["body"] == b""


async def test_nothing_there_is_told_too() -> None:
    start, body = await head("/nowhere")
    assert (start["status"], body["body"]) == (404, b"")


async def test_a_stream_ends() -> None:
    start, body = await head("/stream")
    assert start["status"] == 200
    assert (body["body"], body.get("more_body", False)) == (b"", False)


@pytest.mark.parametrize("path", ["/users/7", "/broken/7"])
async def test_its_route_is_in_the_log(path: str, tmp_path: Path) -> None:
    def fail(_request: Request) -> None:
        raise LookupError

    routed = FastAPI(middleware=[Middleware(HeadRequests)])
    routed.get("/users/{number}")(page)
    routed.get("/broken/{number}")(fail)
    logger = CSVOnlyLogger(tmp_path)
    transport = ASGITransport(
        CaptureMiddleware(routed, logger.recorder), raise_app_exceptions=False
    )
    async with AsyncClient(transport=transport, base_url="http://app.test") as client:
        await client.head(path)
    logger.close()

    [row], _ = read_all(tmp_path, TABLES[API_LOGS])
    named = dict(zip(TABLES[API_LOGS].column_names, row, strict=True))
    route = json.loads(str(named["request_header"]))[":route"]
    assert (named["method"], route) == ("HEAD", path.replace("7", "{number}"))
