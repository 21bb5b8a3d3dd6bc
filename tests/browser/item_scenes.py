"""What can be shown of items, to be looked at there."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.browser.scenes import Show, opened


def filled(visitor: Visitor) -> Page:
    """A list with one of each kind, whatever the scene before it has left."""
    page = visitor.go("/items")
    if page.locator("tr.item").count() >= 4:
        return page
    visitor.add("議事録を書く", "Send the invoice", due_on="2020-01-01", description="Soon")
    visitor.add("Pay", status="done")
    visitor.add("Plan", status="doing", due_on="2199-01-01")
    return visitor.go("/items")


def items(visitor: Visitor) -> None:
    page = filled(visitor)
    page.locator("tr.item input[type=checkbox]").first.check()
    expect(page.locator("#bulk")).to_be_visible()


def new_item(visitor: Visitor) -> None:
    page = filled(visitor)
    page.locator("#new").click()
    expect(page.locator("#title-new")).to_be_focused()


def edit_with_problem(visitor: Visitor) -> None:
    page = filled(visitor)
    page.locator("[id^=edit-]").first.click()
    page.locator("[id^=title-]").fill("")
    page.locator("tr form .btn-primary").click()
    expect(page.locator("[aria-invalid=true]")).to_be_focused()


def conflict(visitor: Visitor) -> None:
    page = filled(visitor)
    page.locator("[id^=edit-]").first.click()
    action = page.locator("tr form[hx-post]:has(textarea)").get_attribute("action")
    visitor.post(str(action), title="Theirs", version="1", status="done")
    page.locator("tr form .btn-primary").click()
    expect(page.locator("[name=take]")).to_have_count(3)


def deleted(visitor: Visitor) -> None:
    page = filled(visitor)
    page.locator("tr.item form[action='/items/delete'] button").first.click()
    expect(page.locator("[data-toast]")).to_be_visible()


def detail(visitor: Visitor) -> None:
    page = filled(visitor)
    page.locator("tr.item a").first.click()
    expect(page.locator("article")).to_be_visible()


ITEMS: dict[str, Show] = {
    "empty list": opened("/items"),
    "nothing found": opened("/items?q=zzz"),
    "items": items,
    "new item": new_item,
    "new item, page": opened("/items/new"),
    "edit with problem": edit_with_problem,
    "conflict": conflict,
    "deleted": deleted,
    "item": detail,
}
