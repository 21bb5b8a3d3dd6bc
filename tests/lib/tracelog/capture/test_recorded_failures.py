"""Whatever ends a request badly is a failed step beside its row."""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.capture.asgi import ASGIApp, Receive, Scope, Send
from app.lib.tracelog.capture.middleware import CaptureMiddleware
from tests.lib.tracelog.capture.client import UUID, Client, rows


def test_an_unhandled_exception_is_a_failed_step_with_its_stack_before_the_500_leaves(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.get("/orders/{number}")
    async def show(number: int) -> None:
        raise LookupError(f"no order {number}; password=hunter2hunter2")

    with pytest.raises(LookupError):
        client.request(path="/orders/7", headers={"X-Trace-Id": UUID})

    assert client.row_came_first
    [step] = rows(log_dir, "task_progress_logs")
    [row] = rows(log_dir)
    assert row["response_status"] == 500
    assert step["trace_id"] == row["trace_id"] == client.header("x-trace-id") == UUID
    assert (step["task_name"], step["step_name"]) == ("HTTP", "/orders/{number}")
    assert step["status"] == "FAILED"
    assert step["error_message"].startswith("LookupError: no order 7")
    assert "in show\n" in step["stack_trace"]
    assert "hunter2" not in step["error_message"] + step["stack_trace"]


def test_an_answered_500_has_a_failed_step_too_and_a_404_has_none(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.get("/down")
    async def down() -> None:
        raise HTTPException(503)

    client.request(path="/down")
    client.request(path="/missing")

    assert [row["response_status"] for row in rows(log_dir)] == [503, 404]
    [step] = rows(log_dir, "task_progress_logs")
    assert (step["step_name"], step["error_message"]) == ("/down", "HTTP 503")


def test_what_an_answered_5xx_was_raised_from_is_told(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    async def ask_upstream() -> None:
        raise TimeoutError("no answer from upstream")

    @app.get("/down")
    async def down() -> None:
        try:
            await ask_upstream()
        except TimeoutError as error:
            raise HTTPException(502) from error

    client.request(path="/down")

    [step] = rows(log_dir, "task_progress_logs")
    assert step["error_message"] == "TimeoutError: no answer from upstream"
    assert "in down\n" in step["stack_trace"]


def test_an_exception_is_told_also_where_somebody_outside_has_answered_it_afterwards(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.get("/down")
    async def down() -> None:
        raise TimeoutError("no answer from upstream")

    class Answering:
        def __init__(self, app: ASGIApp) -> None:
            self._app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            with suppress(TimeoutError):
                await self._app(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b"later"})

    # It stands outside of what notes exceptions.
    app.add_middleware(Answering)
    assert client.request(path="/down") == 503

    [step] = rows(log_dir, "task_progress_logs")
    assert step["error_message"] == "TimeoutError: no answer from upstream"
    assert "in down\n" in step["stack_trace"]


def test_the_cause_of_an_answered_5xx_is_told_also_where_a_step_has_failed_before(
    app: FastAPI, client: Client, logger: CSVOnlyLogger, log_dir: Path
) -> None:
    @app.get("/down")
    async def down() -> None:
        with logger.task("Ask") as task, suppress(ConnectionError), task.step("First"):
            raise ConnectionError("try another")
        try:
            int("no number")
        except ValueError as error:
            raise HTTPException(502) from error

    client.request(path="/down")

    failed = [s for s in rows(log_dir, "task_progress_logs") if s["status"] == "FAILED"]
    assert [(step["step_name"], step["error_message"]) for step in failed] == [
        ("First", "ConnectionError: try another"),
        ("/down", "ValueError: invalid literal for int() with base 10: 'no number'"),
    ]


def test_a_mounted_app_is_recorded_with_its_whole_route_and_its_exceptions(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    mounted = FastAPI()
    app.mount("/shop", mounted)

    @mounted.get("/orders/{number}")
    async def show(number: int) -> None:
        raise LookupError(f"no order {number}")

    with pytest.raises(LookupError):
        client.request(path="/shop/orders/7")

    [row] = rows(log_dir)
    assert row["endpoint"] == "/shop/orders/7"
    assert row["request_header"][":route"] == "/shop/orders/{number}"
    [step] = rows(log_dir, "task_progress_logs")
    assert step["step_name"] == "/shop/orders/{number}"
    assert step["error_message"] == "LookupError: no order 7"
    assert "in show\n" in step["stack_trace"]


def test_background_work_that_fails_is_a_failed_step_of_its_request(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    def fail() -> None:
        raise LookupError("nobody there")

    @app.get("/send")
    async def answer(background: BackgroundTasks) -> str:
        background.add_task(fail)
        return "ok"

    with pytest.raises(LookupError):
        client.request(path="/send")

    [row] = rows(log_dir)
    [step] = rows(log_dir, "task_progress_logs")
    assert row["response_status"] == 200
    assert (step["trace_id"], step["step_name"]) == (row["trace_id"], "/send")
    assert step["error_message"] == "LookupError: nobody there"


def test_background_work_that_fails_is_told_also_where_it_has_seen_that_the_response_is_over(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.get("/")
    async def answer(request: Request, background: BackgroundTasks) -> str:
        async def fail() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            raise LookupError("nobody there")

        background.add_task(fail)
        return "ok"

    with pytest.raises(LookupError):
        client.request(leaves_after=2)

    assert [row["response_status"] for row in rows(log_dir)] == [200]
    [step] = rows(log_dir, "task_progress_logs")
    assert step["error_message"] == "LookupError: nobody there"


def test_background_work_that_wants_to_end_the_process_is_told(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.get("/")
    async def answer(background: BackgroundTasks) -> str:
        async def fail() -> None:
            raise SystemExit("no way on")

        background.add_task(fail)
        return "ok"

    with pytest.raises(SystemExit):
        client.request()

    [step] = rows(log_dir, "task_progress_logs")
    assert step["error_message"] == "SystemExit: no way on"


@pytest.mark.parametrize(
    ("content_type", "shown"),
    [
        (b"text/plain", {":text": "one", ":cut": 7}),
        (b"image/png", {":type": "image/png", ":cut": 7}),
    ],
)
def test_a_response_that_the_app_does_not_complete_is_a_failed_step_and_says_that_it_was_cut(
    logger: CSVOnlyLogger, log_dir: Path, content_type: bytes, shown: object
) -> None:
    async def stop_early(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", content_type)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"one two", "more_body": True})

    Client(CaptureMiddleware(stop_early, logger.recorder), log_dir).request()

    [row] = rows(log_dir)
    assert (row["response_status"], row["response_body"]) == (200, shown)
    [step] = rows(log_dir, "task_progress_logs")
    assert (step["status"], step["error_message"]) == ("FAILED", "The response was not completed.")


def test_a_stream_that_breaks_is_recorded_with_its_exception(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.get("/")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"some"
            raise RuntimeError("broke off")

        return StreamingResponse(chunks())

    with pytest.raises(RuntimeError):
        client.request()

    assert len(rows(log_dir)) == 1
    assert rows(log_dir, "task_progress_logs")[0]["error_message"] == "RuntimeError: broke off"
