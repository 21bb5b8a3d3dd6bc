"""All that people do with their accounts, in a real browser.

The pages of both providers are the same ones: with one they are used with JavaScript, with the
other without. `tests/routers` sends the forms of both.
"""

from urllib.parse import urlencode

import pytest

from app.i18n import Language
from tests.browser.account_walk import FindLink, Person, walk
from tests.browser.conftest import Visit
from tests.support.accounts import link_fields
from tests.support.gotrue import PUBLISHABLE, SECRET
from tests.support.live_app import LiveApp, StartApp, StartServer
from tests.support.plain_http import plain_client
from tests.support.processes import free_port

pytestmark = pytest.mark.browser


@pytest.fixture
def gotrue(start_server: StartServer) -> str:
    """The URL of a stand-in for Supabase Auth, with its mail catcher."""
    port = free_port()
    start_server("tests.support.supabase_project:serve", port, "/.well-known/jwks.json")
    return f"http://127.0.0.1:{port}"


def test_accounts_of_the_app_without_a_script(visit: Visit, live_app: LiveApp) -> None:
    with plain_client(base_url=live_app.origin) as client:

        def find_link(kind: str, to: str) -> str | None:
            articles = client.get("/dev/mail").text.split("<article")
            links = [
                link_fields(mail)
                for mail in articles
                if f" {to} " in mail and "/auth/confirm?" in mail
            ]
            return next((path(link) for link in links if link["type"] == kind), None)

        persons = people(visit, live_app, find_link, "ja", script=False, asks_password=True)
        walk(*persons, live_app)


def test_accounts_of_supabase(visit: Visit, start_app: StartApp, gotrue: str) -> None:
    app = start_app(
        SUPABASE_AUTH_URL=gotrue,
        SUPABASE_PUBLISHABLE_KEY=PUBLISHABLE,
        SUPABASE_SECRET_KEY=SECRET,
    )
    with plain_client(base_url=gotrue) as client:

        def find_link(kind: str, to: str) -> str | None:
            found = client.get("/api/v1/search", params={"query": f'to:"{to}"'}).json()
            for message in found["messages"]:
                mail = client.get(f"/api/v1/message/{message['ID']}").json()
                if (link := link_fields(mail["Text"]))["type"] == kind:
                    return path(link)
            return None

        persons = people(visit, app, find_link, "en", script=True, asks_password=False)
        walk(*persons, app)


def path(link: dict[str, str]) -> str:
    return f"/auth/confirm?{urlencode(link)}"


def people(
    visit: Visit,
    app: LiveApp,
    find_link: FindLink,
    language: str,
    *,
    script: bool,
    asks_password: bool,
) -> tuple[Person, Person]:
    """Hana, and the administrator."""

    def person() -> Person:
        visitor = visit(language=language, script=script, signed_in=False, origin=app.origin)
        return Person(visitor, Language(language), find_link, asks_password)

    return person(), person()
