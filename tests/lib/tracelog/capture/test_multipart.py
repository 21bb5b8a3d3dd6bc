"""Of a form with files the log has names, types and sizes, however large it is."""

from itertools import pairwise
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.capture.middleware import CaptureMiddleware
from app.lib.tracelog.capture.multipart import MAX_PARTS, Part, Parts
from tests.lib.tracelog.capture.client import Client, rows

HEADERS = {"Content-Type": 'multipart/form-data; charset=utf-8; boundary="b"'}
FILE = b"\x89PNG\r\n--bb\r\n\r\n" * 5000
"""Lines of it begin as a delimiter does."""


def field(name: str, value: bytes) -> bytes:
    return (
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
    )


def file(name: str, filename: str, content: bytes) -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
    return f"{head}Content-Type: image/png\r\n\r\n".encode() + content + b"\r\n"


FORM = (
    field("title", b"milk")
    + file("photo", "a.png", FILE)
    + field("note", b"beyond what is kept")
    + field("password", b"hunter2hunter2")
    + file("empty", "", b"")
    + b"--b--\r\n"
)


@pytest.fixture
def reader(app: FastAPI) -> FastAPI:
    @app.post("/")
    async def read(request: Request) -> int:
        return len(await request.body())

    return app


@pytest.mark.parametrize("size", [len(FORM), 16_384, 1000, 3])
def test_files_that_are_larger_than_what_is_kept_have_their_sizes(
    size: int, reader: FastAPI, client: Client, log_dir: Path
) -> None:
    chunks = [FORM[at : at + size] for at in range(0, len(FORM), size)]

    client.request("POST", body=chunks, headers=HEADERS)

    assert rows(log_dir)[0]["request_body"] == {
        "title": "milk",
        "photo": {":file": "a.png", ":type": "image/png", ":size": len(FILE)},
        "note": {":cut": 19},
        "password": "[redacted]",
        "empty": {":file": "", ":type": "image/png", ":size": 0},
        ":cut": len(FORM),
    }


def test_a_file_whose_end_did_not_come_has_no_size(
    reader: FastAPI, client: Client, log_dir: Path
) -> None:
    client.request("POST", body=FORM[:50_000], headers=HEADERS)

    assert rows(log_dir)[0]["request_body"]["photo"] == {
        ":file": "a.png",
        ":type": "image/png",
        ":cut": True,
    }


def test_a_form_within_a_file_is_none_of_its_fields(
    reader: FastAPI, client: Client, log_dir: Path
) -> None:
    inner = field("inner", b"of the file").replace(b"--b", b"--bb")

    client.request("POST", body=file("mail", "a.eml", inner) + b"--b--", headers=HEADERS)

    assert rows(log_dir)[0]["request_body"] == {
        "mail": {":file": "a.eml", ":type": "image/png", ":size": len(inner)}
    }


def test_where_no_bodies_are_kept_neither_are_the_names_of_files(
    app: FastAPI, reader: FastAPI, logger: CSVOnlyLogger, log_dir: Path
) -> None:
    client = Client(CaptureMiddleware(app, logger.recorder, body_bytes=0), log_dir)

    client.request("POST", body=FORM, headers=HEADERS)

    assert rows(log_dir)[0]["request_body"] == {":cut": len(FORM)}


def test_of_parts_without_number_only_some_are_kept_in_memory() -> None:
    parts = Parts(b"b")
    parts.feed(b"", keep=True)
    for number in range(10 * MAX_PARTS):
        parts.feed(field(f"n{number}", b"x" * 100), keep=False)

    found = parts.end()

    assert parts.count == 10 * MAX_PARTS
    assert 100 < len(found) < MAX_PARTS


PIECES = (b"--b", b"--b--", b"\r\n", b"\r\n\r\n", b"--", b"b", b" ", b"name: x", b"\r", b"-")


@given(st.lists(st.sampled_from(PIECES)), st.data())
def test_where_the_pieces_of_a_body_end_changes_nothing(
    pieces: list[bytes], data: st.DataObject
) -> None:
    body = b"--b\r\n" + b"".join(pieces)

    def read(chunks: list[bytes]) -> list[Part]:
        parts = Parts(b"b")
        for chunk in chunks:
            parts.feed(chunk, keep=True)
        return parts.end()

    ends = sorted(data.draw(st.sets(st.integers(0, len(body)))) | {0, len(body)})

    assert read([body[a:b] for a, b in pairwise(ends)]) == read([body])
