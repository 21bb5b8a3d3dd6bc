"""Of a form with files the log has names, types and sizes, however large it is."""

import json
import re
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from itertools import pairwise
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from hypothesis import assume, given
from hypothesis import strategies as st

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.capture.bodies import body_json
from app.lib.tracelog.capture.middleware import CaptureMiddleware
from app.lib.tracelog.capture.multipart import MAX_PARTS, Part, Parts, parameters
from app.lib.tracelog.redaction.redactor import Redactor
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


def shown(body: bytes, content_type: str = "multipart/form-data; boundary=b") -> object:
    raw = body_json(Redactor(), content_type.encode(), body, total=len(body), cap=16_384)
    return json.loads(raw or b"null")


@pytest.mark.parametrize(
    "parameters",
    [
        "; boundary=b",
        "; Boundary = b",
        "; xboundary=c; boundary=b",
        '; x="; boundary=c"; boundary=b',
        "; boundary=c; boundary=b",
        '; boundary="b"; charset=utf-8',
    ],
)
def test_a_form_is_read_by_the_boundary_that_the_app_takes(parameters: str) -> None:
    body = field("title", b"milk") + b"--b--"
    assert shown(body, f"multipart/form-data{parameters}") == {"title": "milk"}


def test_a_boundary_may_have_commas_and_quotation_marks() -> None:
    body = field("title", b"milk").replace(b"--b", b'--"a", b') + b'--"a", b--'
    content_type = r'multipart/form-data; boundary="\"a\", b"'
    assert shown(body, content_type) == {"title": "milk"}


@pytest.mark.parametrize("step", [1, 100_000])
def test_what_follows_the_end_of_a_form_is_none_of_its_fields(step: int) -> None:
    body = field("title", b"milk") + b"--b--\r\n" + field("title", b"another") + b"--b--\r\n"
    parts = Parts(b"b")
    for at in range(0, len(body), step):
        parts.feed(body[at : at + step], keep=True)

    assert [bytes(part.content) for part in parts.end()] == [b"milk"]


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_each_end_of_a_line_counts_with_the_bytes_that_it_has(end: bytes) -> None:
    body = field("note", b"one\r\ntwo") + file("photo", "a.png", b"1\r\n2\r\n") + b"--b--\r\n"
    size = len(b"1\r\n2\r\n".replace(b"\r\n", end))
    assert shown(body.replace(b"\r\n", end)) == {
        "note": b"one\r\ntwo".replace(b"\r\n", end).decode(),
        "photo": {":file": "a.png", ":type": "image/png", ":size": size},
    }


@pytest.mark.parametrize("step", [1, 3, 100_000])
def test_a_part_whose_head_is_too_long_is_counted_and_not_shown(step: int) -> None:
    parts, body = Parts(b"b"), b""
    head = b'--b\r\nContent-Disposition: form-data; name="a"; x='
    for length in (5000, 4051, 4050):
        body += head + b"x" * length + b"\r\n\r\nhunter2\r\n"
    body += field("title", b"milk") + b"--b--"
    for at in range(0, len(body), step):
        parts.feed(body[at : at + step], keep=True)

    assert [len(part.head) for part in parts.end()] == [4096, 46]
    assert parts.count == 4


def test_the_name_of_a_field_is_what_the_app_takes_for_it() -> None:
    def found(disposition: str) -> str | None:
        return parameters(f"form-data; {disposition}").get("name")

    assert found("name=pass word ; x=1") == "pass word"
    assert found('name = "password"') == "password"
    assert found("name*=UTF-8''title; name=password") == "password"
    assert found("name=password; name*=UTF-8''title") == "password"
    assert found("NAME*=UTF-8''p%61ssword") == "password"


@pytest.mark.parametrize(("length", "is_read"), [(0, False), (1, True), (200, True), (201, False)])
def test_a_form_is_read_whose_boundary_is_none_too_long(length: int, *, is_read: bool) -> None:
    content_type = b'multipart/form-data; boundary="%b"' % (b"x" * length)
    assert (Parts.of(content_type) is not None) == is_read


@pytest.mark.parametrize(
    "disposition",
    ["filename=\"x\"; filename*=UTF-8''%E8%A1%A8", "filename*=UTF-8''%E8%A1%A8; filename=\"x\""],
)
def test_of_two_names_of_a_file_the_one_with_an_encoding_is_shown(disposition: str) -> None:
    assert parameters(f"form-data; {disposition}")["filename"] == "表"


def test_a_body_full_of_what_is_almost_a_delimiter_is_read_in_one_go() -> None:
    parts = Parts(b"b")
    parts.feed(field("a", b"") + b"\r\n--bb" * 50_000, keep=True)
    assert isinstance(parts.found[0].content, bytearray), "which does not grow by being copied"


TEXTS = st.lists(st.sampled_from(("a", " ", '"', "\\", ";", "=", "%22", "name", "'", "."))).map(
    "".join
)
CONTENTS = st.lists(
    st.sampled_from((b"--b", b"--", b"\r\n", b"b", b" ", b"\xff", b"\0", b"x", b":", b"\r\n\r\n"))
).map(b"".join)


@given(
    st.lists(st.tuples(TEXTS, st.none() | TEXTS, CONTENTS), min_size=1, max_size=4),
    st.integers(1, 60),
)
def test_a_form_is_read_as_pythons_own_parser_of_mail_reads_it(
    fields: list[tuple[str, str | None, bytes]], step: int
) -> None:
    def quoted(text: str) -> str:
        return '"' + re.sub(r'([\\"])', r"\\\1", text) + '"'

    body = b""
    for name, filename, content in fields:
        assume(not re.search(rb"\r\n--b(--|[ \t]*(\r\n|\Z))", b"\r\n" + content))
        named = "" if filename is None else f"; filename={quoted(filename)}"
        head = f"Content-Disposition: form-data; name={quoted(name)}{named}"
        body += b"--b\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"
    body += b"--b--\r\n"

    parts = Parts(b"b")
    for at in range(0, len(body), step):
        parts.feed(body[at : at + step], keep=True)
    read = []
    for part in parts.end():
        found = parameters(part.headers()["content-disposition"])
        assert part.complete
        assert part.size == len(part.content)
        read.append((found["name"], found.get("filename"), bytes(part.content)))

    parser: BytesParser[Message] = BytesParser(policy=HTTP)
    mail = parser.parsebytes(b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + body)
    payloads = [each.get_payload(decode=True) for each in mail.walk() if each is not mail]
    assert [content for *_, content in read] == payloads
    assert read == fields


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
