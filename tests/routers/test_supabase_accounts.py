"""Accounts in Supabase Auth: the same pages, with a stand-in that answers as Supabase does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr
from sqlalchemy import func, select

from app.config import Settings
from app.lib.logger import CSVOnlyLogger
from app.main import create_app
from app.models.user import User
from app.services import supabase_client
from app.services.supabase_client import Supabase
from app.services.supabase_tokens import SupabaseTokens
from tests.routers.conftest import ORIGIN, browser_for
from tests.support.gotrue import PUBLISHABLE, SECRET, GoTrue
from tests.support.routes import with_known_routes

PASSWORD = "correct horse battery"
SIGN_UP = {"name": "Hana", "email": "hana@example.com", "password": PASSWORD}
SIGN_IN = {"email": "hana@example.com", "password": PASSWORD}

Connect = Callable[[httpx.AsyncBaseTransport], None]


@pytest.fixture
def gotrue() -> GoTrue:
    return GoTrue()


@pytest.fixture
def settings(sqlite_database: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=sqlite_database,
        log_dir=tmp_path / "logs",
        public_origin=ORIGIN,
        supabase_auth_url="http://gotrue.test",
        supabase_publishable_key=PUBLISHABLE,
        supabase_secret_key=SECRET,
    )


@pytest.fixture
async def app(settings: Settings, gotrue: GoTrue, tmp_path: Path) -> AsyncIterator[FastAPI]:
    logger = CSVOnlyLogger(tmp_path / "logs")
    app = with_known_routes(create_app(settings, logger=logger))
    await app.state.supabase.close()
    app.state.supabase = Supabase(settings, transport=ASGITransport(gotrue.app))
    yield app
    await app.state.supabase.close()
    await app.state.database.close()
    logger.close()


def link(gotrue: GoTrue) -> dict[str, str]:
    """What the newest mail's link carries."""
    type_, _to, token = gotrue.mails[0]
    return {"type": type_, "token_hash": token}


@pytest.fixture
async def hana(app: FastAPI, gotrue: GoTrue) -> AsyncClient:
    """A browser in which Hana is signed in."""
    browser = browser_for(app)
    await browser.post("/sign-up", data=SIGN_UP)
    answer = await browser.post("/auth/confirm", data=link(gotrue))
    assert answer.headers["location"] == "/items", answer.text
    return browser


async def users(app: FastAPI) -> list[tuple[int, str]]:
    async with app.state.database.system_session() as session:
        rows = await session.execute(select(User.id, User.email).order_by(User.id))
        return [(row.id, row.email) for row in rows]


async def test_from_sign_up_to_sign_out(client: AsyncClient, app: FastAPI, gotrue: GoTrue) -> None:
    answer = await client.post("/sign-up", data=SIGN_UP)
    assert answer.headers["location"] == "/check-mail"
    assert "mailbox" not in (await client.get("/check-mail")).text
    assert await users(app) == [], "the row is made with the first sign-in"
    unconfirmed = await client.post("/sign-in", data=SIGN_IN)
    assert "This address is not confirmed yet." in unconfirmed.text
    assert len(gotrue.mails) == 2
    page = await client.get("/auth/confirm", params=link(gotrue))
    assert 'name="password"' not in page.text
    await client.post("/auth/confirm", data=link(gotrue))
    assert "Welcome, Hana." in (await client.get("/items")).text
    assert await users(app) == [(1, "hana@example.com")]
    await client.post("/sign-out")
    assert (await client.post("/sign-in", data=SIGN_IN)).headers["location"] == "/items"
    assert await users(app) == [(1, "hana@example.com")]


async def test_a_taken_address_and_a_wrong_password_tell_nothing(
    hana: AsyncClient, client: AsyncClient
) -> None:
    taken = await client.post("/sign-up", data=SIGN_UP)
    assert taken.headers["location"] == "/check-mail"
    texts = {
        (await client.post("/sign-in", data=SIGN_IN | wrong)).text.split('role="alert"')[1][:80]
        for wrong in ({"password": "wrong"}, {"email": "nobody@example.com"})
    }
    assert len(texts) == 1


