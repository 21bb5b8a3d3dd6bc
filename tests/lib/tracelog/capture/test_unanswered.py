"""What the app leaves unanswered is answered for it, with the trace id and a row that says so."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.responses import Response, StreamingResponse
from starlette.middleware.gzip import GZipMiddleware

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.capture.asgi import ASGIApp, Receive, Scope, Send
from app.lib.tracelog.capture.middleware import CaptureMiddleware
from tests.lib.tracelog.capture.client import UUID, Client, Http, Message, rows, served


def ask(app: ASGIApp, http: Http = "httptools") -> bytes:
    """What a client of uvicorn gets."""

    async def call() -> bytes:
        async with served(app, http) as (_, host, port):
            reader, writer = await asyncio.open_connection(host, port)
            request = f"GET / HTTP/1.1\r\nHost: localhost\r\nX-Trace-Id: {UUID}\r\n"
            writer.write(f"{request}Connection: close\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
        return answer

    return asyncio.run(call())


def assert_answered(answer: bytes) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 ")
    assert head.count(f"x-trace-id: {UUID}".encode()) == 1
    assert body == b"Internal Server Error"


async def wait_for_who_is_cancelled() -> None:
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    await task


def stop() -> None:
    raise SystemExit("no way on")


def fail_together() -> None:
    raise BaseExceptionGroup("both", [SystemExit(), LookupError()])


@pytest.mark.parametrize("fail", [wait_for_who_is_cancelled, stop, fail_together])
def test_a_request_that_no_exception_handler_answers_is_status_500_with_its_failed_step(
    app: FastAPI, client: Client, log_dir: Path, fail: Callable[[], Any]
) -> None:
    @app.get("/")
    async def answer() -> None:
        if (waiting := fail()) is not None:
            await waiting

    with pytest.raises(BaseException) as caught:
        client.request(headers={"X-Trace-Id": UUID})

    assert client.row_came_first
    assert client.sent[0]["status"] == 500
    assert client.header("x-trace-id") == UUID
    [row] = rows(log_dir)
    assert (row["response_status"], row["response_body"]) == (500, "Internal Server Error")
    [step] = rows(log_dir, "task_progress_logs")
    assert (step["trace_id"], step["step_name"]) == (UUID, "/")
    assert step["error_message"].startswith(caught.type.__name__)


def test_an_app_that_answers_nothing_is_answered_for(
    logger: CSVOnlyLogger, log_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def silent(*_: object) -> None:
        pass

    assert_answered(ask(CaptureMiddleware(silent, logger.recorder)))

    assert [row["response_status"] for row in rows(log_dir)] == [500]
    assert [row["error_message"] for row in rows(log_dir, "task_progress_logs")] == ["HTTP 500"]
    assert "without an answer" in caplog.text


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_a_stream_that_breaks_before_its_first_byte_left_is_status_500(
    app: FastAPI, logger: CSVOnlyLogger, log_dir: Path, http: Http
) -> None:
    @app.get("/")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(0):
                yield b""
            raise LookupError("nothing to send")

        return StreamingResponse(chunks())

    # It keeps the head of a response until it has seen the body.
    assert_answered(ask(GZipMiddleware(CaptureMiddleware(app, logger.recorder)), http))

    [row] = rows(log_dir)
    assert (row["response_status"], row["response_body"]) == (500, "Internal Server Error")
    [step] = rows(log_dir, "task_progress_logs")
    assert step["error_message"] == "LookupError: nothing to send"


@pytest.mark.parametrize("value", [b"a\nb", b"a\r\nSet-Cookie: b", b"\0", b"\v"])
@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_a_head_that_no_server_sends_is_status_500_and_not_a_closed_connection(
    app: FastAPI,
    logger: CSVOnlyLogger,
    log_dir: Path,
    http: Http,
    value: bytes,
) -> None:
    @app.get("/")
    async def answer() -> Response:
        return Response("hello", headers={"X-Title": value.decode()})

    assert_answered(ask(CaptureMiddleware(app, logger.recorder), http))

    [row] = rows(log_dir)
    assert (row["response_status"], row["response_body"]) == (500, "Internal Server Error")
    [step] = rows(log_dir, "task_progress_logs")
    assert step["error_message"] == "ValueError: a line break or zero in the header x-title"


def test_what_some_server_sends_in_a_header_is_left_to_the_server(
    app: FastAPI, client: Client
) -> None:
    @app.get("/")
    async def answer() -> Response:
        return Response(headers={"X-Title": "a\t\x1b\x80\xff"})

    assert client.request() == 200
    assert client.sent[0]["headers"][0] == (b"x-title", b"a\t\x1b\x80\xff")


def test_a_stream_that_is_cancelled_on_its_way_is_no_failure_of_the_app(
    logger: CSVOnlyLogger, log_dir: Path
) -> None:
    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"some", "more_body": True})
        await wait_for_who_is_cancelled()

    with pytest.raises(asyncio.CancelledError):
        Client(CaptureMiddleware(stream, logger.recorder), log_dir).request()

    assert [row["response_status"] for row in rows(log_dir)] == [499]
    assert rows(log_dir, "task_progress_logs") == []


def test_a_server_that_takes_no_answer_any_more_hears_the_apps_own_exception(
    logger: CSVOnlyLogger, log_dir: Path
) -> None:
    async def refuse(message: Message) -> None:
        raise OSError("closed")

    async def fail(*_: object) -> None:
        raise LookupError("of its own")

    async def call() -> None:
        scope: Scope = {"type": "http", "method": "GET", "path": "/", "http_version": "1.1"}
        scope.update(query_string=b"", headers=[])
        await CaptureMiddleware(fail, logger.recorder)(scope, cast("Any", None), refuse)

    with pytest.raises(LookupError):
        asyncio.run(call())

    assert [row["response_status"] for row in rows(log_dir)] == [500]
