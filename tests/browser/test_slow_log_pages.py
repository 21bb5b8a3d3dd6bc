"""The trace log's pages where answers take their time."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.made_up_job import change
from tests.support.live_app import LiveApp

pytestmark = pytest.mark.browser


def test_what_was_clicked_is_faded_until_its_answer_is_there(
    visit: Visit, live_app: LiveApp
) -> None:
    visitor = visit()
    change(live_app, "UPDATE users SET role = 'admin' WHERE email = ?", visitor.email)
    page = visitor.go("/logs/requests")
    held: list[Route] = []
    page.route("**/logs/requests?status=4xx", lambda route: held.append(route))
    button = page.locator("#status-4xx")
    expect(button).to_have_css("opacity", "1")
    with page.expect_request("**/logs/requests?status=4xx"):
        button.click()
    expect(button).to_have_css("opacity", "0.5")
    held[0].continue_()
    expect(button).to_have_attribute("aria-current", "true")
    expect(button).to_have_css("opacity", "1")
