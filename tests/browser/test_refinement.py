"""A suggestion that appears word by word and is taken, with and without script."""

from threading import Event

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.made_up_job import MadeUpJob
from tests.support import chat_server as chat
from tests.support.axe import violations
from tests.support.faulty_server import FaultyServer
from tests.support.live_app import LiveApp, StartApp

pytestmark = pytest.mark.browser


@pytest.fixture
def live_app(start_app: StartApp, faulty_server: FaultyServer) -> LiveApp:
    return start_app(AI_BASE_URL=faulty_server.url, AI_MODEL="a-model")


def open_item(page: Page) -> None:
    page.get_by_role("link", name="Tea", exact=True).click()
    expect(page.locator("h1")).to_have_text("Tea")


def test_a_suggestion_with_and_without_script(
    visit: Visit, faulty_server: FaultyServer, live_app: LiveApp
) -> None:
    it_appears_as_it_is_written_and_is_taken(visit, faulty_server, live_app)
    without_script_one_looks_again(visit, faulty_server)


def it_appears_as_it_is_written_and_is_taken(
    visit: Visit, faulty_server: FaultyServer, live_app: LiveApp
) -> None:
    go_on = Event()
    faulty_server.fault = chat.streams("Buy green", " <b>tea</b>.", before_the_last=go_on)
    visitor = visit()
    visitor.add("Tea", description="buy tea, green one")
    page = visitor.go("/items")
    open_item(page)
    assert violations(page) == []

    page.get_by_role("button", name="Suggest").click()
    suggestion = page.locator("#suggestion")
    expect(suggestion).to_have_text("Buy green")
    assert violations(page) == []
    job, badge = MadeUpJob(live_app, visitor), page.locator("#jobs-badge .badge")
    expect(badge).to_have_text("2")
    go_on.set()
    expect(suggestion).to_have_text("Buy green <b>tea</b>.")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    expect(badge).to_have_text("1")
    job.end()
    expect(page.locator("#toasts")).to_contain_text("Done: Report: list.csv")
    expect(badge).to_have_count(0)

    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#toasts")).to_contain_text("The suggestion is the description now.")
    expect(page.locator("article p").filter(has_text="Buy green <b>tea</b>.")).to_have_count(1)
    expect(page.get_by_role("button", name="Suggest")).to_be_visible()


def without_script_one_looks_again(visit: Visit, faulty_server: FaultyServer) -> None:
    go_on = Event()
    faulty_server.fault = chat.streams("Buy", " tea.", before_the_last=go_on)
    visitor = visit(script=False, language="ja")
    visitor.add("Tea", description="tea")
    page = visitor.go("/items")
    open_item(page)
    page.get_by_role("button", name="提案してもらう").click()
    again = page.get_by_role("link", name="もう一度見る")
    expect(again).to_be_visible()
    go_on.set()
    use_it = page.get_by_role("button", name="採用する")
    while not use_it.is_visible():
        with page.expect_navigation():
            again.click()
    expect(page.locator("#suggestion")).to_have_text("Buy tea.")
    page.get_by_role("button", name="破棄する").click()
    expect(page.get_by_role("button", name="提案してもらう")).to_be_visible()
