"""Signing in with GitHub and Google, in a real browser: its policy lets pass who goes and returns.

With both providers of accounts, in both languages, with JavaScript and without.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from app.config_values import PROVIDERS, ProviderName
from app.i18n import Language
from app.product import SLUG
from tests.support.axe import violations
from tests.support.browser import WAITS_MS
from tests.support.gotrue import PUBLISHABLE, SECRET
from tests.support.live_app import LiveApp, StartApp, StartServer
from tests.support.oauth_servers import CLIENT_ID, CLIENT_SECRET
from tests.support.processes import free_port

pytestmark = pytest.mark.browser

StartBoth = Callable[[], LiveApp]


@pytest.fixture
def of_the_app(start_app: StartApp, start_server: StartServer) -> StartBoth:
    """An app that asks the services itself; both of them are one other process."""

    def start() -> LiveApp:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        app = start_app(
            "tests.support.oauth_servers:app_with_google",
            GOOGLE=url,
            GOOGLE_CLIENT_ID=CLIENT_ID,
            GOOGLE_CLIENT_SECRET=CLIENT_SECRET,
            GITHUB_URL=url,
            GITHUB_CLIENT_ID=CLIENT_ID,
            GITHUB_CLIENT_SECRET=CLIENT_SECRET,
        )
        keys, factory = "/oauth2/v3/certs", "tests.support.oauth_servers:live"
        start_server(factory, port, keys, APP_ORIGIN=app.origin)
        return app

    return start


@pytest.fixture
def of_supabase(start_app: StartApp, start_server: StartServer) -> StartBoth:
    """An app whose accounts Supabase keeps, which asks the services too."""

    def start() -> LiveApp:
        port = free_port()
        app = start_app(
            SUPABASE_AUTH_URL=f"http://127.0.0.1:{port}",
            SUPABASE_PUBLISHABLE_KEY=PUBLISHABLE,
            SUPABASE_SECRET_KEY=SECRET,
            SUPABASE_OAUTH="github,google",
        )
        keys, factory = "/.well-known/jwks.json", "tests.support.supabase_project:serve"
        start_server(factory, port, keys, APP_ORIGIN=app.origin)
        return app

    return start


@pytest.mark.parametrize("start_both", ["of_the_app", "of_supabase"])
def test_there_and_back(browser: Browser, request: pytest.FixtureRequest, start_both: str) -> None:
    app = request.getfixturevalue(start_both)()
    first = Traveller.of(browser, app, "en", "github", script=True)
    first.comes_without_consent()
    if start_both == "of_the_app":  # the pages are the same
        assert violations(first.page) == []
    first.signs_in()
    if start_both == "of_the_app":
        assert violations(first.page) == []
    first.keeps_the_last_way_in()
    first.links("google")
    first.unlinks("google")
    first.leaves()
    second = Traveller.of(browser, app, "ja", "google", script=False)
    second.comes_without_consent()
    # The same address: the account has two ways in from now on.
    second.signs_in()
    second.unlinks("github")
    second.keeps_the_last_way_in()
    second.leaves()


@dataclass
class Traveller:
    """Somebody on the way to a service and back. `troubles` are those of the app's own pages."""

    page: Page
    app: LiveApp
    language: Language
    provider: ProviderName
    troubles: list[str]

    @classmethod
    def of(
        cls, browser: Browser, app: LiveApp, language: str, provider: ProviderName, *, script: bool
    ) -> "Traveller":
        context = browser.new_context(java_script_enabled=script)
        context.set_default_timeout(WAITS_MS)
        context.add_cookies([{"name": f"{SLUG}-lang", "value": language, "url": app.origin}])
        page, troubles = context.new_page(), []
        page.on("console", lambda said: troubles.append(f"{said.location['url']}: {said.text}"))
        return cls(page, app, Language(language), provider, troubles)

    def comes_without_consent(self) -> None:
        self.page.goto(f"{self.app.origin}/account")
        self._go_to_service()
        self.page.get_by_role("button", name="Deny").click()
        said = "You did not let %(provider)s tell us who you are, so nothing was done."
        expect(self.page.get_by_role("alert")).to_contain_text(self._words(said))

    def signs_in(self) -> None:
        self._go_to_service()
        self.page.get_by_role("button", name="Allow").click()
        expect(self.page).to_have_url(f"{self.app.origin}/account")
        expect(self.page.get_by_text("Hana Sato").first).to_be_visible()

    def links(self, provider: ProviderName) -> None:
        name = self._words("Link %(provider)s", provider)
        self.page.get_by_role("link", name=name, exact=True).click()
        self.page.get_by_role("button", name="Allow").click()
        expect(self.page).to_have_url(f"{self.app.origin}/account")
        self._told("You can sign in with %(provider)s from now on.", provider)

    def unlinks(self, provider: ProviderName) -> None:
        self._press_unlink(provider)
        self._told("%(provider)s is no way to sign in any more.", provider)

    def keeps_the_last_way_in(self) -> None:
        self._press_unlink(self.provider)
        said = (
            "You could not sign in any more without %(provider)s. "
            "Set a password first, or add another way to sign in."
        )
        self._told(said, self.provider)

    def leaves(self) -> None:
        assert [trouble for trouble in self.troubles if self.app.origin in trouble] == []
        self.page.context.close()

    def _go_to_service(self) -> None:
        self.page.get_by_role("link", name=self._words("Continue with %(provider)s")).click()

    def _press_unlink(self, provider: ProviderName) -> None:
        self.page.get_by_role("button", name=self._words("Unlink %(provider)s", provider)).click()

    def _told(self, words: str, provider: ProviderName) -> None:
        expect(self.page.locator("#toasts")).to_contain_text(self._words(words, provider))

    def _words(self, words: str, provider: ProviderName | None = None) -> str:
        return self.language.gettext(words) % {"provider": PROVIDERS[provider or self.provider]}
