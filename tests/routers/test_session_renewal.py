"""Sessions of accounts in Supabase: now and then it is asked whether they still hold."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, ConnectTimeout, Request, Response
from sqlalchemy import select, update

from app.lib.utils import utc_now
from app.models.login_session import LoginSession
from app.routers.browser_session import AFTER_SIGN_IN
from app.services.session_renewal import PURPOSE, RENEW_AFTER, SessionRenewal
from app.services.supabase_client import Supabase
from tests.routers.conftest import ORIGIN, browser_for
from tests.routers.supabase_app import app_with
from tests.support.accounts import PASSWORD
from tests.support.databases import BOTH
from tests.support.gotrue import GoTrue
from tests.support.supabase_project import Project, StandInInbox, open_project

ON_BOTH = pytest.mark.parametrize("database_url", BOTH, indirect=True)


class Wire(ASGITransport):
    """The way to the stand-in, on which one sees what is asked, and which can be cut."""

    def __init__(self, gotrue: GoTrue) -> None:
        super().__init__(gotrue.app)
        self.asked = 0
        self.is_cut = False

    async def handle_async_request(self, request: Request) -> Response:
        if self.is_cut:
            raise ConnectTimeout("cut")
        self.asked += "grant_type=refresh_token" in str(request.url)
        return await super().handle_async_request(request)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_database")
    return url


@pytest.fixture
def gotrue() -> GoTrue:
    return GoTrue()


@pytest.fixture
def wire(gotrue: GoTrue) -> Wire:
    return Wire(gotrue)


@pytest.fixture
async def project(
    database_url: str, gotrue: GoTrue, wire: Wire, tmp_path: Path
) -> AsyncIterator[Project]:
    settings = open_project(database_url, tmp_path, ORIGIN).settings
    project = Project(settings, StandInInbox(gotrue), wire)
    yield project
    await project.supabase.close()


@pytest.fixture
async def app(project: Project, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with app_with(project.supabase, project.settings, tmp_path) as app:
        yield app


@pytest.fixture
async def email(project: Project) -> str:
    return await project.add()


async def signed_in(app: FastAPI, email: str) -> AsyncClient:
    browser = browser_for(app)
    answer = await browser.post("/sign-in", data={"email": email, "password": PASSWORD})
    assert answer.headers["location"] == AFTER_SIGN_IN
    return browser


async def is_in(browser: AsyncClient) -> bool:
    return (await browser.get(AFTER_SIGN_IN)).status_code == 200


async def kept(app: FastAPI) -> list[LoginSession]:
    async with app.state.database.system_session() as session:
        return list(await session.scalars(select(LoginSession).order_by(LoginSession.id)))


async def an_hour_passes(app: FastAPI) -> None:
    async with app.state.database.system_session() as session:
        await session.execute(update(LoginSession).values(renewed_at=utc_now() - RENEW_AFTER))


async def test_the_token_is_kept_encrypted_and_renewed_once_an_hour(
    app: FastAPI, wire: Wire, email: str
) -> None:
    browser = await signed_in(app, email)
    [first] = await kept(app)
    token = app.state.box.open(PURPOSE, first.provider_token)
    assert token
    assert token not in first.provider_token
    assert await is_in(browser)
    assert wire.asked == 0

    for hour in (1, 2, 3):
        await an_hour_passes(app)
        assert await is_in(browser)
        assert await is_in(browser)
        assert wire.asked == hour, "the one that was good once is followed by the next"
    [last] = await kept(app)
    assert app.state.box.open(PURPOSE, last.provider_token) != token


@ON_BOTH
async def test_of_many_requests_at_once_one_asks(app: FastAPI, wire: Wire, email: str) -> None:
    browser = await signed_in(app, email)
    await an_hour_passes(app)

    assert all(await asyncio.gather(*(is_in(browser) for _ in range(6))))

    assert wire.asked == 1
    await an_hour_passes(app)
    assert await is_in(browser)
    assert await is_in(browser)


async def test_whose_account_is_gone_there_is_signed_out_here(
    app: FastAPI, gotrue: GoTrue, email: str, tmp_path: Path
) -> None:
    browser = await signed_in(app, email)
    assert await is_in(browser)
    admin = app.state.supabase.client(as_admin=True).admin
    await admin.delete_user(gotrue.accounts[email].id)
    assert await is_in(browser)

    await an_hour_passes(app)
    await is_in(browser)

    assert not await is_in(browser)
    assert await kept(app) == []
    text = (tmp_path / "logs" / "task_progress_logs.csv").read_text(encoding="utf-8")
    assert "Supabase_Refresh" in text
    assert '""holds"":false' in text


async def test_a_silent_supabase_ends_nothing_and_is_asked_again_later(
    app: FastAPI, wire: Wire, email: str
) -> None:
    browser = await signed_in(app, email)
    await an_hour_passes(app)
    wire.is_cut = True
    assert await is_in(browser)
    [waiting] = await kept(app)
    assert waiting.renewed_at is not None
    assert timedelta(minutes=50) < utc_now() - waiting.renewed_at < RENEW_AFTER
    wire.is_cut = False
    assert await is_in(browser)
    assert wire.asked == 0

    await an_hour_passes(app)
    assert await is_in(browser)
    assert await is_in(browser)
    assert wire.asked == 1


async def test_after_a_change_of_the_password_this_session_goes_on(
    app: FastAPI, wire: Wire, email: str
) -> None:
    browser = await signed_in(app, email)
    other = await signed_in(app, email)
    new = {"current": PASSWORD, "new": "a new password of hers"}
    assert (await browser.post("/account/password", data=new)).headers["location"] == "/account"
    assert not await is_in(other)

    await an_hour_passes(app)
    assert await is_in(browser)
    assert await is_in(browser)
    assert wire.asked == 1


async def test_another_secret_key_ends_what_cannot_be_renewed(
    app: FastAPI, project: Project, email: str
) -> None:
    await signed_in(app, email)
    await an_hour_passes(app)
    async with app.state.database.system_session() as session:
        sealed = update(LoginSession).values(provider_token="sealed with another key")
        await session.execute(sealed)

    [login] = await kept(app)
    await renewal(app, project.supabase).renew(login.id)

    assert await kept(app) == []


async def test_a_password_that_changes_meanwhile_is_not_undone(
    app: FastAPI, project: Project, wire: Wire, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await signed_in(app, email)
    [login] = await kept(app)
    await an_hour_passes(app)
    ask = wire.handle_async_request
    new = {"current": PASSWORD, "new": "a new password of hers"}

    async def changed_before(request: Request) -> Response:
        if "grant_type=refresh_token" in str(request.url):
            monkeypatch.undo()
            answer = await browser.post("/account/password", data=new)
            assert answer.headers["location"] == "/account"
        return await ask(request)

    monkeypatch.setattr(wire, "handle_async_request", changed_before)
    await renewal(app, project.supabase).renew(login.id)

    assert await is_in(browser)
    await an_hour_passes(app)
    assert await is_in(browser)
    assert await is_in(browser)


def renewal(app: FastAPI, supabase: Supabase) -> SessionRenewal:
    state: Any = app.state
    return SessionRenewal(state.database, supabase, state.box, state.logger)
