"""Everything works with JavaScript off, as forms and links.

On a large screen `test_accounts` does so too, from the sign-up on.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, Visit

pytestmark = pytest.mark.browser


def test_from_sign_up_to_sign_out_on_a_phone(visit: Visit) -> None:
    visitor = visit(script=False, signed_in=False, phone=True)
    page = visitor.go("/")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name").fill("Hana")
    page.get_by_label("E-mail address").fill(visitor.email)
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("at least 12 characters.").first).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("link", name="Open this server's mailbox").click()
    mail = page.locator("article", has_text=visitor.email).first
    mail.get_by_role("link", name="Open the link").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm and sign in").click()
    expect(page.locator("#toasts")).to_contain_text("Welcome, Hana.")

    page.locator("[popovertarget=account-menu]").click()
    page.locator("#account-menu").get_by_role("button", name="Sign out").click()
    expect(page.locator("#toasts")).to_contain_text("You are signed out.")
    page.goto(f"{visitor.origin}/account")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_language_and_theme_are_chosen_on_the_page_one_is_on(visit: Visit) -> None:
    visitor = visit(script=False)
    page = visitor.go("/account?a=b")
    page.locator("[popovertarget=display-menu]").click()
    page.get_by_role("button", name="日本語").click()
    expect(page).to_have_url(re.compile(r"/account\?a=b$"))
    expect(page.locator("h1")).to_have_text("アカウント")
    page.locator("[popovertarget=display-menu]").click()
    page.get_by_role("button", name="ダーク").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
