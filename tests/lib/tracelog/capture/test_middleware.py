"""Every request leaves its row before its response is whole, and is not disturbed by that."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, StreamingResponse

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.capture.middleware import CaptureMiddleware, ExceptionNote
from app.lib.tracelog.schema import TABLES
from app.lib.tracelog.short_turns import latest_request
from app.lib.tracelog.trace import current_trace
from tests.lib.tracelog.rows import read_all

Message = MutableMapping[str, Any]
UUID = "6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"


def rows(log_dir: Path, table: str = "api_logs") -> list[dict[str, Any]]:
    found, bad = read_all(log_dir, TABLES[table])
    assert not bad
    named = [dict(zip(TABLES[table].column_names, row, strict=True)) for row in found]
    for row in named:
        for column in TABLES[table].columns:
            if column.kind == "json" and row[column.name] is not None:
                row[column.name] = json.loads(str(row[column.name]))
    return named


@dataclass
class Client:
    """Calls the app as a server does, and looks into the log at every message that it sends."""

    app: Callable[..., Awaitable[None]]
    log_dir: Path
    sent: list[Message] = field(default_factory=list)
    rows_when_sent: list[int] = field(default_factory=list)

    def request(
        self,
        method: str = "GET",
        path: str = "/",
        *,
        body: bytes | list[bytes] = b"",
        headers: dict[str, str] | None = None,
        query: str = "",
        leaves_after: int | None = None,
    ) -> int:
        """The status of the response; the client leaves after so many messages."""
        self.sent, self.rows_when_sent = [], []
        chunks = [body] if isinstance(body, bytes) else body
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
            "client": ("192.0.2.7", 5000),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        incoming = iter(
            {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
            for number, chunk in enumerate(chunks, 1)
        )
        gone = asyncio.Event()

        async def receive() -> Message:
            if (message := next(incoming, None)) is not None:
                return message
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            self.sent.append(message)
            path = self.log_dir / "api_logs.csv"
            self.rows_when_sent.append(path.read_bytes().count(b"\n") - 1 if path.exists() else 0)
            if leaves_after is not None and len(self.sent) >= leaves_after:
                gone.set()

        async def call() -> None:
            await self.app(scope, receive, send)

        asyncio.run(call())
        return int(self.sent[0]["status"]) if self.sent else 0

    def header(self, name: str) -> str:
        values = [v for k, v in self.sent[0]["headers"] if k.lower() == name.encode()]
        assert len(values) == 1
        return str(values[0].decode())

    @property
    def row_came_first(self) -> bool:
        """Whether the row was in the file before the message that completes the response."""
        return self.rows_when_sent[-1] == 1


@pytest.fixture
def log_dir(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def logger(log_dir: Path) -> Iterator[CSVOnlyLogger]:
    logger = CSVOnlyLogger(log_dir)
    yield logger
    logger.close()


@pytest.fixture
def app() -> FastAPI:
    return FastAPI()


@pytest.fixture
def client(app: FastAPI, logger: CSVOnlyLogger, log_dir: Path) -> Client:
    app.add_middleware(ExceptionNote)
    inner: list[Any] = []

    async def call(*args: Any) -> None:
        if not inner:
            inner.append(CaptureMiddleware(app.build_middleware_stack(), logger.recorder))
        await inner[0](*args)

    return Client(call, log_dir)


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


def test_a_file_is_recorded_by_size(
    app: FastAPI, client: Client, log_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.bin").write_bytes(b"\x00\xff" * 100_000)

    @app.get("/")
    async def download() -> FileResponse:
        return FileResponse(tmp_path / "a.bin", media_type="application/octet-stream")

    client.request()

    assert client.row_came_first
    assert rows(log_dir)[0]["response_body"][":size"] == 200_000


def test_of_large_bodies_only_the_beginning_is_kept_and_the_size_told(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.post("/")
    async def upload(request: Request) -> StreamingResponse:
        async for _ in request.stream():
            pass

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(1_000):
                yield b"y" * 1_000

        return StreamingResponse(chunks(), media_type="text/plain")

    client.request("POST", body=[b"x" * 1_000] * 1_000, headers={"Content-Type": "text/plain"})

    [row] = rows(log_dir)
    assert "1000000" in json.dumps(row["request_body"])
    assert "1000000" in json.dumps(row["response_body"])
    assert len(json.dumps(row)) < 40_000


@pytest.mark.parametrize(
    ("content_type", "shown"),
    [
        ("application/json", {":cut": 13}),
        ("application/x-www-form-urlencoded", {":cut": 13}),
        ("text/plain", {":text": "", ":cut": 13}),
        ("multipart/form-data; boundary=b", {":cut": 13}),
        ("image/png", {":type": "image/png", ":size": 13}),
        ("", {":type": "", ":size": 13}),
    ],
)
def test_of_a_body_that_the_app_does_not_read_the_size_is_told(
    content_type: str, shown: object, app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.post("/")
    async def refuse() -> None:
        raise HTTPException(403)

    headers = {"Content-Type": content_type, "Content-Length": "13"}
    client.request("POST", body=b'{"title":"a"}', headers=headers)

    assert rows(log_dir)[0]["request_body"] == shown


def test_what_was_read_of_a_body_is_shown_with_the_size_of_the_whole(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.post("/")
    async def refuse(request: Request) -> None:
        async for _ in request.stream():
            raise HTTPException(413)

    headers = {"Content-Type": "application/json", "Content-Length": "1000"}
    client.request("POST", body=[b'{"title":"a","more":"', b"x" * 979], headers=headers)

    assert rows(log_dir)[0]["request_body"] == {"title": "a", ":cut": 1000}


@pytest.mark.parametrize("length", ["-5", "1e3", "9" * 30, "", "１"])
def test_an_odd_length_of_a_body_that_nobody_reads_is_passed_over(
    length: str, app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.post("/")
    async def refuse() -> None:
        raise HTTPException(403)

    client.request("POST", headers={"Content-Length": length})

    assert rows(log_dir)[0]["request_body"] is None


def test_html_pages_are_recorded_by_size(app: FastAPI, client: Client, log_dir: Path) -> None:
    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return "<h1>hello</h1>"

    client.request()

    assert rows(log_dir)[0]["response_body"] == {":type": "text/html", ":size": 14}


def test_forms_and_uploads_are_recorded_as_fields(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.post("/upload")
    async def upload(picture: UploadFile) -> dict[str, int | None]:
        return {"size": picture.size}

    @app.post("/form")
    async def form(request: Request) -> dict[str, int]:
        return {"fields": len(await request.form())}

    multipart = (
        b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n--b--\r\n"
    )
    client.request(
        "POST",
        "/upload",
        body=multipart,
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    client.request(
        "POST",
        "/form",
        body=b"title=a%20b&password=hunter2hunter2",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    upload_row, form_row = rows(log_dir)
    assert "a.png" in json.dumps(upload_row["request_body"])
    assert form_row["request_body"]["title"] == "a b"
    assert "hunter2" not in (log_dir / "api_logs.csv").read_text()


def test_secrets_reach_neither_headers_nor_query_nor_bodies(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.post("/login")
    async def login(request: Request) -> dict[str, str]:
        await request.body()
        return {"access_token": "s3cr3t-response"}

    client.request(
        "POST",
        "/login",
        query="token=s3cr3t-query&page=2",
        headers={
            "Authorization": "Bearer s3cr3t-header",
            "Cookie": "session=s3cr3t-cookie",
            "Content-Type": "application/json",
        },
        body=b'{"password": "s3cr3t-body", "email": "a@example.com"}',
    )

    text = (log_dir / "api_logs.csv").read_text()
    assert "s3cr3t" not in text
    assert "page=2" in text
    assert "a@example.com" in text


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


def test_a_length_that_is_no_number_of_bytes_disturbs_nothing(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.get("/")
    async def answer() -> PlainTextResponse:
        return PlainTextResponse("hello", headers={"Content-Length": "9" * 5000})

    assert client.request() == 200
    assert [row["response_body"] for row in rows(log_dir)] == ["hello"]


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


def test_an_app_that_answers_nothing_is_status_500_as_its_client_sees(
    logger: CSVOnlyLogger, log_dir: Path
) -> None:
    async def silent(*_: object) -> None:
        pass

    Client(CaptureMiddleware(silent, logger.recorder), log_dir).request()

    assert [row["response_status"] for row in rows(log_dir)] == [500]
    assert [row["error_message"] for row in rows(log_dir, "task_progress_logs")] == ["HTTP 500"]


def test_a_file_that_the_server_sends_by_its_path_is_no_client_that_has_left(
    logger: CSVOnlyLogger, log_dir: Path
) -> None:
    async def send_file(scope: Message, receive: object, send: Callable[..., Any]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.pathsend", "path": "/a/file"})

    Client(CaptureMiddleware(send_file, logger.recorder), log_dir).request()

    assert [row["response_status"] for row in rows(log_dir)] == [200]


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
