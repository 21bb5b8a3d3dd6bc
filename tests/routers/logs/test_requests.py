"""The list of requests, as administrators see it, over a SQLite file and a real sqld."""

import html
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.schema import API_LOGS
from tests.routers.conftest import ORIGIN, Visit
from tests.routers.logs.conftest import HTMX, JAPANESE, TRACE, delivered, keep, paths
from tests.services.log_book import LogBook

# --- who may look ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/logs/requests", f"/logs/traces/{TRACE}", "/logs/requests?path=/x"]
)
async def test_signed_out_readers_are_sent_to_sign_in_and_back(
    client: AsyncClient, path: str
) -> None:
    page = await client.get(path)
    assert page.status_code == 303
    assert page.headers["location"].startswith("/sign-in?next=/logs")


@pytest.mark.parametrize("path", ["/logs/requests", f"/logs/traces/{TRACE}"])
async def test_users_without_the_role_are_refused(visit: Visit, path: str) -> None:
    assert (await (await visit("Hana")).get(path)).status_code == 403


# --- the list --------------------------------------------------------------------------------


async def test_each_response_is_in_the_list_and_on_a_page_of_its_own(
    app: FastAPI, admin: AsyncClient
) -> None:
    answers = [
        await admin.post("/account/password", data={"current": "guess", "new": "a-longer-one-2"}),
        await admin.post("/account/delete", data={"email": "guess@example.com"}),
        await admin.get("/account"),
        await admin.get("/account/999"),
    ]
    delivered(app)
    page = await admin.get("/logs/requests")
    assert page.status_code == 200
    assert paths(page)[:4] == ["/account/999", "/account", "/account/delete", "/account/password"]
    for answer in answers:
        trace_id = answer.headers["x-trace-id"]
        assert f'href="/logs/traces/{trace_id}"' in page.text
        trace = await admin.get(f"/logs/traces/{trace_id}")
        assert trace.status_code == 200
        assert trace_id in trace.text
        assert f">{answer.status_code}</span>" in trace.text
    refused = await admin.get(f"/logs/traces/{answers[0].headers['x-trace-id']}")
    for word in ("Account_Change_Password", "Verify_Password", "user_id", "InvalidCredentials"):
        assert word in refused.text


async def test_looking_at_the_log_leaves_no_row_in_it(app: FastAPI, admin: AsyncClient) -> None:
    delivered(app)
    for _ in range(3):
        await admin.get("/logs/requests")
    delivered(app)
    assert not any(
        path.startswith("/logs/requests") for path in paths(await admin.get("/logs/requests"))
    )


async def test_filters_stand_in_the_url_and_each_can_be_taken_back(
    app: FastAPI, admin: AsyncClient
) -> None:
    await admin.post("/account/delete", data={"email": ""})
    await admin.get("/account/999")
    await admin.get("/account")
    delivered(app)
    page = await admin.get("/logs/requests?status=4xx&path=/account&method=GET")
    assert paths(page) == ["/account/999"]
    assert '<input id="path" type="search" name="path" value="/account"' in page.text
    assert "<option selected>GET</option>" in page.text
    for url in (
        "/logs/requests?method=GET&amp;path=%2Faccount",
        "/logs/requests?status=4xx&amp;path=%2Faccount",
    ):
        assert f'<a href="{url}" class="btn btn-xs' in page.text
    assert paths(await admin.get("/logs/requests?status=4xx&path=/account")) == [
        "/account/999",
        "/account/delete",
    ]


async def test_whatever_one_was_told_of_a_request_finds_it_in_the_first_field(
    app: FastAPI, admin: AsyncClient
) -> None:
    trace_id = (await admin.get("/account/999")).headers["X-Trace-Id"]
    await admin.get("/account")
    await admin.get("/東京")
    delivered(app)
    for told in (
        "/account/9",
        f" {trace_id.upper()} ",
        "https://example.com/account/999?tab=2#top",
    ):
        page = await admin.get("/logs/requests", params={"path": told})
        assert paths(page) == ["/account/999"], told
    wide = {"status": "４０４", "slower": "０", "trace": trace_id.replace("-", "－")}
    page = await admin.get("/logs/requests", params=wide)
    assert (paths(page), "left out" in page.text) == (["/account/999"], False)
    address = await admin.get("/logs/requests", params={"path": "https://example.com"})
    assert "/account/999" in paths(address)
    copied = {"path": "https://example.com/%E6%9D%B1%E4%BA%AC?a=%20"}
    assert paths(await admin.get("/logs/requests", params=copied)) == ["/東京"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/logs/requests?user=Aki", "A user ID is a whole number."),
        ("/logs/requests?status=teapot", "A status is a number such as 404"),
        ("/logs/requests?trace=3f2a", "A trace ID needs at least its first 8 characters."),
        ("/logs/requests?method=G+T", "A method is a word such as POST."),
        (f"/logs/requests?path={'x' * 201}", "The path is too long."),
    ],
)
async def test_a_filter_that_makes_no_sense_is_left_out_and_said_so(
    app: FastAPI, admin: AsyncClient, url: str, words: str
) -> None:
    delivered(app)
    page = await admin.get(url)
    assert page.status_code == 200
    assert words in page.text
    assert "/sign-in" in paths(page)


