"""Every form of the app, filled with what nobody would type: no 500, no inside shown."""

import random
import re
from typing import Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.routers import ROUTERS
from tests.routers.conftest import Visit, add_item, browser_for
from tests.routers.hard_tries import INSIDE, Unlimited

_HARD: Final = (
    "",
    " ",
    "0",
    "-1",
    "9" * 25,
    "1e999",
    "null",
    "\x00",
    "\x7f\x08",
    "\ud7ff\uffff",
    "é\u0301\u202e",
    "'; DROP TABLE users; --",
    '"><script>alert(1)</script>',
    "{{ 7 * 7 }}",
    "../../etc/passwd",
    "//evil.example",
    "x" * 20_000,
    "2026-02-30",
    "a@b",
    "hana@example.com\r\nBcc: x@example.com",
)

_FIELDS: Final = (
    *("name", "email", "password", "current", "new", "code", "next", "token_hash", "type"),
    *("title", "description", "due_on", "status", "version", "ids", "scope", "days", "role"),
    *("language", "theme", "q", "take", "sort", "after", "before"),
)
# These end the visit or start work that goes on after the test.
_LEFT_OUT: Final = ("/sign-out", "/account/delete", "/jobs", "/logs", "/api")


def forms() -> list[str]:
    """The path of each route that takes a form."""
    return sorted(
        {
            route.path
            for router in ROUTERS
            for route in router.routes
            if isinstance(route, APIRoute)
            and "POST" in (route.methods or ())
            and not route.path.startswith(_LEFT_OUT)
        }
    )


async def test_no_form_breaks(visit: Visit, app: FastAPI) -> None:
    app.state.rate_limits = Unlimited()
    browser = await visit("Hana")
    item_id = await add_item(browser, "Mine")
    chance = random.Random(1)
    for path in forms():
        url = re.sub(r"{\w+}", str(item_id), path)
        for _ in range(12):
            fields = {name: chance.choice(_HARD) for name in chance.sample(_FIELDS, 12)}
            answer = await browser.post(url, data=fields)
            assert answer.status_code < 500, (path, fields)
            assert not INSIDE.search(answer.text), (path, fields)
            assert "<script>alert(1)" not in answer.text
            assert not answer.headers.get("location", "/").startswith(("//", "http"))


_URLENCODED: Final = "application/x-www-form-urlencoded"

_BODIES: Final = (
    (b"\xff\xfe=\x00&&&==", _URLENCODED),
    (b"&".join(name.encode() + b"=%ED%A0%80%00%FF" for name in _FIELDS), _URLENCODED),
    (b"&".join(name.encode() + b"=1&" + name.encode() + b"=2" for name in _FIELDS), _URLENCODED),
    (b"&".join(name.encode() + b"[]=1" for name in _FIELDS), _URLENCODED),
    (b"title=" + b"x" * 10_000_000, _URLENCODED),
    (b"a=1&" * 5_000, _URLENCODED),
    (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
    (
        b'--x\r\nContent-Disposition: form-data; name="email"; filename="a"\r\n\r\nb\r\n--x--\r\n',
        "multipart/form-data; boundary=x",
    ),
    (b"{}", "application/json"),
    (b"", "multipart/form-data"),
)


async def test_bodies_that_are_no_forms_do_not_break_them(visit: Visit, app: FastAPI) -> None:
    app.state.rate_limits = Unlimited()
    hana = await visit("Hana")
    item_id = await add_item(hana, "Mine")
    for browser in (hana, browser_for(app)):
        for path in forms():
            url = re.sub(r"{\w+}", str(item_id), path)
            for content, kind in _BODIES:
                answer = await browser.post(url, content=content, headers={"Content-Type": kind})
                assert answer.status_code < 500, (path, content[:40])
                assert not INSIDE.search(answer.text), (path, content[:40])
