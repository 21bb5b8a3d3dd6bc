"""Every request leaves its row before its response is whole, and is not disturbed by that."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import PlainTextResponse, StreamingResponse

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.capture.middleware import CaptureMiddleware
from app.lib.tracelog.short_turns import latest_request
from app.lib.tracelog.trace import current_trace
from tests.lib.tracelog.capture.client import UUID, Client, Message, rows


def test_a_request_is_recorded_with_all_its_columns(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.post("/things/{number}")
    async def make(number: int, request: Request) -> dict[str, int]:
        trace = current_trace()
        assert trace
        trace.user_id = 42
        await request.body()
        return {"number": number}

    client.request(
        "POST",
        "/things/7",
        body=b'{"name": "\xe6\x9d\xb1\xe4\xba\xac"}',
        headers={"Content-Type": "application/json", "User-Agent": "test"},
        query="q=1",
    )

    [row] = rows(log_dir)
    assert client.row_came_first
    assert row["trace_id"] == client.header("x-trace-id")
    assert (row["method"], row["endpoint"], row["response_status"]) == ("POST", "/things/7", 200)
    assert row["request_header"] == {
        "content-type": "application/json",
        "user-agent": "test",
        ":route": "/things/{number}",
        ":query": "q=1",
        ":http_version": "1.1",
    }
    assert row["request_body"] == {"name": "東京"}
    assert row["response_body"] == {"number": 7}
    assert (row["ip_address"], row["user_id"]) == ("192.0.2.7", 42)
    assert row["duration_ms"] >= 0


def test_a_trace_id_is_adopted_or_replaced_and_always_answered(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    client.request(headers={"X-Trace-Id": UUID})
    assert client.header("x-trace-id") == UUID
    client.request(headers={"X-Trace-Id": "<script>"})
    assert client.header("x-trace-id") != "<script>"
    assert [row["trace_id"] for row in rows(log_dir)] == [UUID, client.header("x-trace-id")]


def test_an_app_that_sends_the_same_head_each_time_is_answered_with_the_id_of_each_request(
    logger: CSVOnlyLogger, log_dir: Path
) -> None:
    head = {"type": "http.response.start", "status": 204, "headers": [(b"x-trace-id", b"own")]}

    async def send_head(scope: Message, receive: object, send: Callable[..., Any]) -> None:
        await send(head)
        await send({"type": "http.response.body"})

    captured = CaptureMiddleware(send_head, logger.recorder)
    clients = [Client(captured, log_dir) for _ in range(3)]
    ids = [UUID[:-1] + str(number) for number in range(3)]

    async def call() -> None:
        calls = zip(clients, ids, strict=True)
        await asyncio.gather(*(each.call(headers={"X-Trace-Id": i}) for each, i in calls))

    asyncio.run(call())

    assert [each.header("x-trace-id") for each in clients] == ids
    assert head["headers"] == [(b"x-trace-id", b"own")]


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304), ("GET", 303)]
)
def test_a_response_without_a_body_is_recorded_before_its_head_leaves(
    app: FastAPI, client: Client, method: str, status: int
) -> None:
    @app.api_route("/", methods=["GET", "HEAD"])
    async def answer() -> PlainTextResponse:
        body = "text" if method == "HEAD" else ""
        return PlainTextResponse(body, status, headers={"Location": "/x"})

    client.request(method)

    assert client.rows_when_sent[0] == 1


def test_a_stream_passes_chunk_by_chunk_and_is_recorded_before_its_end(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.get("/")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(5):
                # What was yielded before has reached the server by now.
                yield str(len(client.sent)).encode()

        return StreamingResponse(chunks(), media_type="text/plain")

    client.request()

    assert [m.get("body") for m in client.sent[1:]] == [b"1", b"2", b"3", b"4", b"5", b""]
    assert client.rows_when_sent == [0, 0, 0, 0, 0, 0, 1]
    assert rows(log_dir)[0]["response_body"] == "12345"


def test_a_stream_of_known_length_is_recorded_before_its_last_byte(
    app: FastAPI, client: Client
) -> None:
    @app.get("/")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"12"
            yield b"34"

        return StreamingResponse(chunks(), headers={"Content-Length": "4"})

    client.request()

    assert client.rows_when_sent == [0, 0, 1, 1]


def test_a_response_that_ends_before_its_length_is_not_whole(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    """Whoever waits for the rest gets an error of the connection."""

    @app.get("/")
    async def short() -> StreamingResponse:
        return StreamingResponse(iter([b"12"]), headers={"Content-Length": "4"})

    client.request()

    assert rows(log_dir)[0]["response_body"] == {":type": "", ":cut": 2}


@pytest.mark.parametrize(
    "path", ["/static/app.css", "/healthz", "/readyz", "/favicon.ico", "/logs"]
)
def test_what_nobody_looks_for_leaves_no_row_unless_it_fails(
    app: FastAPI, client: Client, log_dir: Path, path: str
) -> None:
    broken = [False]

    @app.get(path)
    async def answer() -> str:
        if broken[0]:
            raise RuntimeError("broken")
        return "ok"

    client.request(path=path)
    assert client.header("x-trace-id")
    assert rows(log_dir) == []

    broken[0] = True
    with pytest.raises(RuntimeError):
        client.request(path=path)
    assert [row["response_status"] for row in rows(log_dir)] == [500]


def test_a_path_that_only_begins_like_a_skipped_one_is_recorded(
    client: Client, log_dir: Path
) -> None:
    client.request(path="/logship")
    assert [row["endpoint"] for row in rows(log_dir)] == ["/logship"]


def test_a_length_that_is_no_number_of_bytes_disturbs_nothing(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.get("/")
    async def answer() -> PlainTextResponse:
        return PlainTextResponse("hello", headers={"Content-Length": "9" * 5000})

    assert client.request() == 200
    assert [row["response_body"] for row in rows(log_dir)] == ["hello"]


def test_a_client_that_leaves_is_status_499(app: FastAPI, client: Client, log_dir: Path) -> None:
    @app.get("/")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            while True:
                yield b"x"
                await asyncio.sleep(0)

        return StreamingResponse(chunks())

    client.request(leaves_after=3)

    assert [row["response_status"] for row in rows(log_dir)] == [499]
    assert rows(log_dir, "task_progress_logs") == []


def test_a_file_that_the_server_sends_by_its_path_is_recorded_before_it_leaves(
    logger: CSVOnlyLogger, log_dir: Path
) -> None:
    async def send_file(scope: Message, receive: object, send: Callable[..., Any]) -> None:
        headers = [(b"content-type", b"image/png"), (b"content-length", b"5000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.pathsend", "path": "/a/file"})

    client = Client(CaptureMiddleware(send_file, logger.recorder), log_dir)
    client.request()

    assert client.row_came_first
    [row] = rows(log_dir)
    assert row["response_status"] == 200
    assert row["response_body"] == {":type": "image/png", ":size": 5000}


@pytest.mark.parametrize("answer", ["websocket.accept", "websocket.http.response.start"])
def test_what_a_websocket_sets_off_is_one_trace(
    logger: CSVOnlyLogger, log_dir: Path, answer: str
) -> None:
    sent: list[Message] = []

    async def chat(scope: Message, receive: object, send: Callable[..., Any]) -> None:
        await send({"type": answer})
        for name in ("Hear", "Answer"):
            with logger.task(name) as task, task.step("Think"):
                await send({"type": "websocket.send", "text": name})

    async def send(message: Message) -> None:
        sent.append(message)

    async def call() -> None:
        scope = {"type": "websocket", "path": "/", "headers": [(b"x-trace-id", UUID.encode())]}
        await CaptureMiddleware(chat, logger.recorder)(scope, cast("Any", None), send)

    asyncio.run(call())

    assert sent[0]["headers"] == [(b"x-trace-id", UUID.encode())]
    assert {step["trace_id"] for step in rows(log_dir, "task_progress_logs")} == {UUID}
    assert rows(log_dir) == []


@pytest.mark.parametrize("fails", [False, True])
def test_the_delivery_waits_for_a_request_until_it_has_ended(
    app: FastAPI, client: Client, *, fails: bool
) -> None:
    waited_for: list[float] = []

    @app.get("/")
    async def answer() -> str:
        waited_for.append(latest_request.began)
        if fails:
            raise RuntimeError
        return "ok"

    with pytest.raises(RuntimeError) if fails else nullcontext():
        client.request()

    assert waited_for[0] > 0
    assert latest_request.began == 0


def test_the_delivery_waits_for_the_request_that_came_last(app: FastAPI, client: Client) -> None:
    came_later = time.perf_counter() * 2

    @app.get("/")
    async def answer() -> str:
        latest_request.began = came_later
        return "ok"

    client.request()

    assert latest_request.began == came_later
    latest_request.began = 0.0


def test_background_work_does_not_count_into_the_duration(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    seen: list[int] = []

    @app.get("/")
    async def answer(background: BackgroundTasks) -> str:
        background.add_task(lambda: seen.append(len(rows(log_dir))))
        return "ok"

    client.request()

    assert seen == [1]


def test_work_after_the_response_belongs_to_the_same_trace(
    app: FastAPI, client: Client, logger: CSVOnlyLogger, log_dir: Path
) -> None:
    @app.get("/")
    async def answer(background: BackgroundTasks) -> str:
        background.add_task(work)
        return "ok"

    def work() -> None:
        with logger.task("Later") as task, task.step("Send"):
            pass

    client.request(headers={"X-Trace-Id": UUID})

    steps = rows(log_dir, "task_progress_logs")
    assert [(s["status"], s["trace_id"]) for s in steps] == [("START", UUID), ("SUCCESS", UUID)]


def test_requests_go_on_when_the_log_folder_cannot_be_written(app: FastAPI, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    logger = CSVOnlyLogger(blocked / "logs")

    @app.get("/")
    async def answer() -> str:
        return "ok"

    client = Client(CaptureMiddleware(app, logger.recorder), tmp_path)

    assert client.request() == 200
    assert logger.recorder.tally.totals().dropped == 1
