"""The live list of requests, where its stream does not come back."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.made_up_job import change
from tests.support.live_app import LiveApp

pytestmark = pytest.mark.browser


def test_who_may_not_read_it_any_more_is_told_that_it_has_ended_and_nothing_else(
    visit: Visit, live_app: LiveApp
) -> None:
    visitor = visit(fresh=True)
    change(live_app, "UPDATE users SET role = 'admin' WHERE email = ?", visitor.email)
    visitor.page.clock.install()
    page = visitor.go("/logs/requests?live=1")
    expect(page.locator("[data-live-open]")).to_be_attached()
    change(live_app, "UPDATE users SET role = 'user' WHERE email = ?", visitor.email)
    ended = page.get_by_text("New requests no longer appear here.")
    expect(ended).to_be_visible()
    page.clock.run_for(10_000)
    expect(ended).to_be_visible()
    visitor.troubles.clear()  # the browser tells of the refusal, too
