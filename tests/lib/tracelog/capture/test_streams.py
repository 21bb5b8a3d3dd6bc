"""What is large or slow passes through: chunk by chunk, at once, and without being gathered."""

import asyncio
import json
import tracemalloc
import uuid
from collections.abc import AsyncIterator, Coroutine, Generator, Iterator, MutableMapping
from contextlib import nullcontext
from pathlib import Path
from types import coroutine
from typing import Any, cast

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.capture.asgi import ASGIApp, Receive, Scope, Send
from app.lib.tracelog.capture.middleware import CaptureMiddleware
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS
from app.lib.tracelog.trace import current_trace, new_trace_id
from tests.lib.tracelog.capture.client import Http, scope_of, served
from tests.lib.tracelog.rows import read_all

Message = MutableMapping[str, Any]

CHUNK = b"x" * (1 << 20)
GIGABYTE = 1024
TEXT = {"content-type": "text/plain"}


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[CSVOnlyLogger]:
    logger = CSVOnlyLogger(tmp_path)
    yield logger
    logger.close()


def recorded(logger: CSVOnlyLogger) -> dict[str, Any]:
    """The one row of the log, its JSON read."""
    table = TABLES[API_LOGS]
    [row], bad = read_all(logger.recorder.log_dir, table)
    assert not bad
    named: dict[str, Any] = dict(zip(table.column_names, row, strict=True))
    for name in ("request_body", "response_body"):
        named[name] = json.loads(named[name]) if named[name] else None
    return named


async def consume(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def produce(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(GIGABYTE):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize(
    ("app", "column", "content_type"),
    [
        (consume, "request_body", "text/plain"),
        (consume, "request_body", "multipart/form-data; boundary=b"),
        (produce, "response_body", ""),
    ],
    ids=["up", "form", "down"],
)
def test_a_gigabyte_adds_less_than_a_megabyte_of_memory(
    logger: CSVOnlyLogger, app: ASGIApp, column: str, content_type: str
) -> None:
    left = GIGABYTE if app is consume else 0

    async def receive() -> Message:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": CHUNK if left >= 0 else b"", "more_body": left > 0}

    async def send(message: Message) -> None:
        pass

    async def call() -> None:
        scope = scope_of(headers={"content-type": content_type})
        await CaptureMiddleware(app, logger.recorder)(scope, receive, send)

    tracemalloc.start()
    try:
        asyncio.run(call())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert recorded(logger)[column][":cut"] == 1 << 30
    assert peak < 1 << 20


def test_an_upload_reaches_the_app_as_it_comes(logger: CSVOnlyLogger) -> None:
    seen: list[bytes] = []
    seen_when_sent: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            seen.append(message["body"])
        await consume(scope, receive, send)

    async def receive() -> Message:
        seen_when_sent.append(len(seen))
        number = len(seen_when_sent)
        return {"type": "http.request", "body": b"%d" % number, "more_body": number < 3}

    async def send(message: Message) -> None:
        pass

    asyncio.run(CaptureMiddleware(app, logger.recorder)(scope_of(headers=TEXT), receive, send))

    assert seen_when_sent[:3] == [0, 1, 2]
    assert recorded(logger)["request_body"] == "1234"


def test_server_sent_events_leave_one_by_one(logger: CSVOnlyLogger) -> None:
    app = FastAPI()
    sent: list[bytes] = []
    sent_when_made: list[int] = []

    @app.get("/events", response_class=EventSourceResponse)
    async def events() -> Any:
        for number in range(3):
            sent_when_made.append(len([chunk for chunk in sent if b"event-" in chunk]))
            yield ServerSentEvent(raw_data=f"event-{number}")
            # What was yielded goes through a queue of FastAPI's own.
            await asyncio.sleep(0.05)

    async def receive() -> Message:
        if not received:
            received.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            sent.append(message["body"])

    received: list[bool] = []

    async def call() -> None:
        await CaptureMiddleware(app, logger.recorder)(scope_of("GET", "/events"), receive, send)

    asyncio.run(call())

    assert sent_when_made == [0, 1, 2]
    assert recorded(logger)["response_body"] == {
        ":type": "text/event-stream",
        ":size": sum(map(len, sent)),
    }


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_a_client_that_leaves_an_app_which_does_not_listen_is_status_499(
    logger: CSVOnlyLogger, caplog: pytest.LogCaptureFixture, http: Http, *, fails: bool
) -> None:
    async def work(scope: Scope, receive: Any, send: Send) -> None:
        at_work.set()
        request = receive.__self__._receive.__self__  # uvicorn's
        while not request.disconnected:
            request.message_event.clear()
            await request.message_event.wait()
        if fails:
            raise LookupError("of its own")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"too late"})

    async def call() -> None:
        app = CaptureMiddleware(work, logger.recorder)
        async with served(app, http) as (state, host, port):
            _, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await at_work.wait()
            writer.close()
            await asyncio.gather(*state.tasks)

    at_work = asyncio.Event()
    asyncio.run(call())

    assert caplog.text == ""
    assert recorded(logger)["response_status"] == 499
    steps, _ = read_all(logger.recorder.log_dir, TABLES[TASK_PROGRESS_LOGS])
    assert len(steps) == fails


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_a_stream_that_the_server_ends_is_none_that_its_client_has_left(
    logger: CSVOnlyLogger, http: Http
) -> None:
    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        await asyncio.Event().wait()

    async def call() -> None:
        app = CaptureMiddleware(stream, logger.recorder)
        async with served(app, http) as (state, host, port):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await reader.readuntil(b"data: 1")
            # As uvicorn does when it has waited long enough for its requests to end.
            for task in state.tasks:
                task.cancel()
            await reader.read()
            writer.close()

    asyncio.run(call())

    row = recorded(logger)
    assert row["response_status"] == 200
    assert row["response_body"] == {":type": "text/event-stream", ":cut": 9}
    assert read_all(logger.recorder.log_dir, TABLES[TASK_PROGRESS_LOGS]) == ([], [])


