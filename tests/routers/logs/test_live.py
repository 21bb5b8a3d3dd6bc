"""The list while it is live, and its columns, over a SQLite file and a real sqld."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import orjson
import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import text

from app.cookies import JOBS, cookie_name
from app.lib.tracelog.ids import first_at
from app.lib.tracelog.store.store import StoreUnavailable
from app.lib.utils import utc_now
from app.routers.logs import live
from app.services.logs.live_tail import LiveTail
from tests.routers.conftest import Visit
from tests.routers.logs.conftest import HTMX, JAPANESE, delivered, keep
from tests.routers.made_up_jobs import add_job
from tests.services.log_book import LogBook


@pytest.fixture(autouse=True)
def two_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream looks twice and ends."""
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(live, "STREAM_SECONDS", 0.02)


def stream_of(page: Response) -> str:
    [url] = re.findall(r'data-live="([^"]+)"', page.text)
    return html.unescape(url)


def events(answer: Response) -> Iterator[dict[str, str]]:
    for block in answer.text.strip().split("\n\n"):
        yield dict(line.split(": ", 1) for line in block.split("\n"))


def shown(page: str) -> list[str]:
    return re.findall(r"line-clamp-2[^>]*>([^<]*)</bdi>", page)


async def test_only_administrators_get_the_stream(visit: Visit) -> None:
    assert (await (await visit("Hana")).get("/logs/requests/live")).status_code == 403


async def test_a_live_list_goes_on_where_it_was_read(app: FastAPI, admin: AsyncClient) -> None:
    delivered(app)
    page = await admin.get("/logs/requests?path=/n/&live=1&columns=ip")
    assert "/static/live." in page.text
    assert "Pause" in page.text
    assert 'name="live" value="1"' in page.text, "filtering keeps it"
    url = stream_of(page)
    assert url.startswith("/logs/requests/live?path=%2Fn%2F&columns=ip&since=")
    book = LogBook(utc_now())
    for number in range(3):
        book.after(1).request(f"/n/{number}", ip_address="10.0.0.9")
    book.after(1).request("/other")
    keep(app, book)
    answer = await admin.get(url)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    [start, news] = events(answer)
    assert start == {"retry": "1000"}
    assert news["event"] == "requests"
    data = orjson.loads(news["data"])
    assert (data["count"], data["whole"], data["more"]) == (3, False, False)
    assert shown(data["html"]) == ["/n/2", "/n/1", "/n/0"]
    assert data["html"].count("data-id=") == 3
    assert "10.0.0.9" in data["html"]

    later = first_at(book.now.timestamp() + 3600)
    again = await admin.get(url, headers={"Last-Event-ID": str(later)})
    assert len(list(events(again))) == 1, "a browser that comes back says where it was"
    for odd in ("x" * 30, "9" * 5000):
        answer = await admin.get(url, headers={"Last-Event-ID": odd})
        assert len(list(events(answer))) == 2


async def test_it_tells_of_jobs_too_where_the_browser_has_queued_some(
    app: FastAPI, admin: AsyncClient
) -> None:
    user = 1
    await add_job(app, "goes-on.csv", user, status="running", attempt=1)
    await add_job(app, "ended.csv", user, status="done", ended_at=utc_now() + timedelta(hours=1))
    without = await admin.get("/logs/requests/live")
    assert "event: jobs" not in without.text

    admin.cookies.set(cookie_name(app.state.settings, JOBS), "1")
    page = await admin.get("/logs/requests?live=1")
    news = await admin.get("/logs/requests/live")

    assert 'id="jobs-badge"' in page.text
    assert 'hx-sse:connect="/jobs/badge?' not in page.text  # one stream a page
    assert news.text.count("event: jobs") == 1
    assert '<hx-partial hx-target="#jobs-badge"' in news.text
    assert news.text.count("Done: Report: ended.csv") == 1


