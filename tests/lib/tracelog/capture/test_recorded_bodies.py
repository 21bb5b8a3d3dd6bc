"""What the log keeps of the bodies that pass, and that secrets reach none of it."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI, HTTPException, Request, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, StreamingResponse

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.capture.asgi import ASGIApp, Message, Receive, Scope, Send
from app.lib.tracelog.capture.middleware import CaptureMiddleware
from tests.lib.tracelog.capture.client import Client, rows, scope_of


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


def test_however_much_is_to_be_kept_of_a_body_its_beginning_is(
    app: FastAPI, logger: CSVOnlyLogger, log_dir: Path
) -> None:
    @app.post("/")
    async def read(request: Request) -> int:
        return len(await request.body())

    client = Client(CaptureMiddleware(app, logger.recorder, body_bytes=1 << 20), log_dir)
    numbers = json.dumps(list(range(160_000))).replace(" ", "").encode()

    client.request("POST", body=numbers, headers={"Content-Type": "application/json"})

    first, *_, last = rows(log_dir)[0]["request_body"]
    assert 1_000_000 < len(numbers) < 1 << 20
    assert (first, last) == (0, {":cut": len(numbers)})


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


def test_of_a_body_that_comes_with_a_GET_the_size_is_told(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    client.request(headers={"Content-Type": "application/json", "Content-Length": "9"})

    assert rows(log_dir)[0]["request_body"] == {":cut": 9}


BROKEN = [
    ("application/json", b'{"title":"a","more":"', {"title": "a", ":cut": 21}),
    ("text/plain", b"one two", {":text": "one", ":cut": 7}),
]


@pytest.mark.parametrize(("content_type", "begun", "shown"), BROKEN)
def test_a_body_that_is_not_read_to_its_end_says_so_also_where_no_length_was_announced(
    content_type: str, begun: bytes, shown: object, app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.post("/")
    async def read(request: Request) -> int:
        return len(await anext(request.stream()))

    client.request("POST", body=[begun, b"more"], headers={"Content-Type": content_type})

    assert rows(log_dir)[0]["request_body"] == shown


@pytest.mark.parametrize(("content_type", "begun", "shown"), BROKEN)
def test_a_response_that_breaks_off_says_so(
    content_type: str, begun: bytes, shown: object, app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.get("/")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield begun
            raise RuntimeError("broke off")

        return StreamingResponse(chunks(), headers={"Content-Type": content_type})

    with pytest.raises(RuntimeError):
        client.request()

    assert rows(log_dir)[0]["response_body"] == shown


def test_a_body_of_the_announced_length_is_whole_wherever_its_reader_stops(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.post("/")
    async def read(request: Request) -> int:
        return len(await anext(request.stream()))

    headers = {"Content-Type": "application/json", "Content-Length": "7"}
    client.request("POST", body=[b'{"a":1}', b""], headers=headers)

    assert rows(log_dir)[0]["request_body"] == {"a": 1}


def test_a_length_beside_chunks_is_passed_over(app: FastAPI, client: Client, log_dir: Path) -> None:
    @app.post("/")
    async def read(request: Request) -> int:
        return len(await request.body())

    headers = {"Content-Type": "application/json", "Content-Length": "99999"}
    client.request("POST", body=b'{"a":1}', headers=headers | {"Transfer-Encoding": "chunked"})

    assert rows(log_dir)[0]["request_body"] == {"a": 1}


@pytest.mark.parametrize("length", ["-5", "1e3", "9" * 30, "", "１"])
def test_an_odd_length_of_a_body_that_nobody_reads_is_passed_over(
    length: str, app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.post("/")
    async def refuse() -> None:
        raise HTTPException(403)

    client.request("POST", headers={"Content-Length": length})

    assert rows(log_dir)[0]["request_body"] is None


@pytest.mark.parametrize(
    ("content_type", "shown"),
    [
        ("application/json", {":cut": 0}),
        ("image/png", {":type": "image/png", ":cut": 0}),
    ],
)
def test_of_a_body_in_chunks_that_the_app_does_not_read_the_log_tells_that_there_was_one(
    content_type: str, shown: object, app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.post("/")
    async def refuse() -> None:
        raise HTTPException(403)

    @app.post("/read")
    async def read(request: Request) -> int:
        return len(await request.body())

    headers = {"Content-Type": content_type, "Transfer-Encoding": "chunked"}
    client.request("POST", body=b'{"title":"a"}', headers=headers)
    client.request("POST", "/read", headers=headers)

    assert [row["request_body"] for row in rows(log_dir)] == [shown, None]


def test_the_first_of_two_content_types_counts_as_it_does_for_the_app(
    app: FastAPI, logger: CSVOnlyLogger, log_dir: Path
) -> None:
    @app.post("/")
    async def read(request: Request) -> str:
        return str(await request.json())

    async def twice(scope: Scope, receive: Receive, send: Send) -> None:
        scope["headers"].append((b"content-type", b"image/png"))
        await CaptureMiddleware(app, logger.recorder)(scope, receive, send)

    Client(twice, log_dir).request(
        "POST", body=b'{"title":"a"}', headers={"Content-Type": "application/json"}
    )

    assert rows(log_dir)[0]["request_body"] == {"title": "a"}


def test_a_stream_that_is_left_before_its_first_event_is_known_as_a_stream(
    app: FastAPI, client: Client, log_dir: Path
) -> None:
    @app.get("/")
    async def stream() -> StreamingResponse:
        async def events() -> AsyncIterator[bytes]:
            await asyncio.Event().wait()
            yield b""

        return StreamingResponse(events(), media_type="text/event-stream")

    client.request(leaves_after=1)

    [row] = rows(log_dir)
    shown = {":type": "text/event-stream", ":cut": 0}
    assert (row["response_status"], row["response_body"]) == (499, shown)


def sends(*messages: Message) -> ASGIApp:
    """An app that reads one message and sends these."""

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for message in messages:
            await send(message)

    return app


def head(*headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": 200, "headers": list(headers)}


def test_other_headers_say_nothing_of_the_body(logger: CSVOnlyLogger, log_dir: Path) -> None:
    others = (b"x-total-count", b"0"), (b"x-kind", b"image/png"), (b"x-encoding", b"gzip")
    app = sends(
        head((b"content-type", b"application/json"), *others),
        {"type": "http.response.body", "body": b'{"a":1}'},
    )
    client = Client(CaptureMiddleware(app, logger.recorder), log_dir)

    client.request()

    assert rows(log_dir)[0]["response_body"] == {"a": 1}
    assert client.rows_when_sent == [0, 1]


def test_a_compressed_response_is_told_by_type_size_and_encoding(
    logger: CSVOnlyLogger, log_dir: Path
) -> None:
    body = gzip.compress(b'{"password":"hunter2"}')
    app = sends(
        head((b"content-type", b"application/json"), (b"content-encoding", b"gzip")),
        {"type": "http.response.body", "body": body},
    )

    Client(CaptureMiddleware(app, logger.recorder), log_dir).request()

    shown = {":type": "application/json", ":size": len(body), ":encoding": "gzip"}
    assert rows(log_dir)[0]["response_body"] == shown


def test_what_an_app_sends_beside_a_response_does_not_end_it(
    logger: CSVOnlyLogger, log_dir: Path
) -> None:
    app = sends(
        head((b"content-type", b"application/json"), (b"content-length", b"7")),
        {"type": "http.response.push", "path": "/a.css", "headers": []},
        {"type": "http.response.body", "body": b'{"a":1}'},
    )
    client = Client(CaptureMiddleware(app, logger.recorder), log_dir)

    client.request()

    assert rows(log_dir)[0]["response_body"] == {"a": 1}
    assert client.rows_when_sent == [0, 0, 1]


def test_a_body_of_which_its_server_does_not_say_that_more_comes_is_whole(
    logger: CSVOnlyLogger, log_dir: Path
) -> None:
    app = sends(head(), {"type": "http.response.body"})
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}

    async def receive() -> Message:
        return {"type": "http.request", "body": b'{"a":1}'}

    async def send(_: Message) -> None:
        pass

    asyncio.run(CaptureMiddleware(app, logger.recorder)(scope_of(headers=headers), receive, send))

    assert rows(log_dir)[0]["request_body"] == {"a": 1}


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
