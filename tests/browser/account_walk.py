"""What people do with an account, page by page, whoever keeps the accounts."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

import httpx
import pyotp
from playwright.sync_api import Locator, Page, expect

from app.i18n import Language
from app.lib.utils import utc_now
from app.product import SLUG
from app.routers.browser_session import AFTER_SIGN_IN
from tests.browser.conftest import PASSWORD, Visitor
from tests.support.live_app import LiveApp
from tests.support.plain_http import plain_client
from tests.support.processes import wait_until

FindLink = Callable[[str, str], str | None]
"""`find_link(kind, address)`: the path in the newest mail of this kind, once it has come."""

_AFTER_FORGETTING = "another good one"
_AT_LAST = "the third of the passwords"


@dataclass
class Person:
    """Somebody at one device, who reads one language."""

    visitor: Visitor
    language: Language
    find_link: FindLink
    asks_password: bool
    """Whether the link that confirms an address asks for the password too."""
    email: str = field(init=False)
    password: str = field(default=PASSWORD, init=False)

    def __post_init__(self) -> None:
        self.email = self.visitor.email

    @property
    def page(self) -> Page:
        return self.visitor.page

    def go(self, path: str) -> None:
        self.visitor.go(path)

    def fill(self, within: Locator | None = None, **fields: str) -> None:
        """Fields by their names."""
        form = within or self.page.locator("main")
        for name, value in fields.items():
            form.locator(f"[name={name}]").fill(value)

    def press(self, words: str) -> None:
        """A button of the page."""
        name = self.language.gettext(words)
        self.page.locator("main").get_by_role("button", name=name, exact=True).click()

    def follow(self, words: str) -> None:
        """A link of the page."""
        name = self.language.gettext(words)
        self.page.locator("main").get_by_role("link", name=name, exact=True).click()

    def told(self, words: str, **values: str) -> None:
        """The notice that says how it went."""
        text = self.language.gettext(words) % values
        expect(self.page.locator("#toasts")).to_contain_text(text)

    def at(self, path: str) -> None:
        expect(self.page).to_have_url(f"{self.visitor.origin}{path}")

    def open_link(self, kind: str, to: str) -> None:
        self.go(link_in_mail(self.find_link, kind, to))

    def sign_up(self) -> None:
        self.go("/sign-up")
        self.fill(name="Hana", email=self.email, password=self.password)
        self.press("Create account")
        self.at("/check-mail")
        self.open_link("email", self.email)
        if self.asks_password:
            self.fill(password=self.password)
        self.press("Confirm and sign in")
        self.told("Welcome, %(name)s.", name="Hana")

    def sign_out(self) -> None:
        self.page.locator("[popovertarget=account-menu]").click()
        words = self.language.gettext("Sign out")
        self.page.locator("#account-menu").get_by_role("button", name=words).click()
        self.told("You are signed out.")

    def send_password(self) -> None:
        if "/sign-in" not in self.page.url:
            self.go("/sign-in")
        self.fill(email=self.email, password=self.password)
        self.press("Sign in")

    def sign_in(self) -> None:
        self.send_password()
        self.at(AFTER_SIGN_IN)

    def sign_in_with(self, code: str) -> None:
        self.send_password()
        self.at("/sign-in/code")
        self.fill(code=code)
        self.press("Sign in")
        self.at(AFTER_SIGN_IN)

    def forget_password(self, new: str) -> None:
        self.go("/sign-in")
        self.follow("Forgot your password?")
        self.fill(email=self.email)
        self.press("Send the link")
        self.at("/check-mail")
        self.open_link("recovery", self.email)
        self.press("Go on")
        self.fill(new=new)
        self.press("Set a new password")
        self.told("Your password is changed. Please sign in with it.")
        self.password = new

    def change_password(self, new: str) -> None:
        self.go("/account")
        form = self.page.locator("form[action='/account/password']")
        self.fill(form, current=self.password, new=new)
        self.press("Change password")
        self.told("Your password is changed. All other devices are signed out.")
        self.password = new

    def change_email(self, new: str) -> None:
        self.go("/account")
        form = self.page.locator("form[action='/account/email']")
        self.fill(form, email=new, password=self.password)
        self.press("Change e-mail address")
        self.at("/check-mail")
        self.open_link("email_change", new)
        self.press("Use this address")
        self.told("Your e-mail address is changed.")
        self.email = new

    def sign_in_by_mail(self) -> None:
        self.go("/sign-in")
        self.follow("Sign in by mail")
        self.fill(email=self.email)
        self.press("Send the link")
        self.at("/check-mail")
        self.open_link("magiclink", self.email)
        self.press("Sign in")
        self.at(AFTER_SIGN_IN)

    def end_other_device(self) -> None:
        self.go("/account/sessions")
        self.press("Sign out")
        self.told("This device is signed out.")

    def end_all_others(self) -> None:
        self.go("/account/sessions")
        self.press("Sign out everywhere else")
        self.told("All other devices are signed out.")

    def turn_on_second_factor(self) -> tuple[pyotp.TOTP, str]:
        """What the authenticator app has then, and the first backup code."""
        self.go("/account/second-factor")
        app = pyotp.TOTP(self.page.locator("main code").inner_text())
        self.fill(code=app.at(utc_now()))
        self.press("Turn on")
        self.told("The second factor is on. All other devices are signed out.")
        codes = self.page.locator("main li.select-all")
        expect(codes).to_have_count(10)
        backup = codes.first.inner_text()
        self.follow("I have kept them")
        return app, backup

    def delete_account(self) -> None:
        self.go("/account")
        self.follow("Delete account …")
        self.fill(email=self.email)
        self.press("Delete for good")
        self.told("Your account is deleted, with all its data.")

    def find_user(self, email: str) -> None:
        self.go("/admin/users")
        self.page.locator("main input[name=q]").fill(email)
        self.press("Search")
        expect(self.page.locator("main tbody tr")).to_have_count(1)
        self.page.locator("main tbody a").click()
        expect(self.page.locator("main")).to_contain_text(email)


@dataclass
class Device:
    """A session of somebody's beside the browser, without pages."""

    client: httpx.Client

    def sign_up(self, email: str, find_link: FindLink) -> str:
        """Make an account, and sign in; the token of the session."""
        fields = {"name": "Admin", "email": email, "password": PASSWORD}
        assert self.client.post("/sign-up", data=fields).status_code == 303
        link = httpx.URL(link_in_mail(find_link, "email", email))
        confirm = dict(link.params) | {"password": PASSWORD}
        assert self.client.post("/auth/confirm", data=confirm).status_code == 303
        return self.client.cookies[f"{SLUG}-session"]

    def sign_in(self, email: str, password: str) -> None:
        fields = {"email": email, "password": password}
        assert self.client.post("/sign-in", data=fields).status_code == 303
        assert self.client.get("/account").status_code == 200

    def is_out(self) -> bool:
        return self.client.get("/account").status_code == 303


