"""What the app refused is not among its failures, over a SQLite file and a real sqld."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.lib.tracelog.store.sql import Statement
from tests.routers.conftest import PASSWORD, browser_for
from tests.routers.logs.conftest import JAPANESE, delivered, keep
from tests.routers.logs.test_errors import fail, fingerprint
from tests.services.log_book import LogBook


@pytest.fixture
def book(app: FastAPI, admin: AsyncClient) -> LogBook:
    """An hour ago, once the sign-in is delivered."""
    delivered(app)
    return LogBook(datetime.now(UTC) - timedelta(hours=1))


def views(page: str) -> dict[str, str]:
    """How many groups each view has, as its link says."""
    return dict(
        re.findall(r'href="/logs/errors\?state=(\w+)"[^>]*>.*?tabular-nums[^>]*>(\d+)<', page)
    )


async def test_a_wrong_password_and_an_error_of_the_app_stand_apart(
    app: FastAPI, admin: AsyncClient
) -> None:
    guess = {"email": "aki@example.com", "password": f"not {PASSWORD}"}
    assert (await browser_for(app).post("/sign-in", data=guess)).status_code == 422
    assert (await admin.get("/report?month=2026-13")).status_code == 500
    delivered(app)

    failures = (await admin.get("/logs/errors")).text
    refusals = (await admin.get("/logs/errors?state=refused")).text
    overview = (await admin.get("/logs")).text

    assert "ZeroDivisionError" in failures
    assert "ZeroDivisionError" in overview
    assert "InvalidCredentials" not in failures
    assert "InvalidCredentials" not in overview
    assert "InvalidCredentials" in refusals
    assert "ZeroDivisionError" not in refusals
    assert views(failures) == {
        "open": "1",
        "refused": "1",
        "resolved": "0",
        "ignored": "0",
        "all": "2",
    }
    every = (await admin.get("/logs/errors?state=all", headers=JAPANESE)).text
    assert re.findall(r"badge-sm[^>]*>([^<]+)</span></p>", every) == ["未解決", "拒否 (4xx)"]


async def test_the_page_of_a_refusal_says_why_it_is_one(
    app: FastAPI, admin: AsyncClient, book: LogBook
) -> None:
    fail(book, 1, status=409)
    keep(app, book)

    page = (await admin.get(f"/logs/errors/{await fingerprint(admin, 'refused')}")).text

    assert "The app said no, as it is made to" in page
    assert re.search(r"badge[^>]*>409</span>", page)
    assert re.search(r'value="open" checked', page)


@pytest.mark.parametrize("status", [200, 303, 499, 500, 503])
async def test_one_other_answer_makes_a_group_a_failure(
    app: FastAPI, admin: AsyncClient, book: LogBook, status: int
) -> None:
    fail(book, 1, status=409)
    fail(book, 2, status=status)
    fail(book, 3, status=404)
    keep(app, book)

    assert await fingerprint(admin) == await fingerprint(admin, "all")
    assert "No errors here." in (await admin.get("/logs/errors?state=refused")).text


async def test_what_failed_in_a_job_or_after_the_answer_is_a_failure(
    app: FastAPI, admin: AsyncClient, book: LogBook
) -> None:
    for number in (1, 2):
        trace = f"00000000-0000-4000-8000-{number:012}"
        if number == 2:
            book.after(5).request("/orders", 409, trace=trace)
        book.after(5).step("Mail", f"Send {number}", "FAILED", trace=trace, error_message="away")
        keep(app, book)
        book.rows = {name: [] for name in book.rows}

    assert views((await admin.get("/logs/errors")).text)["open"] == "2"


async def test_of_several_requests_in_a_trace_it_is_the_one_in_which_it_failed(
    app: FastAPI, admin: AsyncClient, book: LogBook
) -> None:
    trace = fail(book, 1, status=422)
    book.after(5).request("/orders/1/part", 200, trace=trace)
    keep(app, book)

    page = (await admin.get(f"/logs/errors/{await fingerprint(admin, 'refused')}")).text

    assert "/orders/1<" in page
    assert "/orders/1/part" not in page


async def test_a_refusal_that_somebody_ignored_is_with_the_ignored_ones(
    app: FastAPI, admin: AsyncClient, book: LogBook
) -> None:
    fail(book, 1, status=409)
    keep(app, book)
    name = await fingerprint(admin, "refused")

    await admin.post(f"/logs/errors/{name}", data={"state": "ignored"})

    assert await fingerprint(admin, "ignored") == name
    assert views((await admin.get("/logs/errors")).text)["refused"] == "0"


async def test_a_note_on_what_retention_has_deleted_is_not_taken_for_a_refusal(
    app: FastAPI, admin: AsyncClient, book: LogBook
) -> None:
    fail(book, 1, status=409)
    keep(app, book)
    app.state.logger.store.transact([Statement("DELETE FROM tracelog_error_hits")])

    assert await fingerprint(admin)