async def test_pages_lead_to_older_and_newer_requests_by_exact_ids(
    app: FastAPI, admin: AsyncClient
) -> None:
    book = LogBook()
    for number in range(60):
        book.after(1).request(f"/n/{number}")
    keep(app, book)
    first = await admin.get("/logs/requests?path=/n/")
    assert paths(first) == [f"/n/{number}" for number in range(59, 9, -1)]
    cursor = str(book.rows[API_LOGS][10][0])
    assert len(cursor) == 19
    assert f'href="/logs/requests?path=%2Fn%2F&amp;after={cursor}"' in first.text
    second = await admin.get(f"/logs/requests?path=/n/&after={cursor}")
    assert paths(second) == [f"/n/{number}" for number in range(9, -1, -1)]
    newer = re.search(r'id="newer"[^>]*href="([^"]*)"', second.text)
    assert newer is not None
    assert paths(await admin.get(newer[1].replace("&amp;", "&"))) == paths(first)


async def test_htmx_gets_the_list_alone_and_the_url_to_remember(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    part = await admin.get("/logs/requests?path=&method=&user=&trace=&status=3xx", headers=HTMX)
    assert part.text.lstrip().startswith('<section id="requests"')
    assert "<html" not in part.text
    assert part.headers["hx-push-url"] == "/logs/requests?status=3xx"
    assert "hx-reswap" not in part.headers
    assert {"HX-Request", "HX-Request-Type"} <= set(part.headers["vary"].split(", "))
    typing = {**HTMX, "HX-Current-URL": f"{ORIGIN}/logs/requests?path=/it"}
    part = await admin.get("/logs/requests?path=/items", headers=typing)
    assert part.headers["hx-replace-url"] == "/logs/requests?path=%2Fitems"


async def test_times_are_those_of_the_readers_clock(app: FastAPI, admin: AsyncClient) -> None:
    book = LogBook()  # 2026-11-23 01:02:03 UTC
    book.request("/n")
    keep(app, book)
    utc = await admin.get("/logs/requests?path=/n")
    assert "01:02:03" in utc.text
    assert "Nov 23, 2026" in utc.text
    admin.cookies.set("tz", "Pacific/Honolulu")
    hawaii = await admin.get("/logs/requests?path=/n")
    assert "15:02:03" in hawaii.text
    assert "Nov 22, 2026" in hawaii.text
    assert 'datetime="2026-11-23T01:02:03.000Z"' in hawaii.text


@pytest.mark.parametrize(
    ("query", "english", "japanese"),
    [
        ("path=/nowhere", "No request matches.", "該当するリクエストがありません。"),
        (
            "after=1",
            "There are no older requests.",
            "これより古いリクエストはありません。",
        ),
    ],
)
async def test_an_empty_list_says_what_to_do(
    app: FastAPI, admin: AsyncClient, query: str, english: str, japanese: str
) -> None:
    delivered(app)
    url = f"/logs/requests?{query}"
    assert english in (await admin.get(url)).text
    page = await admin.get(url, headers=JAPANESE)
    assert japanese in page.text
    assert 'href="/logs/requests"' in page.text


async def test_the_first_visit_says_that_nothing_is_recorded_yet(
    app: FastAPI, admin: AsyncClient
) -> None:
    logger: EnhancedCSVLogger = app.state.logger
    delivered(app)
    # A second log, as a new server has it.
    app.state.logger = fresh = EnhancedCSVLogger(base_path=logger.recorder.log_dir / "fresh")
    fresh.store.migrate()
    page = await admin.get("/logs/requests")
    assert "No request has been recorded yet." in page.text
    fresh.close(0.0)
    app.state.logger = logger


async def test_the_state_of_the_log_is_counted(app: FastAPI, admin: AsyncClient) -> None:
    await admin.get("/account")
    delivered(app)
    page = await admin.get("/logs/requests")
    rows = app.state.logger.recorder.tally.totals().appended
    for word, count in [("Recorded", rows), ("Delivered", rows), ("On their way", 0)]:
        assert re.search(rf"<dt[^>]*>{word}</dt> <dd[^>]*>{count}</dd>", page.text), word
    assert "still on" not in page.text


async def test_rows_that_another_log_database_has_are_told_of(
    app: FastAPI, admin: AsyncClient, tmp_path: Path
) -> None:
    delivered(app)
    logger: EnhancedCSVLogger = app.state.logger
    logger.close()
    other = tmp_path / "other.db"
    app.state.logger = moved = EnhancedCSVLogger(f"file:{other}", base_path=logger.recorder.log_dir)
    moved.store.migrate()
    rows = moved.status().shipped

    page = await admin.get("/logs/requests")
    assert f"{rows} delivered rows went to another log database, {logger.store.name}." in page.text
    page = await admin.get("/logs/requests", headers=JAPANESE)
    assert f"以前のログデータベース {logger.store.name} にあります。" in page.text
    moved.close(0.0)
    app.state.logger = logger


# --- further filters ----------------------------------------------------------------------------


async def test_requests_are_found_by_route_address_duration_and_failed_steps(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book = LogBook()
    other = "7d000000-0000-4000-8000-000000000002"
    headers = {":route": "/items/{item_id}"}
    book.request("/items/1", ip_address="10.0.0.1", duration=5, request_header=headers)
    book.after(1).request("/items/1/edit", ip_address="10.0.0.2", duration=500, trace=other)
    book.after(1).step("Report", "Render", "FAILED", trace=other, error_message="no")
    keep(app, book)

    async def found(query: str) -> list[str]:
        return paths(await admin.get(f"/logs/requests?{query}"))

    assert await found("route=/items/%7Bitem_id%7D") == ["/items/1"]
    assert await found("route=/items/%7B%7D/edit") == ["/items/1/edit"]
    assert await found("ip=10.0.0.2") == ["/items/1/edit"]
    assert await found("slower=5&faster=500&ip=10.0.0.1") == ["/items/1"]
    assert await found("slower=501&path=/items") == []
    assert await found("failed=1") == ["/items/1/edit"]
    page = await admin.get("/logs/requests?slower=fast&failed=maybe")
    assert page.text.count("This filter was left out.") == 1
    assert "This filter can only be on or off." in page.text


async def test_the_requests_of_a_span_are_counted_by_class(
    app: FastAPI, admin: AsyncClient
) -> None:
    book = LogBook()
    book.request()
    for _ in range(3):
        book.after(1).request(status=404)
    keep(app, book)
    start = int(book.now.timestamp()) // 60 * 60
    page = await admin.get(f"/logs/requests?from={start}&to={start + 60}")
    shown = re.findall(r'id="status-(\w+)"[^>]*>\s*\w+<span[^>]*>(\d+)', page.text)
    assert shown == [("all", "4"), ("2xx", "1"), ("3xx", "0"), ("4xx", "3"), ("5xx", "0")]
    assert f"from={start}&amp;to={start + 60}&amp;status=4xx" in page.text
    other = await admin.get(f"/logs/requests?from={start}&to={start + 60}&user=1")
    assert not re.search(r'id="status-all"[^>]*>\s*All<span', other.text)


async def test_a_filter_is_shown_as_the_sql_that_finds_the_same(
    app: FastAPI, admin: AsyncClient
) -> None:
    book = LogBook()
    for number in range(3):
        book.after(5).request(f"/it's/{number}", 404 if number else 200)
    keep(app, book)

    page = await admin.get("/logs/requests?status=404&path=/it's")
    url = re.search(r'href="(/logs/console\?sql=[^"]+)"', page.text)
    assert url is not None
    answer = await admin.get(html.unescape(url[1]))

    assert "response_status = 404" in html.unescape(page.text)
    assert "2 rows" in answer.text
    assert "/it&#39;s/2" in answer.text


async def test_a_good_answer_with_a_failed_step_is_marked_and_leads_to_it(
    app: FastAPI, admin: AsyncClient
) -> None:
    delivered(app)
    book, other = LogBook(), "7d000000-0000-4000-8000-000000000002"
    book.after(1).step("Order", "Pay", "FAILED", error_message="try again")
    book.after(1).step("Order", "Pay", "SUCCESS")
    book.after(1).request("/tried-again")
    book.after(1).step("Order", "Pay", "FAILED", trace=other, error_message="no")
    book.after(1).request("/refused", 409, trace=other)
    keep(app, book)

    page = (await admin.get("/logs/requests")).text

    assert re.findall(r'href="([^"]+)"[^>]*title="A step failed"', page) == [
        f"/logs/traces/{TRACE}#failure"
    ]
