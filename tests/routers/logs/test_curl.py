"""A request of the log is copied as the curl command that sends the same again."""

import html
import re
import shlex

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.lib.tracelog.redaction.plain import MARKER
from tests.routers.logs.conftest import TRACE, delivered, keep
from tests.services.log_book import LogBook

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"


async def test_headers_are_sent_as_often_as_they_came_and_a_new_trace_begins(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook()
    headers = {"x-forwarded-for": ["192.0.2.1", "192.0.2.2"], "x-trace-id": TRACE, "accept": "*/*"}
    book.request("/orders", request_header=headers)
    keep(app, book)

    sent = await command(admin)

    each = ["-H", "x-forwarded-for: 192.0.2.1", "-H", "x-forwarded-for: 192.0.2.2"]
    assert sent == ["curl", "http://app.test/orders", *each, "-H", "accept: */*"]


async def test_brackets_and_braces_in_an_address_mean_themselves(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook()
    book.request("/orders/{a,b}", request_header={":query": "n=[1-99]&filter[name]=x"})
    keep(app, book)

    sent = await command(admin)

    assert sent == ["curl", "-g", "http://app.test/orders/{a,b}?n=[1-99]&filter[name]=x"]


async def command(admin: AsyncClient) -> list[str]:
    page = (await admin.get(f"/logs/traces/{TRACE}")).text
    [text] = re.findall(r'<pre id="curl-[^>]*>(.*?)</pre>', page, re.S)
    return shlex.split(html.unescape(text).replace("\\\n", ""))


@pytest.mark.parametrize(
    ("content_type", "body", "arguments"),
    [
        ("application/json", {"a": [1]}, ["--data-raw", '{\n  "a": [\n    1\n  ]\n}']),
        ("text/plain", "@a", ["--data-raw", "@a"]),
        (
            FORM,
            {"title": "a&b", "tag": ["x", "y"], "password": MARKER, "": "="},
            [
                *("--data-urlencode", "title=a&b", "--data-urlencode", "tag=x"),
                *("--data-urlencode", "tag=y", "--data-urlencode", "password=$SECRET"),
                *(
                    "--data-raw",
                    "=%3D",
                ),
            ],
        ),
        (FORM, {"a b&c": "@d"}, ["--data-urlencode", "a+b%26c=@d"]),
        (FORM, {"title": "a", ":cut": 20_000}, ["--data-raw", "$BODY"]),
        (
            MULTIPART,
            {
                "title": "@a",
                "photo": {":file": 'a".png', ":type": "image/png", ":size": 3},
                "note": {":cut": 20_000},
            },
            [
                *("--form-string", "title=@a"),
                *("-F", r'photo=@"a\".png";type=image/png'),
                *("--form-string", "note=$NOTE"),
            ],
        ),
        (MULTIPART, {":type": "multipart/form-data", ":size": 3}, ["--data-raw", "$BODY"]),
        ("application/json", {"a": 1, ":cut": 20_000}, ["--data-raw", "$BODY"]),
        ("application/json", [1, {":cut": 20_000}], ["--data-raw", "$BODY"]),
        ("application/json", {":unreadable": 9}, ["--data-raw", "$BODY"]),
        ("text/plain", {":text": "a", ":cut": 20_000}, ["--data-raw", "$BODY"]),
        ("image/png", {":type": "image/png", ":size": 9}, ["--data-raw", "$BODY"]),
    ],
)
async def test_a_body_is_sent_as_its_type_says_and_never_what_the_log_notes_of_it(
    app: FastAPI, admin: AsyncClient, content_type: str, body: object, arguments: list[str]
) -> None:
    delivered(app)
    book = LogBook()
    headers = {"content-type": content_type}
    book.request("/orders", method="POST", request_header=headers, request_body=body)
    keep(app, book)

    sent = await command(admin)

    start = ["curl", "http://app.test/orders", "-X", "POST"]
    # curl draws a boundary of its own.
    own = [] if "-F" in arguments else ["-H", f"content-type: {content_type}"]
    assert sent == [*start, *own, *arguments]
