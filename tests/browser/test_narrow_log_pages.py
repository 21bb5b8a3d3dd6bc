"""The trace log's pages on the narrowest phones."""

import re

import pytest
from playwright.sync_api import Page

from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.utils import utc_now
from tests.browser.conftest import PASSWORD, Visit
from tests.browser.log_pages import beside, open_log, provoke_failure
from tests.browser.made_up_job import change
from tests.services.log_book import LogBook
from tests.support.live_app import LiveApp

pytestmark = pytest.mark.browser

PATHS = (
    *(
        "/logs?range=15m",
        "/logs/requests?user=1&status=4xx&columns=ip&columns=route",
        f"/logs/requests?status=404&path=/{'p' * 150}&without=/{'x' * 150}+user:3",
        "/logs/errors?state=all",
    ),
    *("/logs/tasks", "/logs/queries", "/logs/queries/user-actions?user=1", "/logs/console"),
    "/logs/alerts",
    "/logs?from=1700000000&to=1700086400",
)


def is_wide(page: Page) -> bool:
    page.set_viewport_size({"width": 320, "height": 568})
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_nothing_is_wider_than_the_window(visit: Visit, live_app: LiveApp, language: str) -> None:
    other, visitor = visit(), visit(language=language)
    change(live_app, "UPDATE users SET role = 'admin' WHERE email = ?", visitor.email)
    with beside(other) as client:
        # The failure is compared with this run.
        fields = {"current": PASSWORD, "new": "a-longer-one-3"}
        assert client.post("/account/password", data=fields).status_code == 303
    failed = f"/logs/traces/{provoke_failure(visitor)}"
    page = open_log(visitor, failed, "/compare/")
    wide = [failed] if is_wide(page) else []
    group = page.locator("a[href^='/logs/errors/']").first.get_attribute("href")
    comparison = page.locator("a[href*='/compare/']").first.get_attribute("href")
    for path in (*PATHS, str(group), str(comparison)):
        if is_wide(visitor.go(path)):
            wide.append(re.sub(r"[0-9a-f-]{16,}", "…", path))
    assert wide == []


def test_the_ways_to_the_time_before_and_after_stand_side_by_side(
    visit: Visit, live_app: LiveApp
) -> None:
    visitor = visit(language="ja")
    change(live_app, "UPDATE users SET role = 'admin' WHERE email = ?", visitor.email)
    page = visitor.go("/logs?from=1700000000&to=1700086400")
    page.set_viewport_size({"width": 320, "height": 568})
    boxes = [page.locator(f"main a[rel={rel}]").bounding_box() for rel in ("prev", "next")]
    assert len({box["y"] for box in boxes if box}) == 1


def test_how_a_run_ended_stands_on_one_line(visit: Visit, live_app: LiveApp) -> None:
    visitor = visit(language="ja", phone=True)
    change(live_app, "UPDATE users SET role = 'admin' WHERE email = ?", visitor.email)
    book = LogBook(utc_now())
    book.step("Cut_Off", "Send", "START", trace="3f2a1b9c-0000-4000-8000-0000000c0ff0")
    store = SQLiteStore(live_app.log_dir / "trace.db")
    book.deliver(store)
    store.close()
    badge = visitor.go("/logs/tasks?task=Cut_Off").get_by_text("終了の記録なし")
    lines = "e => Math.round(e.firstChild && (r => (r.selectNode(e.firstChild), r))"
    lines += "(document.createRange()).getClientRects().length)"
    assert badge.evaluate(lines) == 1
