"""The trace log's pages on the narrowest phones."""

import re

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PASSWORD, Visit
from tests.browser.log_pages import beside, open_log, provoke_failure
from tests.browser.made_up_job import change
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
