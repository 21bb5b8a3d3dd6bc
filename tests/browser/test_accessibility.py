"""axe finds nothing on any page, in both themes and both languages."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, Visitor
from tests.support.axe import violations

pytestmark = pytest.mark.browser

Show = Callable[[Visitor], None]


def opened(path: str) -> Show:
    def show(visitor: Visitor) -> None:
        visitor.go(path)

    return show


def rejected_sign_in(visitor: Visitor) -> None:
    page = visitor.go("/sign-in")
    page.locator("main form button").click()
    expect(page.locator("main [role=alert]")).to_be_visible()


def rejected_sign_up(visitor: Visitor) -> None:
    page = visitor.go("/sign-up")
    page.locator("main form button").click()
    expect(page.locator("[aria-invalid=true]")).to_have_count(3)


def menus(visitor: Visitor) -> None:
    page = visitor.go("/")
    page.locator("[popovertarget=display-menu]").click()
    expect(page.locator("#display-menu")).to_be_visible()


ANONYMOUS: dict[str, Show] = {
    "home": opened("/"),
    "sign in": opened("/sign-in"),
    "sign in, wrong": rejected_sign_in,
    "sign up": opened("/sign-up"),
    "sign up, wrong": rejected_sign_up,
    "sign in by mail": opened("/sign-in/link"),
    "check mail": opened("/check-mail"),
    "confirm": opened("/auth/confirm?token_hash=x&type=email"),
    "mailbox": opened("/dev/mail"),
    "docs": opened("/api/docs"),
    "not found": opened("/nowhere"),
    "menu": menus,
}


def filled(visitor: Visitor) -> Page:
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


def account_menu(visitor: Visitor) -> None:
    page = visitor.go("/")
    page.locator("[popovertarget=account-menu]").click()
    expect(page.locator("#account-menu")).to_be_visible()


SIGNED_IN: dict[str, Show] = {
    "empty list": opened("/items"),
    "nothing found": opened("/items?q=zzz"),
    "items": items,
    "new item": new_item,
    "new item, page": opened("/items/new"),
    "edit with problem": edit_with_problem,
    "conflict": conflict,
    "deleted": deleted,
    "item": detail,
    "account": opened("/account"),
    "devices": opened("/account/sessions"),
    "second factor": opened("/account/second-factor"),
    "tokens": opened("/account/tokens"),
    "verify": opened("/account/verify"),
    "delete": opened("/account/delete"),
    "menu": account_menu,
}


@pytest.mark.parametrize("signed_in", [False, True], ids=["anonymous", "signed-in"])
@pytest.mark.parametrize(
    ("language", "phone"), [("en", False), ("ja", True)], ids=["en-desktop", "ja-phone"]
)
def test_axe_finds_nothing(visit: Visit, *, language: str, phone: bool, signed_in: bool) -> None:
    visitor = visit(language=language, theme="system", phone=phone, signed_in=signed_in)
    found = {}
    for name, show in (SIGNED_IN if signed_in else ANONYMOUS).items():
        visitor.page.emulate_media(color_scheme="light")
        show(visitor)
        found[name] = violations(visitor.page)
        visitor.page.emulate_media(color_scheme="dark")
        found[f"{name}, dark"] = violations(visitor.page)
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_axe_looks_at_what_is_there(visit: Visit) -> None:
    page = visit(signed_in=False).go("/")
    page.evaluate("document.querySelector('h1').style.color = '#ddd'")
    page.evaluate("document.querySelector('main a').removeAttribute('href')")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    rules = {problem.partition(":")[0] for problem in violations(page)}
    assert {"color-contrast", "html-has-lang"} <= rules
