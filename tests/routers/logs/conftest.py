"""The app with its log in a SQLite file and in a real sqld, and an administrator."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from app.config import Settings
from app.database import Database
from app.dependencies import LoggerDep, SignedIn
from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger, NullLogger
from app.services.account_service import LocalAccounts
from app.services.password_hasher import PasswordHasher
from tests.routers.conftest import ORIGIN, PASSWORD, browser_for
from tests.services.log_book import LogBook
from tests.support.routes import app_with_known_routes
from tests.support.turso import TursoServer

TRACE = "3f2a1b9c-0000-4000-8000-000000000001"
JAPANESE = {"Accept-Language": "ja"}
HTMX = {
    "HX-Request": "true",
    "HX-Request-Type": "partial",
    "HX-Current-URL": f"{ORIGIN}/logs/requests",
}


@pytest.fixture(params=["sqlite", "sqld"])
def store_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "sqlite":
        return {}
    server: TursoServer = request.getfixturevalue("sqld")
    return {"turso_url": server.url, "turso_token": server.token}


@pytest.fixture
async def app(
    sqlite_database: str, tmp_path: Path, store_settings: dict[str, str]
) -> AsyncIterator[FastAPI]:
    """The app with its log delivered, and a route that fails in its second step."""
    settings = Settings.model_validate(
        {
            "database_url": sqlite_database,
            "log_dir": tmp_path / "logs",
            "public_origin": ORIGIN,
            **store_settings,
        }
    )
    app = app_with_known_routes(settings)
    app.state.hasher = PasswordHasher(memory_kib=8, passes=1)

    async def report(logger: LoggerDep, user: SignedIn, month: str = "") -> None:
        async with logger.task("Report_Build") as task:
            async with task.step("Collect", {"month": month}) as step:
                step.output = {"rows": 3}
            async with task.step("Render"):
                raise ZeroDivisionError(f"no days in {month}")

    app.add_api_route("/report", report)
    yield app
    await app.state.database.close()
    app.state.logger.close(0.0)


@contextmanager
def files_only(app: FastAPI) -> Iterator[None]:
    """Meanwhile the app knows a logger that delivers to no database."""
    own, app.state.logger = app.state.logger, CSVOnlyLogger(app.state.settings.log_dir)
    yield
    app.state.logger.close(0.0)
    app.state.logger = own


async def sign_in_admin(app: FastAPI) -> AsyncClient:
    database: Database = app.state.database
    hasher: PasswordHasher = app.state.hasher
    async with database.system_session() as session:
        accounts = LocalAccounts(session, NullLogger(), hasher)
        await accounts.add("aki@example.com", "Aki", await hasher.hash(PASSWORD), "admin")
    browser = browser_for(app)
    fields = {"email": "aki@example.com", "password": PASSWORD}
    assert (await browser.post("/sign-in", data=fields)).status_code == 303
    return browser


@pytest.fixture
async def admin(app: FastAPI) -> AsyncClient:
    """A browser in which an administrator is signed in."""
    return await sign_in_admin(app)


def delivered(app: FastAPI) -> None:
    """All that was recorded so far is in the store."""
    logger: EnhancedCSVLogger = app.state.logger
    assert logger.shipper.drain(60)


def keep(app: FastAPI, book: LogBook) -> None:
    """Put a book's rows into the store."""
    book.deliver(app.state.logger.store)


def paths(page: Response) -> list[str]:
    """The paths in the list, from the top."""
    return re.findall(r"<bdi class=\"line-clamp-2[^>]*>([^<]*)</bdi>", page.text)
