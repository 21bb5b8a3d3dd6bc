"""A trace on paper, or as a PDF for somebody: light, whole, and nothing to click."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.utils import utc_now
from tests.browser.conftest import Visit, Visitor
from tests.browser.made_up_job import change
from tests.services.log_book import LogBook
from tests.support.live_app import LiveApp

pytestmark = pytest.mark.browser

TRACE = "9a000000-0000-4000-8000-000000000001"
PAPER = {"width": 718, "height": 1000}  # A4 between its margins
CODE = f"    raise ValueError({'wide_' * 60})"
STACK = f'  File "app/services/orders.py", line 3, in pay\n{CODE}\nValueError: declined'


@pytest.fixture
def trace_id(live_app: LiveApp) -> str:
    """A request with a step that went well and gave much, and one that failed."""
    book = LogBook(utc_now() - timedelta(minutes=5))
    book.step("Order", "Load", "START", trace=TRACE, input_data={"order": 7})
    lines = ["品物" * 40] * 8
    book.after(5).step("Order", "Load", "SUCCESS", trace=TRACE, output_data={"lines": lines})
    book.after(5).step(
        "Order",
        "Pay",
        "FAILED",
        order=2,
        trace=TRACE,
        error_message="ValueError: declined",
        stack_trace=STACK,
    )
    headers = {"accept": "text/html", "user-agent": "x" * 300}
    book.after(5).request("/pay", 500, trace=TRACE, request_header=headers)
    store = SQLiteStore(live_app.log_dir / "trace.db")
    book.deliver(store)
    store.close()
    return TRACE


def paper(live_app: LiveApp, visitor: Visitor, path: str) -> Page:
    change(live_app, "UPDATE users SET role = 'admin' WHERE email = ?", visitor.email)
    page = visitor.go(path)
    page.set_viewport_size(PAPER)  # type: ignore[arg-type] # its keys are known
    page.emulate_media(media="print")
    return page


@pytest.mark.parametrize("script", [True, False])
def test_a_printed_trace_tells_everything_and_has_nothing_to_click(
    visit: Visit, live_app: LiveApp, trace_id: str, *, script: bool
) -> None:
    page = paper(live_app, visit(script=script), f"/logs/traces/{trace_id}")

    for words in ('"order": 7', "品物品物", '"user-agent"', "ValueError: declined", "/pay"):
        expect(page.get_by_text(words).first).to_be_visible()
    for words in ("All requests", "To the step", "As a curl command", "Copy"):
        expect(page.get_by_text(words).first).to_be_hidden()
    for found in page.locator("nav, header, footer, button").all():
        expect(found).to_be_hidden()
    cut = """[...document.querySelectorAll("main *")].filter((part) => {
      const style = getComputedStyle(part);
      return part.clientWidth > 1 && style.overflow !== "visible" && part.tagName !== "svg"
        && (part.scrollWidth > part.clientWidth + 1 || part.scrollHeight > part.clientHeight + 1);
    }).map((part) => part.className)"""
    assert page.evaluate(cut) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("theme", ["dark", "system"])
def test_it_is_dark_on_light_whatever_the_screen_is(
    visit: Visit, live_app: LiveApp, trace_id: str, theme: str
) -> None:
    visitor = visit(theme=theme)
    visitor.page.emulate_media(color_scheme="dark")
    page = paper(live_app, visitor, f"/logs/traces/{trace_id}")
    page.emulate_media(media="print", color_scheme="dark")

    colours = """(name) => {
      const [area] = [Object.assign(document.createElement("canvas"), {width: 1, height: 1})];
      const pen = area.getContext("2d");
      pen.fillStyle = getComputedStyle(document.querySelector("h1"))[name];
      pen.fillRect(0, 0, 1, 1);
      return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    }"""
    assert page.evaluate(colours, "color") == [0, 0, 0]
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def test_a_group_of_failures_is_printed_without_its_form(
    visit: Visit, live_app: LiveApp, trace_id: str
) -> None:
    visitor = visit()
    page = paper(live_app, visitor, f"/logs/traces/{trace_id}")
    group = page.locator("a[href^='/logs/errors/']").first.get_attribute("href")
    page = paper(live_app, visitor, str(group))
    expect(page.get_by_text("Occurrences")).to_be_visible()
    expect(page.locator("#note")).to_be_hidden()


def test_a_printed_overview_says_which_time_it_tells_of(visit: Visit, live_app: LiveApp) -> None:
    visitor = visit(language="ja")
    page = paper(live_app, visitor, "/logs?from=1795395600&to=1795399200")
    told = page.get_by_text("2026/11/23")
    expect(told).to_be_visible()
    page.emulate_media(media="screen")
    expect(told).to_be_hidden()
