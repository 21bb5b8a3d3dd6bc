"""axe finds nothing on any page, in both themes and both languages, on large and small screens."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, Visit, Visitor
from tests.browser.item_scenes import ITEMS
from tests.browser.scenes import Show, opened
from tests.support.axe import COLORS, violations

pytestmark = pytest.mark.browser


def rejected_sign_in(visitor: Visitor) -> None:
    page = visitor.go("/sign-in")
    page.locator("main form button").click()
    expect(page.locator("main [role=alert]")).to_be_visible()


def rejected_sign_up(visitor: Visitor) -> None:
    page = visitor.go("/sign-up")
    page.locator("main form button").click()
    expect(page.locator("[aria-invalid=true]")).to_have_count(3)


def mailbox(visitor: Visitor) -> None:
    visitor.post("/sign-up", name="Hana", email=visitor.email, password=PASSWORD)
    page = visitor.go("/dev/mail")
    expect(page.locator("article", has_text=visitor.email)).to_be_visible()


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
    "mailbox": mailbox,
    "docs": opened("/api/docs"),
    "not found": opened("/nowhere"),
    "menu": menus,
}


def account_menu(visitor: Visitor) -> None:
    page = visitor.go("/")
    page.locator("[popovertarget=account-menu]").click()
    expect(page.locator("#account-menu")).to_be_visible()


SIGNED_IN: dict[str, Show] = {
    **ITEMS,
    "account": opened("/account"),
    "devices": opened("/account/sessions"),
    "second factor": opened("/account/second-factor"),
    "tokens": opened("/account/tokens"),
    "verify": opened("/account/verify"),
    "delete": opened("/account/delete"),
    "menu": account_menu,
}


# The page about the API has a section like the first ones for each operation and each object.
_MORE_OF_THE_API = "section:nth-of-type(n + 5):not([id^=model-]), section:nth-of-type(n + 22)"


@pytest.mark.parametrize("signed_in", [False, True], ids=["anonymous", "signed-in"])
@pytest.mark.parametrize(
    ("language", "phone"), [("en", False), ("ja", True)], ids=["en-desktop", "ja-phone"]
)
def test_axe_finds_nothing(visit: Visit, *, language: str, phone: bool, signed_in: bool) -> None:
    theme = "dark" if phone else "system"
    visitor = visit(language=language, theme=theme, phone=phone, axe=True, signed_in=signed_in)
    found = {}
    for name, show in (SIGNED_IN if signed_in else ANONYMOUS).items():
        show(visitor)
        found[name] = violations(visitor.page, besides=_MORE_OF_THE_API)
        if not phone:
            visitor.page.emulate_media(color_scheme="dark")  # all but the colors is the same
            found[f"{name}, dark"] = violations(visitor.page, *COLORS, besides=_MORE_OF_THE_API)
            visitor.page.emulate_media(color_scheme="light")
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_axe_looks_at_what_is_there(visit: Visit) -> None:
    page = visit(signed_in=False).go("/")
    page.evaluate("document.querySelector('h1').style.color = '#ddd'")
    page.evaluate("document.querySelector('main a').removeAttribute('href')")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    rules = {problem.partition(":")[0] for problem in violations(page)}
    assert {"color-contrast", "html-has-lang"} <= rules
    assert {problem.partition(":")[0] for problem in violations(page, *COLORS)} == {
        "color-contrast"
    }
    assert violations(page, *COLORS, besides="h1") == []


def test_where_one_is_can_be_seen_in_the_colors_of_the_system(visit: Visit) -> None:
    visitor = visit(fresh=True)
    visitor.page.emulate_media(forced_colors="active")
    background = "it => getComputedStyle(it).backgroundColor"
    page = visitor.go("/account")
    paper = page.locator("html").evaluate(background)
    assert page.locator("[aria-current]").evaluate(background) != paper
