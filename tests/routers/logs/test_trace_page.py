"""A trace on its page, over a SQLite file and a real sqld."""

import re

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger
from tests.routers.conftest import browser_for
from tests.routers.logs.conftest import JAPANESE, TRACE, delivered, keep, paths
from tests.services.log_book import LogBook

UNKNOWN = "00000000-0000-4000-8000-00000000dead"


async def test_a_failed_request_leads_to_the_step_that_failed(
    app: FastAPI, admin: AsyncClient
) -> None:
    failed = await admin.get("/report?month=2026-13")
    assert failed.status_code == 500
    trace_id = failed.headers["x-trace-id"]
    assert f'href="/logs/traces/{trace_id}"' in failed.text
    delivered(app)
    assert paths(await admin.get("/logs/requests?status=5xx")) == ["/report"]
    page = await admin.get(f"/logs/traces/{trace_id}")
    assert "Failed in Report_Build › Render" in page.text
    assert "ZeroDivisionError: no days in 2026-13" in page.text
    own = re.findall(r'<span class="block[^"]*border-primary[^"]*">([^<]*)</span>', page.text)
    assert any("conftest.py" in frame and "in report" in frame for frame in own)
    assert f'<a class="link" href="/logs/traces/{trace_id}#failure">To the step</a>' in page.text
    rows = r'<details id="([^"]*)" name="row" data-row="(\d+)"[^>]*?( open)?>'
    assert [name for name, _, is_open in re.findall(rows, page.text) if is_open] == ["failure"]
    # The address says which other line is open instead, or that none is.
    for name, row, _ in re.findall(rows, page.text):
        there = (await admin.get(f"/logs/traces/{trace_id}?row={row}")).text
        assert [found for found, _, is_open in re.findall(rows, there) if is_open] == [name]
    closed = (await admin.get(f"/logs/traces/{trace_id}?row=0")).text
    assert not any(is_open for _, _, is_open in re.findall(rows, closed))
    japanese = await admin.get(f"/logs/traces/{trace_id}", headers=JAPANESE)
    assert "Report_Build › Render で失敗しました" in japanese.text


async def test_a_trace_draws_its_steps_to_scale_without_inline_styles(
    app: FastAPI, admin: AsyncClient
) -> None:
    book = LogBook()
    book.after(20).step("Import", "Read", "START")
    book.after(30).step("Import", "Read", "SUCCESS")
    book.step("Import", "Write", "START", order=2)
    book.after(50).step("Import", "Write", "SUCCESS", order=2)
    book.request("/import", duration=100)
    keep(app, book)
    page = await admin.get(f"/logs/traces/{TRACE}")
    bars = re.findall(r'<rect x="([\d.]+)%" width="([\d.]+)%"', page.text)
    places = [(round(float(x)), round(float(width))) for x, width in bars]
    assert places == [(0, 100), (20, 80), (20, 30), (50, 50)]  # request, task, two steps
    assert "style=" not in page.text
    for words in ("30 ms", "50 ms", "100 ms", "80 ms"):
        assert words in page.text


async def test_running_steps_and_retries_are_named(app: FastAPI, admin: AsyncClient) -> None:
    book = LogBook()
    book.step("Sync", "Fetch", "START")
    book.after(5).step("Sync", "Fetch", "FAILED", error_message="timeout")
    book.after(5).step("Sync", "Fetch", "START")
    keep(app, book)
    page = await admin.get(f"/logs/traces/{TRACE}")
    for words in ("Attempt 1", "Attempt 2", "No request is recorded under this trace ID"):
        assert words in page.text
    # The book's day is past: what has not ended for so long is not taken for running.
    assert "No end recorded" in page.text
    assert "Failed in" not in page.text


async def test_everything_that_was_logged_is_shown_escaped(
    app: FastAPI, admin: AsyncClient
) -> None:
    evil = '"><script>alert(1)</script>\u202e\x1b[31m'
    book = LogBook()
    book.step(evil, evil, "FAILED", error_message=evil, stack_trace=evil, input_data={evil: evil})
    book.request(
        f"/{evil}",
        method=evil,
        request_header={evil: evil, ":route": evil, f":{evil}": [evil]},
        request_body=evil,
        response_body={"a": evil},
        ip_address=evil,
    )
    keep(app, book)
    for url in (
        "/logs/requests?path=/%22",
        f"/logs/traces/{TRACE}",
        "/logs/requests?path=%22%3E%3Cscript%3E",
    ):
        page = await admin.get(url)
        assert page.status_code == 200
        assert "&lt;script&gt;alert(1)" in page.text
        assert "\\u202e" in page.text or "path=%22%3E" in url
        for raw in ("<script>alert", "\u202e", "\x1b"):
            assert raw not in page.text


async def test_passwords_do_not_come_back_in_the_log(app: FastAPI, admin: AsyncClient) -> None:
    fields = {"email": "aki@example.com", "password": "wrong horse battery"}
    answer = await browser_for(app).post("/sign-in", data=fields)
    delivered(app)
    page = await admin.get(f"/logs/traces/{answer.headers['x-trace-id']}")
    assert "aki@example.com" in page.text
    assert "wrong horse" not in page.text


async def test_ids_that_are_no_uuids_are_found_too(app: FastAPI, admin: AsyncClient) -> None:
    book = LogBook()
    book.request("/nightly", trace="nightly-2026-11-23")
    keep(app, book)
    assert (await admin.get("/logs/traces/nightly-2026-11-23")).status_code == 200


@pytest.mark.parametrize("trace_id", ["x", "no-such-thing", "日本", "a%20b", "%00", "x" * 101])
async def test_malformed_ids_name_nothing(app: FastAPI, admin: AsyncClient, trace_id: str) -> None:
    delivered(app)
    page = await admin.get(f"/logs/traces/{trace_id}")
    assert page.status_code == 404
    assert "There is nothing here." in page.text


async def test_an_unknown_trace_may_still_be_on_its_way(app: FastAPI, admin: AsyncClient) -> None:
    delivered(app)
    page = await admin.get(f"/logs/traces/{UNKNOWN}")
    assert page.status_code == 404
    for words in ("Nothing is recorded under this trace ID yet.", "may need a moment", UNKNOWN):
        assert words in page.text
    assert f'href="/logs/traces/{UNKNOWN}">Reload</a>' in page.text
    japanese = await admin.get(f"/logs/traces/{UNKNOWN}", headers=JAPANESE)
    assert "このトレース ID の記録は、まだありません。" in japanese.text


async def test_rows_on_their_way_are_announced_and_shown_from_the_csv_files(
    app: FastAPI, admin: AsyncClient
) -> None:
    logger: EnhancedCSVLogger = app.state.logger
    delivered(app)
    assert logger.shipper.stop()
    # Another process of the same server records; the one that delivers is busy.
    other = CSVOnlyLogger(logger.recorder.log_dir)
    step = {"task_name": "Mail", "step_name": "Send", "status": "SUCCESS", "trace_id": TRACE}
    other.log(None, "task_progress_logs", step)
    other.close()
    page = await admin.get("/logs/requests")
    assert "1 row is still on its way; what has just happened may be missing here." in page.text
    trace = await admin.get(f"/logs/traces/{TRACE}")
    assert trace.status_code == 200
    assert "Mail" in trace.text
    assert "1 row is still on its way to the log database" in trace.text
    unknown = await admin.get(f"/logs/traces/{UNKNOWN}")
    assert "1 row of this server is still on its way to the log database." in unknown.text