async def test_two_first_sign_ins_at_once_make_one_row(app: FastAPI, gotrue: GoTrue) -> None:
    browser = browser_for(app)
    await browser.post("/sign-up", data=SIGN_UP)
    gotrue.accounts["hana@example.com"].confirmed = True
    answers = await asyncio.gather(
        *(browser_for(app).post("/sign-in", data=SIGN_IN) for _ in range(4))
    )
    assert {answer.status_code for answer in answers} == {303}
    async with app.state.database.system_session() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 1


async def test_users_of_many_requests_at_once_are_not_mixed_up(
    app: FastAPI, gotrue: GoTrue
) -> None:
    names = [f"user{number}" for number in range(6)]
    for name in names:
        await browser_for(app).post("/sign-up", data=SIGN_UP | {"email": f"{name}@example.com"})
        gotrue.accounts[f"{name}@example.com"].confirmed = True
    browsers = {name: browser_for(app) for name in names}
    await asyncio.gather(
        *(
            browser.post("/sign-in", data=SIGN_IN | {"email": f"{name}@example.com"})
            for name, browser in browsers.items()
        )
    )
    for name, browser in browsers.items():
        assert f"{name}@example.com" in (await browser.get("/account")).text


async def test_a_forgotten_password(hana: AsyncClient, client: AsyncClient, gotrue: GoTrue) -> None:
    await client.post("/forgot-password", data={"email": "hana@example.com"})
    answer = await client.post("/auth/confirm", data=link(gotrue))
    assert answer.headers["location"] == "/reset-password"
    same = await client.post("/reset-password", data={"new": PASSWORD})
    assert same.status_code == 422, "Supabase refuses the old one"
    await client.post("/forgot-password", data={"email": "hana@example.com"})
    await client.post("/auth/confirm", data=link(gotrue))
    answer = await client.post("/reset-password", data={"new": "another good one"})
    assert answer.headers["location"] == "/sign-in"
    assert (await hana.get("/account")).status_code == 303
    new = SIGN_IN | {"password": "another good one"}
    assert (await client.post("/sign-in", data=new)).status_code == 303


async def test_signing_in_by_mail(hana: AsyncClient, client: AsyncClient, gotrue: GoTrue) -> None:
    await client.post("/sign-in/link", data={"email": "nobody@example.com"})
    assert len(gotrue.mails) == 1, "no account is made by it"
    await client.post("/sign-in/link", data={"email": "hana@example.com"})
    opened = link(gotrue)
    assert (await client.post("/auth/confirm", data=opened)).headers["location"] == "/items"
    again = await client.post("/auth/confirm", data=opened)
    assert "This link was used already" in again.text


async def test_password_and_address_are_changed_there(hana: AsyncClient, gotrue: GoTrue) -> None:
    change = {"current": "wrong", "new": "another good one"}
    assert (await hana.post("/account/password", data=change)).status_code == 422
    change["current"] = PASSWORD
    assert (await hana.post("/account/password", data=change)).status_code == 303
    fields = {"email": "new@example.com", "password": "another good one"}
    await hana.post("/account/email", data=fields)
    await hana.post("/auth/confirm", data=link(gotrue))
    assert "new@example.com" in (await hana.get("/account")).text
    account = gotrue.accounts["new@example.com"]
    assert account.password == "another good one"


async def test_deleting_deletes_it_there_too(
    hana: AsyncClient, app: FastAPI, gotrue: GoTrue
) -> None:
    await hana.post("/account/delete", data={"email": "hana@example.com"})
    assert gotrue.accounts == {}
    assert await users(app) == []


