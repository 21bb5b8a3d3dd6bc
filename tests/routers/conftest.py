"""The app in this process, on a fresh SQLite database, as browsers see it.

With `pytestmark = ON_BOTH` the tests of a module run on PostgreSQL too.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from pydantic import SecretStr

from app.config import Settings
from app.dependencies import SignedIn
from app.lib.logger import CSVOnlyLogger
from app.schemas.item import ItemIn
from app.services.item_service import ItemService
from app.services.password_hasher import PasswordHasher
from tests.routers.oauth_ways import connect
from tests.support.accounts import PASSWORD, enter
from tests.support.databases import BOTH
from tests.support.oauth_servers import CLIENT_ID, CLIENT_SECRET, Servers
from tests.support.routes import app_with_known_routes

__all__ = ["PASSWORD"]

ORIGIN = "http://app.test"
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": f"{ORIGIN}/items"}
"""What htmx sends for a part of the list's page."""

ON_BOTH = pytest.mark.parametrize("app", BOTH, indirect=True)

Visit = Callable[[str], Awaitable[AsyncClient]]


@pytest.fixture
def database_timeout() -> float:
    """`DATABASE_TIMEOUT` of the app; a module that lets it run out has a shorter one."""
    return 10


@pytest.fixture
async def app(
    request: pytest.FixtureRequest, tmp_path: Path, database_timeout: float
) -> AsyncIterator[FastAPI]:
    url = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_database")
    settings = Settings(
        database_url=url,
        database_timeout=database_timeout,
        log_dir=tmp_path / "logs",
        public_origin=ORIGIN,
        files_dir=tmp_path / "files",
        picture_dir=tmp_path / "pictures",
    )
    logger = CSVOnlyLogger(tmp_path / "logs")
    app = app_with_known_routes(settings, logger=logger)
    app.state.hasher = PasswordHasher(memory_kib=8, passes=1)
    database = app.state.database
    yield app
    await database.close()
    logger.close()


def browser_for(app: FastAPI) -> AsyncClient:
    """A browser without cookies. It does not follow redirects and shows a 500 as its page."""
    return AsyncClient(
        transport=ASGITransport(app, raise_app_exceptions=False),
        base_url=ORIGIN,
        headers={"Origin": ORIGIN},
    )


@pytest.fixture
def client(app: FastAPI) -> AsyncClient:
    """A browser in which nobody is signed in."""
    return browser_for(app)


@pytest.fixture
def visit(app: FastAPI) -> Visit:
    """`await visit("Hana")`: a browser in which this new user is signed in."""

    async def new_visitor(name: str) -> AsyncClient:
        browser = browser_for(app)
        await enter(browser, app, name)
        return browser

    return new_visitor


@pytest.fixture
async def hana(visit: Visit) -> AsyncClient:
    """A browser in which Hana is signed in."""
    return await visit("Hana")


@pytest.fixture
def probe(app: FastAPI) -> str:
    """The path of a route for programs: it tells who asks."""

    async def tell(user: SignedIn) -> dict[str, str]:
        return {"email": user.email}

    app.add_api_route("/api/probe", tell, methods=["GET", "POST"])
    return "/api/probe"


@pytest.fixture
async def servers(app: FastAPI) -> AsyncIterator[Servers]:
    """GitHub and Google, as the app is set up with them."""
    servers = Servers(frozenset(f"{ORIGIN}/oauth/{name}/callback" for name in ("github", "google")))
    app.state.settings = app.state.settings.model_copy(
        update={
            "github_client_id": CLIENT_ID,
            "github_client_secret": SecretStr(CLIENT_SECRET),
            "google_client_id": CLIENT_ID,
            "google_client_secret": SecretStr(CLIENT_SECRET),
        }
    )
    await connect(app, ASGITransport(servers.app))
    yield servers
    await app.state.oauth_clients.close()


async def add_item(browser: AsyncClient, title: str, **fields: str) -> int:
    """The id of a new item."""
    answer = await browser.post("/api/items", json={"title": title, **fields})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def add_items(app: FastAPI, *titles: str) -> None:
    """Many items of the first user, without a page on the way."""
    async with app.state.database.session(1) as session:
        items = ItemService(session, app.state.logger, 1)
        for title in titles:
            await items.create(ItemIn(title=title))


def titles(response: Response) -> list[str]:
    """The titles in the rows of a list, from the top."""
    return re.findall(r'<a href="/items/\d+" class="line-clamp[^>]*>([^<]*)</a>', response.text)


def version_in(response: Response) -> str:
    """The version that the form of a page carries."""
    found: list[str] = re.findall(r'name="version" value="(\d+)"', response.text)
    return found[0]


def trace_id_shown(answer: Response) -> str:
    """The one on the page of an error; empty where none is shown."""
    found = re.search(r'<code id="trace-id"[^>]*>([^<]*)<', answer.text)
    return found[1] if found else ""
