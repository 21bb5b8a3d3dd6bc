"""Menus that open from a button: where they stand, in windows of any size."""

import itertools

import pytest
from playwright.sync_api import FloatRect, Page, expect

from tests.browser.conftest import Visit, Visitor
from tests.browser.made_up_job import change
from tests.support.live_app import LiveApp

pytestmark = pytest.mark.browser

SIZES = ((1280, 900), (1280, 400), (390, 844), (320, 568), (320, 400))
NEAR = 12.0
MENUS = (
    ("/logs/requests", "columns"),
    ("/logs/requests", "span-menu"),
    ("/logs", "span-menu"),
    ("/items", "display-menu"),
    ("/items", "account-menu"),
)


def an_administrator(visit: Visit, live_app: LiveApp, *, script: bool) -> Visitor:
    visitor = visit(language="ja", script=script)
    change(live_app, "UPDATE users SET role = 'admin' WHERE email = ?", visitor.email)
    return visitor


def gap(one: FloatRect, other: FloatRect) -> float:
    """Between two boxes; below 0 where one covers a part of the other."""
    across = max(one["x"], other["x"]) - min(one["x"] + one["width"], other["x"] + other["width"])
    down = max(one["y"], other["y"]) - min(one["y"] + one["height"], other["y"] + other["height"])
    return max(across, down)


def misplaced(page: Page, menu_id: str) -> str | None:
    """What is wrong with the place of the open menu."""
    size = page.viewport_size
    menu = page.locator(f"#{menu_id}").bounding_box()
    button = page.locator(f"[popovertarget={menu_id}]").bounding_box()
    assert size is not None
    assert menu is not None
    assert button is not None
    right, bottom = menu["x"] + menu["width"], menu["y"] + menu["height"]
    if min(menu["x"], menu["y"]) < 0 or right > size["width"] or bottom > size["height"]:
        return f"out of the window: {menu}"
    if not 0 <= gap(menu, button) <= NEAR:
        return f"not at its button: {menu}, {button}"
    return None


def test_a_menu_stands_at_its_button_and_within_the_window(visit: Visit, live_app: LiveApp) -> None:
    administrator = an_administrator(visit, live_app, script=False)
    wrong = []
    for path, menu_id in MENUS:
        page = administrator.go(path)
        for (width, height), block in itertools.product(SIZES, ("start", "end")):
            page.set_viewport_size({"width": width, "height": height})
            button, menu = page.locator(f"[popovertarget={menu_id}]"), page.locator(f"#{menu_id}")
            button.evaluate("(button, block) => button.scrollIntoView({ block })", block)
            button.press("Enter")
            expect(menu).to_be_visible()
            if trouble := misplaced(page, menu_id):
                wrong.append((path, width, height, block, trouble))
            page.keyboard.press("Escape")
            expect(menu).to_be_hidden()
    assert wrong == []


def test_the_menu_of_columns_stays_at_its_button_while_the_list_changes(
    visit: Visit, live_app: LiveApp
) -> None:
    page = an_administrator(visit, live_app, script=True).go("/logs/requests")
    button, menu = page.locator("[popovertarget=columns]"), page.locator("#columns")
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#requests th").first).not_to_have_text("日時")
    expect(menu).to_be_visible()
    assert misplaced(page, "columns") is None
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