async def test_the_navigation_has_a_stream_of_its_own_while_the_list_is_not_live(
    app: FastAPI, admin: AsyncClient
) -> None:
    await add_job(app, "goes-on.csv", 1, status="running", attempt=1)
    admin.cookies.set(cookie_name(app.state.settings, JOBS), "1")
    stream = 'hx-sse:connect="/jobs/badge?'

    parts = [
        (await admin.get(f"/logs/requests?{query}", headers=HTMX)).text
        for query in ("live=1&after=9", "live=1", "after=9")
    ]

    assert ["data-live=" in part for part in parts] == [False, True, False]
    badges = [part.partition('<hx-partial hx-target="#jobs-badge"')[2] for part in parts]
    assert [stream in badge for badge in badges] == [True, False, False]
    assert [bool(badge) for badge in badges] == [True, True, False]


async def test_the_stream_says_when_the_database_is_down_and_goes_on(
    admin: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "STREAM_SECONDS", 0.03)
    real, answers = LiveTail.look, iter([False, False, True])

    async def look(self: LiveTail) -> object:
        if not next(answers):
            raise StoreUnavailable("down")
        return await real(self)

    monkeypatch.setattr(LiveTail, "look", look)
    told = list(events(await admin.get("/logs/requests/live?path=/nowhere")))
    assert [event["data"] for event in told if event.get("event") == "state"] == ["down", "up"]


@pytest.mark.parametrize("then", ["UPDATE users SET role = 'user'", "DELETE FROM login_sessions"])
async def test_who_is_signed_out_or_no_administrator_any_more_gets_nothing_more(
    app: FastAPI, admin: AsyncClient, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    monkeypatch.setattr(live, "STREAM_SECONDS", 0.05)
    real, looks = LiveTail.look, 0

    async def look(self: LiveTail) -> object:
        nonlocal looks
        looks += 1
        if looks == 2:
            async with app.state.database.system_session() as session:
                await session.execute(text(then))
        return await real(self)

    monkeypatch.setattr(LiveTail, "look", look)
    await admin.get("/logs/requests/live")
    assert looks == 2


async def test_older_pages_ended_spans_and_nonsense_are_not_live(admin: AsyncClient) -> None:
    for query in ("", "live=maybe", "live=1&after=1", "live=1&from=1780000000&to=1780003600"):
        page = (await admin.get(f"/logs/requests?{query}")).text
        assert "data-live=" not in page
        assert "/static/live." not in page
    assert ">Reload</a>" in (await admin.get("/logs/requests")).text
    japanese = await admin.get("/logs/requests?live=1", headers=JAPANESE)
    assert "新着 {} 件" in japanese.text


# --- columns ---------------------------------------------------------------------------------


def heads(page: Response) -> list[str]:
    found = re.findall(r'<th scope="col"[^>]*>\s*(.*?)\s*</th>', page.text)
    return [html.unescape(each) for each in found]


async def test_columns_are_chosen_by_the_url_and_stay(app: FastAPI, admin: AsyncClient) -> None:
    delivered(app)
    book = LogBook()
    header = {":route": "/n/{number}", "accept": "text/html"}
    for number in range(60):
        book.after(1).request(f"/n/{number}", ip_address="10.0.0.9", request_header=header)
    book.after(1).request("/n/odd", request_header='{":route":')
    keep(app, book)
    usual = await admin.get("/logs/requests?path=/n/")
    assert heads(usual) == ["Time", "Request", "Status code", "Duration", "User", "Trace"]
    page = await admin.get("/logs/requests?path=/n/&columns=trace.route.ip.nonsense")
    assert heads(page) == ["Request", "IP address", "Route", "Trace"]
    assert page.text.count(">/n/{number}</bdi>") == 49
    assert "10.0.0.9" in page.text
    [older] = re.findall(r'id="older"[^>]*href="([^"]+)"', page.text)
    assert "columns=ip.route.trace" in older
    assert heads(await admin.get(html.unescape(older))) == heads(page)
    # A form names each, and "request" for none.
    form = await admin.get("/logs/requests?columns=request&columns=status&columns=time&path=/n/")
    assert heads(form) == ["Time", "Request", "Status code"]
    assert heads(await admin.get("/logs/requests?columns=request&path=/n/")) == ["Request"]
