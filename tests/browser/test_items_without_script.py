"""Items work with JavaScript off, as forms and links."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_from_the_first_item_to_the_last(visit: Visit, *, phone: bool) -> None:
    visitor = visit(script=False, phone=phone)
    page = visitor.go("/items")
    page.get_by_role("link", name="New item").click()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#title-new")).to_be_focused()
    page.get_by_label("Title").fill("One")
    visitor.add("Two", "Three")  # in another window, while the form is open
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("tr.item")).to_have_count(3)

    page.get_by_role("link", name="To do").click()
    page.get_by_role("link", name="Title").click()
    page.get_by_label("Search").fill("o")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"\?q=o&status=todo&sort=title&direction=asc$"))
    expect(page.locator("tr.item")).to_have_count(2)

    page.get_by_role("link", name="Edit “One”").click()
    page.get_by_label("Title").fill("Only one")
    page.get_by_label("Description").fill("Line 1\nLine 2")
    page.get_by_label("Due date").fill("2199-12-31")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"\?q=o&status=todo"))
    expect(page.locator("#toasts")).to_contain_text("“Only one” is saved.")

    page.locator("tr.item", has_text="Only one").get_by_role("button", name="To do").click()
    expect(page.locator("tr.item")).to_have_count(1)
    page.get_by_role("link", name="All", exact=True).click()
    page.get_by_label("Select “Two”").check()
    page.get_by_label("Select “Only one”").check()
    page.locator("#bulk").get_by_role("button", name="Delete").click()
    expect(page.locator("#toasts")).to_contain_text("2 items deleted.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("2 items are back.")

    page.goto(f"{visitor.origin}/items")
    page.get_by_role("link", name="Two", exact=True).click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("tr.item")).to_have_count(2)


def test_two_versions(visit: Visit) -> None:
    visitor = visit(script=False)
    visitor.add("Start", description="first")
    page = visitor.go("/items")
    page.get_by_role("link", name="Edit “Start”").click()
    path = page.url.removeprefix(visitor.origin).removesuffix("/edit")
    visitor.post(path, title="Theirs", description="first", version="1")
    page.get_by_label("Description").fill("mine")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Theirs", exact=True)).to_be_visible()
    page.locator("[name=take][value=title]").click()
    page.get_by_label("Description, yours").press("End")
    page.get_by_role("button", name="Save my version").last.click()
    expect(page.locator("tr.item")).to_contain_text("Theirs")
    expect(page.locator("tr.item")).to_contain_text("mine")
