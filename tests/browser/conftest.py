"""Visitors of the real app, who notice what goes wrong."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request

from app.database import Database
from app.product import SLUG
from app.services.password_hasher import PasswordHasher
from tests.browser.windows import Kind, Windows
from tests.support.accounts import PASSWORD, add_account
from tests.support.browser import open_browser
from tests.support.live_app import LiveApp
from tests.support.plain_http import plain_client

__all__ = ["PASSWORD"]

_numbers = itertools.count(1)


@dataclass
class Visitor:
    """One person in one browser. `troubles` is all that a developer would see in red."""

    page: Page
    origin: str
    email: str
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._other_window = plain_client(base_url=self.origin)
        self.page.on("console", self._said)
        self.page.on("pageerror", self._failed)
        self.page.on("request", self._asked)

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.origin}{path}")
        return self.page

    def add(self, *titles: str, **fields: str) -> None:
        """New items, without the page."""
        for title in titles:
            self.post("/items", title=title, **fields)

    def post(self, path: str, **fields: str) -> None:
        """Send a form in the same session, as another window would."""
        cookies = "; ".join(f"{c['name']}={c['value']}" for c in self.context.cookies())
        headers = {"Origin": self.origin, "Cookie": cookies}
        answer = self._other_window.post(path, data=fields, headers=headers)
        self._other_window.cookies.clear()
        assert answer.status_code == 303, answer.text

    def leave(self) -> None:
        """What goes wrong in the window from now on is none of theirs."""
        self.page.remove_listener("console", self._said)
        self.page.remove_listener("pageerror", self._failed)
        self.page.remove_listener("request", self._asked)
        self._other_window.close()

    def _said(self, message: ConsoleMessage) -> None:
        # Chromium reports every status from 400 on; those are part of the tests.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.troubles.append(message.text)

    def _failed(self, error: Error) -> None:
        self.troubles.append(str(error))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "data:")):
            self.troubles.append(f"asked another host: {request.url}")


class Visit(Protocol):
    """`visit(...)`: a new visitor; with `signed_in`, one with an account of their own.

    They come to the app of all tests, or, not signed in, to the one at `origin`. With `axe`, it is
    on each page from the beginning. Who changes for good what their window is, by a script or a
    clock, or looks at what the cache spares, needs a `fresh` one.
    """

    def __call__(
        self,
        *,
        language: str = "en",
        theme: str = "light",
        phone: bool = False,
        script: bool = True,
        axe: bool = False,
        fresh: bool = False,
        signed_in: bool = True,
        origin: str = ...,
    ) -> Visitor: ...


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests of this folder; `browser.new_context()` is a fresh visitor."""
    with open_browser(chromium) as browser:
        yield browser


@pytest.fixture(scope="package")
def live_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    """One app on SQLite for all tests of this folder; each test brings its own users.

    It ends with them: it looks for jobs also while nobody is there.
    """
    app = LiveApp(tmp_path_factory.mktemp("app"), {})
    app.migrate()
    app.start()
    yield app
    app.kill()


@pytest.fixture(scope="package")
def portal() -> Iterator[BlockingPortal]:
    """An event loop beside that of Playwright."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="package")
def windows(browser: Browser) -> Windows:
    """The windows of this folder's visitors, most often one of each kind."""
    return Windows(browser)


@pytest.fixture
def visit(live_app: LiveApp, windows: Windows, portal: BlockingPortal) -> Iterator[Visit]:
    database = Database(live_app.env["DATABASE_URL"])
    hasher = PasswordHasher(memory_kib=8, passes=1)
    visitors: list[tuple[Visitor, Kind | None]] = []

    def new(
        *,
        language: str = "en",
        theme: str = "light",
        phone: bool = False,
        script: bool = True,
        axe: bool = False,
        fresh: bool = False,
        signed_in: bool = True,
        origin: str = live_app.origin,
    ) -> Visitor:
        kind = Kind(phone=phone, script=script, axe=axe)
        page = windows.open(kind) if fresh else windows.take(kind)
        email = f"visitor-{next(_numbers)}-{id(page)}@example.com"
        cookies = {"lang": language, "theme": theme}
        if signed_in:
            assert origin == live_app.origin
            cookies["session"] = portal.call(add_account, database, hasher, "Hana", email)
        page.context.add_cookies(
            [
                {"name": f"{SLUG}-{name}", "value": value, "url": origin}
                for name, value in cookies.items()
            ]
        )
        visitor = Visitor(page, origin, email)
        visitors.append((visitor, None if fresh else kind))
        return visitor

    yield new
    troubles = [trouble for visitor, _ in visitors for trouble in visitor.troubles]
    for visitor, kind in visitors:
        visitor.leave()
        if kind:
            windows.give_back(kind, visitor.page, f"{live_app.origin}/healthz")
        else:
            visitor.context.close()
    portal.call(database.close)
    assert troubles == []
