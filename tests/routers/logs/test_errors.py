"""Groups of failures as pages, over a SQLite file and a real sqld."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from tests.routers.conftest import Visit
from tests.routers.logs.conftest import JAPANESE, delivered, files_only, keep
from tests.services.log_book import LogBook
from tests.support.turso import TursoServer

HOSTILE = "<script>alert(1)</script>\u202e"


def fail(
    book: LogBook, number: int, message: str = "Order 1 was refused", status: int = 500
) -> str:
    """A failing step in a trace of its own, with its request; the trace's id."""
    trace = f"00000000-0000-4000-8000-{number:012}"
    book.after(5).step("Order", "Pay", "FAILED", trace=trace, error_message=message)
    book.after(5).request(f"/orders/{number}", status, trace=trace, user=number % 3)
    return trace


async def fingerprint(admin: AsyncClient, state: str = "open") -> str:
    page = await admin.get(f"/logs/errors?state={state}")
    found: str
    [found] = set(re.findall(r'href="/logs/errors/([0-9a-f]{16})"', page.text))
    return found


@pytest.fixture
def filled(app: FastAPI, admin: AsyncClient) -> FastAPI:
    """Seven failures that mean the same, two hours ago, once the sign-in is delivered."""
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=2))
    for number in range(7):
        fail(book, number, f"Order {number} was refused")
    keep(app, book)
    return app


async def test_only_administrators_see_them(visit: Visit) -> None:
    hana = await visit("Hana")
    assert (await hana.get("/logs/errors")).status_code == 403
    changed = await hana.post("/logs/errors/0123456789abcdef", data={"state": "ignored"})
    assert changed.status_code == 403


@pytest.mark.usefixtures("filled")
async def test_failures_that_mean_the_same_are_one_line(admin: AsyncClient) -> None:
    page = await admin.get("/logs/errors")
    assert "7 failures" in page.text
    assert "3 users" in page.text
    assert "7 addresses" in page.text
    assert "2 hours ago" in page.text
    assert "Failures of the last 7 days: 7" in page.text
    assert "7 件の失敗" in (await admin.get("/logs/errors", headers=JAPANESE)).text
    group = await admin.get(f"/logs/errors/{await fingerprint(admin)}")
    traces = re.findall(r'href="/logs/traces/([0-9a-f-]+)#failure"', group.text)
    assert traces == [f"00000000-0000-4000-8000-{number:012}" for number in reversed(range(7))]
    assert "/orders/6" in group.text


async def test_a_group_is_found_by_its_message_file_task_and_step(
    filled: FastAPI, admin: AsyncClient
) -> None:
    book = LogBook(datetime.now(UTC))
    book.step("Mail", "Send", "FAILED", trace="0" * 32, error_message="Übersicht: 100% voll")
    keep(filled, book)
    for q, found in {
        "": {"Order", "Übersicht"},
        " REFUSED order ": {"Order"},
        "mail › send": {"Übersicht"},
        "100%": {"Übersicht"},
        "Übersicht: VOLL": {"Übersicht"},
        "order _": set(),
    }.items():
        page = await admin.get("/logs/errors", params={"q": q})
        shown = {word for word in ("Order", "Übersicht") if f">{word}" in page.text}
        assert shown == found, q
    page = await admin.get("/logs/errors?q=refused&state=open")
    assert 'href="/logs/errors?state=resolved&amp;q=refused"' in page.text
    assert 'name="q" value="refused"' in page.text


async def test_what_was_resolved_opens_again_with_the_next_failure(
    filled: FastAPI, admin: AsyncClient
) -> None:
    name = await fingerprint(admin)
    answer = await admin.post(
        f"/logs/errors/{name}", data={"state": "resolved", "note": "Fixed in 1.2"}
    )
    assert answer.status_code == 303
    assert "Saved." in (await admin.get(answer.headers["location"])).text
    assert "No errors here." in (await admin.get("/logs/errors")).text
    assert "Fixed in 1.2" in (await admin.get("/logs/errors?state=resolved")).text
    book = LogBook(datetime.now(UTC))
    fail(book, 8)
    keep(filled, book)
    assert await fingerprint(admin) == name
    assert "8 failures" in (await admin.get("/logs/errors")).text


async def test_what_is_ignored_stays_out_of_the_overview(
    filled: FastAPI, admin: AsyncClient
) -> None:
    assert "Order 6 was refused" in (await admin.get("/logs")).text
    name = await fingerprint(admin)
    await admin.post(f"/logs/errors/{name}", data={"state": "ignored"})
    assert "Order 6 was refused" not in (await admin.get("/logs")).text
    assert await fingerprint(admin, "ignored") == await fingerprint(admin, "all") == name
    delivered(filled)
    steps = filled.state.logger.store.query(
        "SELECT input_data FROM task_progress_logs"
        " WHERE task_name = 'Log_Errors' AND status = 'START'"
    )
    assert '"state":"ignored"' in str(steps.rows), "who changed what is recorded"


async def test_occurrences_are_read_page_by_page(app: FastAPI, admin: AsyncClient) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=1))
    for number in range(60):
        fail(book, number)
    keep(app, book)
    url = f"/logs/errors/{await fingerprint(admin)}"
    first = await admin.get(url)
    [older] = re.findall(r'href="([^"]+before=\d+)"', first.text)
    second = await admin.get(older)
    found = [
        re.findall(r"/logs/traces/00000000-0000-4000-8000-(\d+)#", page.text)
        for page in (first, second)
    ]
    assert [int(number) for page in found for number in page] == list(reversed(range(60)))


@pytest.mark.usefixtures("filled")
async def test_nonsense_is_refused(admin: AsyncClient) -> None:
    assert (await admin.get("/logs/errors/nothing")).status_code == 404
    changed = await admin.post("/logs/errors/nothing", data={"state": "open"})
    assert changed.status_code == 404
    changed = await admin.post("/logs/errors/nothing", data={"state": "gone"})
    assert changed.status_code == 422


async def test_messages_and_notes_are_shown_escaped(app: FastAPI, admin: AsyncClient) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC))
    fail(book, 1, HOSTILE)
    keep(app, book)
    name = await fingerprint(admin)
    await admin.post(f"/logs/errors/{name}", data={"state": "open", "note": HOSTILE})
    for url in ("/logs/errors", f"/logs/errors/{name}"):
        page = (await admin.get(url)).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


async def test_an_app_that_logs_to_files_only_says_so(app: FastAPI, admin: AsyncClient) -> None:
    for url in ("/logs/errors", "/logs/errors/0123456789abcdef", "/logs/tasks"):
        with files_only(app):
            page = await admin.get(url)
        assert page.status_code == 503
        assert "This app delivers its log to no database." in page.text


@pytest.mark.parametrize("store_settings", ["sqld"], indirect=True)
async def test_whoever_tries_again_looks_for_the_same(
    admin: AsyncClient, sqld: TursoServer
) -> None:
    sqld.kill()

    page = await admin.get("/logs/errors?state=all&q=refused")

    assert page.status_code == 503
    assert 'href="/logs/errors?state=all&amp;q=refused">Try again' in page.text
