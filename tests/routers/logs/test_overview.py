"""The overview, over a SQLite file and a real sqld."""

import html
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from tests.routers.conftest import Visit
from tests.routers.logs.conftest import JAPANESE, TRACE, delivered, files_only, keep, sign_in_admin
from tests.services.log_book import LogBook

HOSTILE = '"><script>alert(1)</script>\u202e'


def recent_book() -> LogBook:
    return LogBook(datetime.now(UTC) - timedelta(minutes=10))


def chart(page: str, position: int) -> dict[str, list[dict[str, list[float | None]]]]:
    """What the script draws a chart from."""
    found = re.findall(r'data-chart="([^"]*)"', page)
    data: dict[str, list[dict[str, list[float | None]]]] = json.loads(
        html.unescape(found[position])
    )
    return data


async def test_only_administrators_see_it(visit: Visit, client: AsyncClient) -> None:
    signed_out = await client.get("/logs")
    assert signed_out.headers["location"].startswith("/sign-in")
    assert (await (await visit("Hana")).get("/logs")).status_code == 403


async def test_requests_are_counted_drawn_and_lead_to_those_behind_them(
    app: FastAPI, admin: AsyncClient
) -> None:
    book = recent_book()
    headers = {":route": "/items/{item_id}"}
    for number in range(8):
        book.after(10).request(f"/items/{number}", duration=20, request_header=headers)
    book.after(10).request("/items/9", 500, duration=900, request_header=headers)
    book.after(10).request("/gone", 404, duration=1)
    keep(app, book)

    delivered(app)

    page = (await admin.get("/logs?range=1h")).text

    assert ">11</a></dd>" in page, "with the administrator's own sign-in"
    assert ">9.1 %</a></dd>" in page
    lines = chart(page, 0)["lines"]
    assert [round(sum(value or 0 for value in line["values"])) for line in lines] == [11, 1, 1]
    # The administrator's own sign-in, which is later, may have taken as long.
    slow, *_ = re.findall(r'<a href="([^"]+slower=256[^"]+)" aria-label="([^"]+)"', page)
    listed = (await admin.get(html.unescape(slow[0]))).text
    assert re.findall(r"<bdi class=\"line-clamp-2[^>]*>([^<]*)</bdi>", listed) == ["/items/9"]
    [route] = re.findall(r'href="([^"]+)"><span[^>]*>GET</span> <bdi[^>]*>/items/', page)[:1]
    assert "/items/9" in (await admin.get(html.unescape(route))).text


async def test_a_failure_is_one_click_from_its_stack_trace(
    app: FastAPI, admin: AsyncClient
) -> None:
    answer = await admin.get("/report?month=2026-13")
    assert answer.status_code == 500
    delivered(app)

    page = (await admin.get("/logs")).text

    [(count, url)] = re.findall(
        r'badge-error[^>]*>(\d+)</a>\s*<span[^>]*><a[^>]*href="([^"]+)">ZeroDivisionError', page
    )
    assert count == "1"
    assert url == f"/logs/traces/{answer.headers['x-trace-id']}#failure"
    trace = (await admin.get(url)).text
    assert 'id="failure"' in trace
    assert "in report" in trace.partition('id="failure"')[2]


async def test_what_has_begun_and_not_ended_is_named(app: FastAPI, admin: AsyncClient) -> None:
    book = LogBook(datetime.now(UTC) - timedelta(hours=2))
    for number in range(5):
        trace = f"00000000-0000-4000-8000-00000000000{number}"
        book.after(1).step("Nightly", "Sync", "START", trace=trace)
        book.after(500).step("Nightly", "Sync", "SUCCESS", trace=trace)
    book.step("Nightly", "Sync", "START", trace=TRACE)
    book.now = datetime.now(UTC)
    book.step("Import", "Fetch", "START", trace="7d000000-0000-4000-8000-000000000002")
    keep(app, book)

    page = re.sub(r"\s+", " ", (await admin.get("/logs")).text)

    assert re.search(
        rf'href="/logs/traces/{TRACE}">Nightly › Sync</a> <span[^>]*><span[^>]*>Stuck', page
    )
    assert re.search(r"Import › Fetch</a> <span[^>]*><span[^>]*>Running", page)


async def test_the_span_of_time_stands_in_the_url_and_goes_along(
    app: FastAPI, admin: AsyncClient
) -> None:
    book = recent_book()
    book.request("/now")
    book.now -= timedelta(hours=3)
    keep(app, book)
    start = int(book.now.timestamp()) // 60 * 60

    page = (await admin.get(f"/logs?from={start - 60}&to={start + 60}")).text

    assert "No requests in this time." in page
    assert f'href="/logs/requests?from={start - 60}&amp;to={start + 60}"' in page
    assert f'href="/logs?from={start - 180}&amp;to={start + 180}">Zoom out' in page
    inside = await admin.get(f"/logs/requests?from={start}&to={start + 4 * 3600}")
    assert "/now" in inside.text
    outside = await admin.get(f"/logs/requests?from={start}&to={start + 3600}")
    assert "No requests in this time." in outside.text


@pytest.mark.parametrize("query", ["from=x", "range=2y", "from=99999999999", "from=5&to=2"])
async def test_a_span_that_makes_no_sense_is_the_usual_one(
    app: FastAPI, admin: AsyncClient, query: str
) -> None:
    delivered(app)
    page = await admin.get(f"/logs?{query}")
    assert page.status_code == 200
    assert re.search(r'btn-neutral" aria-current="true">24 h', page.text)


async def test_the_day_before_is_one_click_away_and_so_is_the_way_back(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(hours=30))
    book.request("/yesterday", request_header={":route": "/yesterday"})
    keep(app, book)
    today = (await admin.get("/logs?range=24h")).text
    before = re.search(r'rel="prev" href="([^"]+)" title="As much time before this"', today)
    assert before
    yesterday = (await admin.get(html.unescape(before[1]))).text
    after = re.search(r'rel="next" href="([^"]+)" title="As much time after this"', yesterday)
    assert after
    back = (await admin.get(html.unescape(after[1]))).text
    shown = ["/yesterday</bdi>" in page for page in (today, yesterday, back)]
    assert shown == [False, True, False]
    assert "As much time" not in (await admin.get("/logs/requests")).text, "there is all time"


async def test_a_form_without_a_script_asks_by_the_readers_clock(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    admin.cookies.set("tz", "Asia/Tokyo")
    page = await admin.get("/logs?from=2026-11-23T10:00&to=2026-11-23T11:00")
    assert 'value="2026-11-23T10:00"' in page.text
    assert "/logs/requests?from=1795395600&amp;to=1795399200" in page.text


async def test_it_speaks_japanese_and_says_who_delivers(app: FastAPI, admin: AsyncClient) -> None:
    await admin.get("/account")
    delivered(app)
    page = (await admin.get("/logs", headers=JAPANESE)).text
    assert "1 分あたりのリクエスト" in page
    assert "（これ）" in page


async def test_what_was_logged_is_shown_escaped(app: FastAPI, admin: AsyncClient) -> None:
    book = recent_book()
    book.request("/x", request_header={":route": HOSTILE})
    book.step(HOSTILE, HOSTILE, "FAILED", error_message=HOSTILE)
    book.step(HOSTILE, "open", "START")
    keep(app, book)
    page = (await admin.get("/logs")).text
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)" in page


async def test_an_app_that_logs_to_files_only_says_so(app: FastAPI) -> None:
    admin = await sign_in_admin(app)
    with files_only(app):
        page = await admin.get("/logs")
    assert page.status_code == 503
    assert "This app delivers its log to no database." in page.text