async def test_while_supabase_is_silent_who_is_signed_in_goes_on(
    hana: AsyncClient,
    client: AsyncClient,
    app: FastAPI,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(60)

    assert supabase_client.TIMEOUT_SECONDS < 10
    monkeypatch.setattr(supabase_client, "TIMEOUT_SECONDS", 0.2)
    await app.state.supabase.close()
    app.state.supabase = Supabase(settings, transport=ASGITransport(never))
    answer = await client.post("/sign-in", data=SIGN_IN)
    assert answer.status_code == 503
    assert "The sign-in service is not answering." in answer.text
    assert answer.headers["x-trace-id"] in answer.text
    assert (await hana.get("/items")).status_code == 200
    assert (await hana.post("/items", data={"title": "Still here"})).status_code == 303


async def test_a_server_that_is_not_there(
    client: AsyncClient, app: FastAPI, settings: Settings
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    await app.state.supabase.close()
    app.state.supabase = Supabase(settings, transport=httpx.MockTransport(refuse))
    assert (await client.post("/sign-in", data=SIGN_IN)).status_code == 503


class TestTokens:
    """Supabase's own tokens, as bearers under /api."""

    @pytest.fixture
    def bearer(self, app: FastAPI, settings: Settings, gotrue: GoTrue) -> Callable[..., str]:
        secret = "the shared secret of this project's tokens"
        told = settings.model_copy(update={"supabase_jwt_secret": SecretStr(secret)})
        app.state.supabase_tokens = SupabaseTokens(told)

        def make(**claims: object) -> str:
            account = gotrue.accounts["hana@example.com"]
            content = {
                "sub": account.id,
                "aud": "authenticated",
                "iss": settings.supabase_auth_url,
                "exp": datetime.now(UTC) + timedelta(hours=1),
            }
            token = jwt.encode(content | claims, secret, "HS256")
            gotrue.accept(token, account)
            return token

        return make

    async def test_they_stand_for_their_user(
        self, hana: AsyncClient, app: FastAPI, bearer: Callable[..., str]
    ) -> None:
        await hana.post("/items", data={"title": "Mine"})
        headers = {"Authorization": f"Bearer {bearer()}"}
        answer = await browser_for(app).get("/api/items", headers=headers)
        assert [item["title"] for item in answer.json()["items"]] == ["Mine"]
        wrong = {"Authorization": f"Bearer {bearer(aud='anon')}"}
        assert (await browser_for(app).get("/api/items", headers=wrong)).status_code == 401

    async def test_who_was_never_here_is_looked_up(
        self, app: FastAPI, gotrue: GoTrue, bearer: Callable[..., str]
    ) -> None:
        await browser_for(app).post("/sign-up", data=SIGN_UP)
        headers = {"Authorization": f"Bearer {bearer()}"}
        refused = await browser_for(app).get("/api/items", headers=headers)
        assert refused.status_code == 401, "the address is not confirmed"
        gotrue.accounts["hana@example.com"].confirmed = True
        answers = await asyncio.gather(
            *(browser_for(app).get("/api/items", headers=headers) for _ in range(3))
        )
        assert {answer.status_code for answer in answers} == {200}
        assert await users(app) == [(1, "hana@example.com")]


class TestTheStandIn:
    """It refuses what the real one refuses."""

    async def ask(self, gotrue: GoTrue, path: str, key: str, **body: str) -> httpx.Response:
        async with AsyncClient(transport=ASGITransport(gotrue.app), base_url="http://g") as client:
            return await client.post(path, json=body, headers={"apikey": key})

    async def test_without_a_key(self, gotrue: GoTrue) -> None:
        assert (await self.ask(gotrue, "/token?grant_type=password", "")).status_code == 401

    async def test_other_grant_types(self, gotrue: GoTrue) -> None:
        answer = await self.ask(gotrue, "/token?grant_type=client", PUBLISHABLE)
        assert (answer.status_code, answer.json()["code"]) == (400, "unsupported_grant_type")

    async def test_a_refresh_token_that_was_used(self, hana: AsyncClient, gotrue: GoTrue) -> None:
        path = "/token?grant_type=password"
        token = (await self.ask(gotrue, path, PUBLISHABLE, **SIGN_IN)).json()["refresh_token"]
        path = "/token?grant_type=refresh_token"
        assert (await self.ask(gotrue, path, PUBLISHABLE, refresh_token=token)).status_code == 200
        again = await self.ask(gotrue, path, PUBLISHABLE, refresh_token=token)
        assert again.json()["code"] == "refresh_token_already_used"
