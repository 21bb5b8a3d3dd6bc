"""What stands around a trace, over a SQLite file and a real sqld."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.lib.tracelog.redaction.plain import MARKER
from tests.routers.logs.conftest import JAPANESE, TRACE, delivered, keep, paths
from tests.services.log_book import LogBook

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
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
    around = re.search(r'href="(/logs/requests\?from=\d+&amp;to=\d+)">Requests 5 minutes', page)
    assert around
    assert f"/logs/traces/{BAD[1]}" in (await admin.get(html.unescape(around[1]))).text
    first = (await admin.get(f"/logs/traces/{BAD[0]}")).text
    assert 'rel="prev"' not in first


async def test_a_run_is_not_good_in_which_a_step_failed_beside_the_last_one(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=2))
    for trace in (GOOD, *BAD):
        for shop in ("Osaka", "Tokyo"):
            book.after(1).step("Nightly", shop, "START", trace=trace)
        status = "SUCCESS" if trace == GOOD else "FAILED"
        book.after(10).step("Nightly", "Osaka", status, trace=trace)
        book.after(10).step("Nightly", "Tokyo", "SUCCESS", trace=trace)
    keep(app, book)
    page = (await admin.get(f"/logs/traces/{BAD[1]}")).text
    assert f'href="/logs/traces/{BAD[1]}/compare/{GOOD}">Compare with' in page


async def test_what_the_user_did_until_a_failure_is_one_click_away(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=2))
    book.after(5).request("/cart", user=42)
    book.after(5).request("/elsewhere", user=7)
    book.after(5).request("/pay", 500, user=42, trace=BAD[0])
    book.after(5).request("/help", user=42)
    book.after(5).request("/home", user=None, trace=BAD[1])
    keep(app, book)
    page = (await admin.get(f"/logs/traces/{BAD[0]}")).text
    link = re.search(r'href="([^"]+)">What this user did until then', page)
    assert link
    assert paths(await admin.get(html.unescape(link[1]))) == ["/pay", "/cart"]
    assert "this user" not in (await admin.get(f"/logs/traces/{BAD[1]}")).text


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


async def test_of_many_steps_those_are_compared_that_differ_most(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=2))
    for trace, is_good in ((GOOD, True), (BAD[1], False)):
        for number in range(250):
            output = {"lines": 3 if is_good or number != 249 else 0}
            book.step("Order", f"Read {number}", "START", order=number, trace=trace)
            book.after(0.05).step(
                "Order", f"Read {number}", "SUCCESS", order=number, trace=trace, output_data=output
            )
        book.after(5).request("/orders/1", trace=trace)
    keep(app, book)
    page = (await admin.get(f"/logs/traces/{BAD[1]}/compare/{GOOD}")).text
    assert page.count("<section") == 200
    assert "Read 249" in page
    assert "Of 250 steps these are the 200 that differ most." in page


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
    assert f'hx-get="/logs/traces/{TRACE}" hx-trigger="every 2s" hx-select="#trace-body"' in page
    book.step("Order", "Pay", "SUCCESS")
    keep(app, book)
    assert "every 2s" not in (await admin.get(f"/logs/traces/{TRACE}")).text


async def test_a_trace_of_many_steps_comes_in_parts_and_each_step_when_it_is_opened(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=2))
    for number in range(1, 452):
        book.after(1).step(
            "Import", f"Row {number}", "START", order=number, input_data={"n": number}
        )
        book.after(1).step("Import", f"Row {number}", "SUCCESS", order=number)
    book.step("Import", "Check", "START", order=452)
    book.step("Import", "Check", "FAILED", order=452, error_message="two rows are alike")
    book.request("/import", 500, duration=950)
    keep(app, book)
    page = (await admin.get(f"/logs/traces/{TRACE}")).text

    # The first rows and those around the failure are there, the others when they come into view.
    later = re.findall(r'<div id="part-(\d)"[^>]*hx-get="([^"]*)"', page)
    assert later == [(number, f"/logs/traces/{TRACE}?part={number}") for number in "234"]
    assert ">Row 1</span>" in page
    assert ">Row 250</span>" not in page
    assert 'href="#part-2" aria-label="Rows 101 to 200"' in page
    assert "two rows are alike" in page
    assert '<details id="failure"' in page
    assert "style=" not in page

    part = await admin.get(f"/logs/traces/{TRACE}?part=3", headers=PARTIAL)
    assert part.text.lstrip().startswith('<div id="part-3"')
    assert ">Row 250</span>" in part.text
    whole = await admin.get(f"/logs/traces/{TRACE}?part=3")
    assert ">Row 250</span>" in whole.text, "without a script it is another page"
    assert (await admin.get(f"/logs/traces/{TRACE}?part=9", headers=PARTIAL)).status_code == 404

    [url] = re.findall(
        r'<details[^>]*hx-get="([^"]*)"[^>]*>(?:(?!<details).)*?>Row 250<', part.text, re.S
    )
    step = await admin.get(url, headers=PARTIAL)
    assert "&#34;n&#34;: 250" in step.text
    assert "<html" not in step.text
    assert "&#34;n&#34;: 250" in (await admin.get(url)).text
    for wrong in (
        f"/logs/traces/{GOOD}{url[len(f'/logs/traces/{TRACE}') :]}",
        f"/logs/traces/{TRACE}/steps/1/2",
    ):
        assert (await admin.get(wrong)).status_code == 404


async def test_what_ran_after_the_response_is_thin_and_gaps_are_marked(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=2))
    book.step("Order", "Read", "START")
    book.after(20).step("Order", "Read", "SUCCESS")
    book.after(30).step("Order", "Pay", "START", order=2)
    book.after(10).request("/orders", duration=60)
    book.after(20).step("Order", "Pay", "SUCCESS", order=2)
    book.after(10).step("Mail", "Send", "START")
    book.after(10).step("Mail", "Send", "SUCCESS")
    keep(app, book)
    page = (await admin.get(f"/logs/traces/{TRACE}")).text
    thin = re.findall(r'<rect x="([\d.]+)%" width="([\d.]+)%" y="33%"', page)
    places = [(round(float(x), -1), round(float(width), -1)) for x, width in thin]
    assert places == [(60, 20), (60, 20), (90, 10), (90, 10)]  # two tasks with a step each
    assert page.count("(after the response)") == 2
    legend = re.sub(r"\s+", " ", page[page.index("No step ran here:") :])
    assert re.search(r"30 ms \(\+2[01] ms\), 10 ms \(\+8[01] ms\)", legend)


async def test_of_a_long_value_a_part_is_there_and_the_whole_by_a_click_that_is_recorded(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=2))
    text = "<b>" + "x" * 90_000 + "end"
    book.step("Order", "Pay", "SUCCESS", output_data={"text": text})
    book.request("/orders", request_body={"text": text[:5000] + "end"})
    keep(app, book)
    page = (await admin.get(f"/logs/traces/{TRACE}")).text
    assert len(page) < 60_000
    urls = re.findall(r'<a class="link" href="([^"]*/values/[^"]*)" hx-get', page)
    assert [url.split("/")[-2] for url in urls] == ["request_body", "output_data"]
    for url, name in zip(urls, ("Request body", "Output"), strict=True):
        part = await admin.get(url, headers=PARTIAL)
        assert "xxxend&#34;" in part.text
        assert "<b>" not in part.text
        whole = await admin.get(url)
        assert f'<h1 class="mb-3 text-xl font-semibold">{name}</h1>' in whole.text
    delivered(app)
    sql = "SELECT input_data FROM task_progress_logs WHERE task_name = 'Log_Trace'"
    rows = app.state.logger.store.query(sql).rows
    opened = [str(row).replace('": "', '":"') for row in rows]
    assert sum('"column":"output_data"' in row for row in opened) == 2
    unknown = urls[0].rsplit("/", 1)[0]
    for wrong in (f"{unknown}/5", urls[1].replace("output_data", "stack_trace")):
        assert (await admin.get(wrong)).status_code in {404, 422}