@pytest.mark.parametrize("sent", [2, 4])
def test_a_client_that_is_gone_when_something_is_sent_is_no_failure(
    logger: CSVOnlyLogger, sent: int
) -> None:
    left = sent
    app = FastAPI()

    @app.get("/")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"one "
            yield b"two "

        return StreamingResponse(chunks(), media_type="text/plain")

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError("the client is gone")

    async def call() -> None:
        scope = scope_of("GET")
        scope["asgi"]["spec_version"] = "2.4"
        await CaptureMiddleware(app, logger.recorder)(scope, receive, send)

    with pytest.raises(ClientDisconnect):
        asyncio.run(call())

    # What was complete when it was recorded stays so.
    assert recorded(logger)["response_status"] == (499 if sent == 2 else 200)
    assert read_all(logger.recorder.log_dir, TABLES[TASK_PROGRESS_LOGS]) == ([], [])


def test_a_client_that_leaves_during_its_upload_is_status_499(logger: CSVOnlyLogger) -> None:
    app = FastAPI()

    @app.post("/")
    async def upload(request: Request) -> int:
        return len(await request.body())

    incoming: list[Message] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b"half of it", "more_body": True},
    ]

    async def receive() -> Message:
        return incoming.pop()

    async def send(message: Message) -> None:
        pass

    async def call() -> None:
        await CaptureMiddleware(app, logger.recorder)(scope_of(headers=TEXT), receive, send)

    # Starlette's, which uvicorn knows.
    with pytest.raises(ClientDisconnect):
        asyncio.run(call())

    row = recorded(logger)
    assert row["response_status"] == 499
    assert row["request_body"] == {":text": "half of", ":cut": 10}
    assert read_all(logger.recorder.log_dir, TABLES[TASK_PROGRESS_LOGS]) == ([], [])


@pytest.mark.parametrize("fails", [True, False])
def test_nobody_answers_a_client_of_whom_the_app_has_seen_that_it_is_gone(
    logger: CSVOnlyLogger, caplog: pytest.LogCaptureFixture, *, fails: bool
) -> None:
    async def listen(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.disconnect"
        if fails:
            raise ClientDisconnect

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pytest.fail("it is gone")

    async def call() -> None:
        with pytest.raises(ClientDisconnect) if fails else nullcontext():
            await CaptureMiddleware(listen, logger.recorder)(scope_of(), receive, send)

    asyncio.run(call())

    assert caplog.text == ""
    assert recorded(logger)["response_status"] == 499
    assert read_all(logger.recorder.log_dir, TABLES[TASK_PROGRESS_LOGS]) == ([], [])


@coroutine
def forever() -> Generator[None, None, None]:
    yield


def test_a_request_whose_event_loop_is_gone_is_status_499_and_no_failure(
    logger: CSVOnlyLogger,
) -> None:
    async def listen(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    async def receive() -> Message:
        await forever()
        return {}

    async def send(message: Message) -> None:
        await forever()

    request = CaptureMiddleware(listen, logger.recorder)(scope_of(), receive, send)
    cast("Coroutine[None, None, None]", request).send(None)
    # As Python does with what nobody goes on with.
    cast("Coroutine[None, None, None]", request).close()

    assert recorded(logger)["response_status"] == 499
    assert read_all(logger.recorder.log_dir, TABLES[TASK_PROGRESS_LOGS]) == ([], [])


def test_routes_threads_and_tasks_share_the_trace_of_their_request(logger: CSVOnlyLogger) -> None:
    app = FastAPI()
    found: list[str] = []

    def note() -> None:
        trace = current_trace()
        assert trace
        found.append(trace.trace_id)

    @app.get("/")
    def in_a_thread() -> None:
        note()

    @app.get("/more")
    async def in_a_task() -> None:
        await asyncio.gather(asyncio.to_thread(note), run_in_threadpool(note))

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            told.append(dict(message["headers"])[b"x-trace-id"].decode())

    told: list[str] = []

    async def call() -> None:
        capture = CaptureMiddleware(app, logger.recorder)
        await capture(scope_of("GET"), receive, send)
        await capture(scope_of("GET", "/more"), receive, send)

    asyncio.run(call())

    assert found == [told[0], told[1], told[1]]
    assert told[0] != told[1]


def test_a_new_trace_id_is_a_random_uuid() -> None:
    ids = {new_trace_id() for _ in range(1000)}
    assert len(ids) == 1000
    for text in ids:
        parsed = uuid.UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)
