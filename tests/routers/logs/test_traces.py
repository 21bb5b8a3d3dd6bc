"""What stands around a trace, over a SQLite file and a real sqld."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.lib.tracelog.redaction.plain import MARKER
from tests.routers.logs.conftest import JAPANESE, TRACE, delivered, keep
from tests.services.log_book import LogBook

GOOD = "00000000-0000-4000-8000-000000000001"
BAD = [f"00000000-0000-4000-8000-00000000001{number}" for number in range(3)]


@pytest.fixture
def filled(app: FastAPI, admin: AsyncClient) -> FastAPI:
    """A run of a task that went well, and three that failed in the same way."""
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=2))
    for trace in (GOOD, *BAD):
        is_good = trace == GOOD
        book.after(5).step("Order", "Read", "START", trace=trace, input_data={"order": 1})
        output = {"lines": 3 if is_good else 0}
        book.after(20 if is_good else 90).step(
            "Order", "Read", "SUCCESS", trace=trace, output_data=output
        )
        if not is_good:
            book.after(5).step("Order", "Pay", "FAILED", order=2, trace=trace, error_message="no")
        book.after(5).request("/orders/1", 200 if is_good else 500, trace=trace)
    keep(app, book)
    return app


@pytest.mark.usefixtures("filled")
async def test_a_failure_leads_to_its_others_and_to_the_last_good_run(admin: AsyncClient) -> None:
    page = (await admin.get(f"/logs/traces/{BAD[1]}")).text
    assert f'rel="prev" href="/logs/traces/{BAD[0]}#failure"' in page
    assert f'rel="next" href="/logs/traces/{BAD[2]}#failure"' in page
    assert re.search(r'href="/logs/errors/[0-9a-f]{16}">All failures of this kind', page)
    assert f'href="/logs/traces/{BAD[1]}/compare/{GOOD}">Compare with' in page
    first = (await admin.get(f"/logs/traces/{BAD[0]}")).text
    assert 'rel="prev"' not in first


@pytest.mark.usefixtures("filled")
async def test_a_comparison_says_what_differs(admin: AsyncClient) -> None:
    page = await admin.get(f"/logs/traces/{BAD[1]}/compare/{GOOD}")
    text = html.unescape(re.sub(r"<[^>]+>|\s+", " ", page.text))
    assert "70 ms slower" in re.sub(r"\s+", " ", text)
    assert '"lines": 3' in text
    assert '"lines": 0' in text
    assert '"order": 1' not in text, "the inputs are the same"
    assert "not there" in text, "the good run has no such step"
    japanese = await admin.get(f"/logs/traces/{BAD[1]}/compare/{GOOD}", headers=JAPANESE)
    assert "70 ms 遅い" in re.sub(r"\s+", " ", japanese.text)
    unknown = "00000000-0000-4000-8000-00000000dead"
    assert (await admin.get(f"/logs/traces/{BAD[1]}/compare/{unknown}")).status_code == 404


async def test_a_badge_says_whether_everything_is_there(app: FastAPI, admin: AsyncClient) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=2))
    book.step("Order", "Pay", "SUCCESS", trace=GOOD)
    book.after(5).request("/orders/1", trace=GOOD)
    book.step("Order", "Pay", "START", trace=BAD[0])
    book.after(5).request("/orders/1", trace=BAD[0], response_body={":cut": 99_999})
    keep(app, book)
    assert ">Complete</span>" in (await admin.get(f"/logs/traces/{GOOD}")).text
    page = (await admin.get(f"/logs/traces/{BAD[0]}")).text
    assert ">Not complete</span>" in page
    assert "1 step has no end." in page
    assert "1 value is only there in part." in page


async def test_a_request_can_be_copied_as_curl_with_placeholders(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook()
    headers = {
        "authorization": f"Bearer {MARKER}",
        "x-note": "it's",
        "host": "app",
        ":query": "a=1",
    }
    body = {"title": "it's", "password": MARKER}
    book.request("/orders", method="POST", request_header=headers, request_body=body)
    keep(app, book)
    page = (await admin.get(f"/logs/traces/{TRACE}")).text
    [command] = re.findall(r'<pre id="curl-[^>]*>(.*?)</pre>', page, re.S)
    command = html.unescape(command)
    assert command.startswith("curl 'http://app.test/orders?a=1'")
    assert "-X POST" in command
    assert "-H 'authorization: Bearer $AUTHORIZATION'" in command
    assert "host:" not in command
    assert '"password": "$SECRET"' in command


async def test_who_opened_the_bodies_of_a_trace_is_recorded(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook()
    book.request("/orders", method="POST", request_body={"title": "a"})
    keep(app, book)
    await admin.get(f"/logs/traces/{TRACE}")
    delivered(app)
    rows = app.state.logger.store.query(
        "SELECT input_data FROM task_progress_logs WHERE task_name = 'Log_Trace'"
    ).rows
    assert len(rows) == 1
    assert TRACE in str(rows)
    assert '"user_id":' in str(rows)


async def test_a_running_trace_asks_for_itself_again(app: FastAPI, admin: AsyncClient) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC))
    book.step("Order", "Pay", "START")
    keep(app, book)
    page = (await admin.get(f"/logs/traces/{TRACE}")).text
    assert f'<div id="trace-body" hx-get="/logs/traces/{TRACE}" hx-trigger="load delay:2s"' in page
    book.step("Order", "Pay", "SUCCESS")
    keep(app, book)
    assert "load delay:2s" not in (await admin.get(f"/logs/traces/{TRACE}")).text