def link_in_mail(find_link: FindLink, kind: str, to: str) -> str:
    """The path of the link, as soon as the mail has come."""
    found: list[str] = []

    def has_come() -> bool:
        found.extend(filter(None, [find_link(kind, to)]))
        return bool(found)

    wait_until(has_come, what=f"the mail to {to}")
    return found[0]


def become_admin(admin: Person, device: Device, app: LiveApp) -> None:
    """An account with the role, signed in without its pages."""
    token = device.sign_up(admin.email, admin.find_link)
    cookie = {"name": f"{SLUG}-session", "value": token, "url": app.origin}
    admin.visitor.context.add_cookies([cookie])  # type: ignore[list-item] # as in conftest
    with closing(sqlite3.connect(app.folder / "data" / "app.db")) as database, database:
        database.execute("UPDATE users SET role = 'admin' WHERE email = ?", (admin.email,))
    database.close()


def walk(hana: Person, admin: Person, app: LiveApp) -> None:
    """From the sign-up to the end of the account, by way of all that lies between."""
    hana.sign_up()
    hana.sign_out()
    hana.forget_password(_AFTER_FORGETTING)
    hana.sign_in()
    hana.change_password(_AT_LAST)
    hana.change_email(f"new-{hana.email}")
    hana.sign_out()
    hana.sign_in_by_mail()

    with plain_client(base_url=app.origin, headers={"Origin": app.origin}) as client:
        elsewhere = Device(client)
        for end in (hana.end_other_device, hana.end_all_others):
            elsewhere.sign_in(hana.email, hana.password)
            end()
            assert elsewhere.is_out()
        client.cookies.clear()
        become_admin(admin, elsewhere, app)

    admin.find_user(hana.email)
    for act, done in (
        ("Sign out everywhere", "%(name)s is signed out everywhere."),
        ("Make an administrator", "%(name)s has another role now, and has to sign in again."),
        (
            "Take the administrator's role",
            "%(name)s has another role now, and has to sign in again.",
        ),
    ):
        admin.press(act)
        admin.told(done, name="Hana")
    hana.go("/account")
    hana.at("/sign-in?next=/account")
    hana.send_password()
    hana.at("/account")
    page_of_hana = admin.page.url.removeprefix(app.origin)
    admin.press("Look at the trace log")
    expect(admin.page).to_have_url(re.compile(r"/logs/requests\?user=\d+$"))

    authenticator, backup = hana.turn_on_second_factor()
    hana.sign_out()
    # The step of the first code is used up; the next one is taken half a minute early.
    hana.sign_in_with(authenticator.at(utc_now(), counter_offset=1))

    admin.go(page_of_hana)
    admin.press("Close the account")
    admin.told("The account of %(name)s is closed.", name="Hana")
    hana.go("/account")
    hana.at("/sign-in?next=/account")
    hana.send_password()
    closed = hana.language.gettext("This account is closed. Please ask the administrator.")
    expect(hana.page.get_by_role("alert")).to_have_text(closed)
    admin.press("Open the account")
    admin.told("The account of %(name)s is open.", name="Hana")

    hana.go("/sign-in")
    hana.sign_in_with(backup)
    hana.delete_account()
    hana.send_password()
    wrong = hana.language.gettext("The e-mail address or the password is not right.")
    expect(hana.page.get_by_role("alert")).to_have_text(wrong)
