"""Tasks as pages, over a SQLite file and a real sqld."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from tests.routers.conftest import Visit
from tests.routers.logs.conftest import JAPANESE, delivered, keep
from tests.services.log_book import LogBook


def trace(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def cells(page: Response, step: str) -> list[str]:
    """What the table says of a step, without blanks."""
    [row] = re.findall(rf"<tr><td[^>]*>{step}</td>(.*?)</tr>", page.text, re.S)
    found = re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)
    return [" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in found]


@pytest.fixture
def filled(app: FastAPI, admin: AsyncClient) -> FastAPI:
    """Twelve runs of which a quarter failed, the last two hours ago, and one that is stuck."""
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=2))
    for number in range(12):
        book.after(10).step("Nightly", "Fetch", "START", trace=trace(number))
        book.after(100).step("Nightly", "Fetch", "SUCCESS", trace=trace(number))
        book.after(1).step("Nightly", "Write", "START", order=2, trace=trace(number))
        status = "FAILED" if number % 4 == 0 else "SUCCESS"
        book.after(1000).step("Nightly", "Write", status, order=2, trace=trace(number))
    book.after(1).step("Nightly", "Fetch", "START", trace=trace(99))
    keep(app, book)
    return app


async def test_only_administrators_see_them(visit: Visit) -> None:
    assert (await (await visit("Hana")).get("/logs/tasks")).status_code == 403


@pytest.mark.usefixtures("filled")
async def test_runs_steps_and_failures_are_counted(admin: AsyncClient) -> None:
    page = await admin.get("/logs/tasks")
    assert "13 runs" in page.text
    assert "23.1 % failed" in page.text
    begun, succeeded, failed, *percentiles = cells(page, "Write")
    assert (begun, succeeded, failed) == ("12", "9", "3 (25 %)")
    for shown in percentiles:
        assert re.fullmatch(r"7\d\d ms|8\d\d ms|9\d\d ms|1(\.\d+)? s", shown), shown
    assert "実行" in (await admin.get("/logs/tasks", headers=JAPANESE)).text


async def test_a_task_with_thousands_of_steps_hides_no_other(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=2))
    for number in range(600):
        for _ in range(2):
            book.after(1).step("Import", f"Row {number}", "SUCCESS", order=number, trace=trace(1))
    book.after(1).step("Nightly", "Fetch", "SUCCESS", trace=trace(2))
    keep(app, book)
    page = await admin.get("/logs/tasks")
    assert cells(page, "Fetch")[1] == "1"
    assert page.text.count("Row ") == 10
    assert "590 more steps are not shown" in page.text


@pytest.mark.usefixtures("filled")
async def test_a_run_without_an_end_is_found_stuck(admin: AsyncClient) -> None:
    page = await admin.get("/logs/tasks")
    assert f'href="/logs/traces/{trace(99)}">Nightly › Fetch</a>' in page.text
    assert "began 2 hours ago" in page.text


@pytest.mark.usefixtures("filled")
async def test_outside_the_span_there_is_nothing_but_what_is_stuck(admin: AsyncClient) -> None:
    page = await admin.get("/logs/tasks?range=15m")
    assert "Nightly › Fetch" in page.text
    assert "13 runs" not in page.text


@pytest.mark.usefixtures("filled")
async def test_the_runs_of_a_task_lead_to_their_traces(admin: AsyncClient) -> None:
    page = await admin.get("/logs/tasks?task=Nightly")
    order = re.findall(r'href="/logs/traces/00000000-0000-4000-8000-0*(\d+)', page.text)
    assert [int(number) for number in order] == [99, *reversed(range(12))]
    assert page.text.count("#failure") == 3
    assert (await admin.get("/logs/tasks?task=Nothing")).status_code == 404


async def test_a_run_that_failed_beside_its_last_step_is_marked_and_leads_to_the_failure(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=2))
    for number, status in ((1, "SUCCESS"), (2, "FAILED")):
        for shop in ("Osaka", "Tokyo"):
            book.after(1).step("Nightly", shop, "START", trace=trace(number))
        book.after(10).step("Nightly", "Osaka", status, trace=trace(number))
        book.after(10).step("Nightly", "Tokyo", "SUCCESS", trace=trace(number))
        book.after(1).step("Another", "Step", "FAILED", trace=trace(1))
    keep(app, book)
    page = await admin.get("/logs/tasks?task=Nightly")
    assert re.findall(r'href="([^"]+)" title="A step failed"', page.text) == [
        f"/logs/traces/{trace(2)}#failure"
    ]
    assert page.text.count("Succeeded") == 2, "that is what the last row of each says"
