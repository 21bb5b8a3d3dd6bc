"""Supabase Auth when it is silent, its own tokens, and how strict the stand-in for it is.

What people do with their accounts is in `test_supabase_flows.py`.
"""

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

from app.config import Settings
from app.routers.browser_session import AFTER_SIGN_IN
from app.services import supabase_client
from app.services.supabase_client import Supabase
from app.services.supabase_tokens import SupabaseTokens
from tests.routers.conftest import ORIGIN, browser_for
from tests.routers.supabase_app import app_with, users
from tests.support.accounts import PASSWORD
from tests.support.gotrue import PUBLISHABLE, SECRET, GoTrue

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
    supabase = Supabase(settings, transport=ASGITransport(gotrue.app))
    async with app_with(supabase, settings, tmp_path) as app:
        yield app
        await app.state.supabase.close()


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
    assert answer.headers["location"] == AFTER_SIGN_IN, answer.text
    return browser


async def test_where_both_addresses_have_to_confirm_a_change(
    hana: AsyncClient, gotrue: GoTrue
) -> None:
    gotrue.secure_email_change = True
    await hana.post("/account/email", data={"email": "new@example.com", "password": PASSWORD})
    (_type, to, new), (_type, _to, old) = gotrue.mails[:2]
    assert to == "new@example.com"
    link = {"type": "email_change", "token_hash": new}
    answer = await hana.post("/auth/confirm", data=link)
    assert answer.headers["location"] == "/check-mail"
    assert (
        "Please open the one in the mail to your other address too."
        in (await hana.get("/check-mail")).text
    )
    assert "new@example.com" not in (await hana.get("/account")).text
    await hana.post("/auth/confirm", data=link | {"token_hash": old})
    assert "new@example.com" in (await hana.get("/account")).text


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
    assert (await hana.get("/jobs")).status_code == 200
    still = {"name": "Still here", "scope": "read", "days": "7"}
    assert (await hana.post("/account/tokens", data=still)).status_code == 200


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
        self, hana: AsyncClient, app: FastAPI, probe: str, bearer: Callable[..., str]
    ) -> None:
        headers = {"Authorization": f"Bearer {bearer()}"}
        answer = await browser_for(app).get(probe, headers=headers)
        assert answer.json() == {"email": "hana@example.com"}
        wrong = {"Authorization": f"Bearer {bearer(aud='anon')}"}
        assert (await browser_for(app).get(probe, headers=wrong)).status_code == 401

    async def test_who_was_never_here_is_looked_up(
        self, app: FastAPI, probe: str, gotrue: GoTrue, bearer: Callable[..., str]
    ) -> None:
        await browser_for(app).post("/sign-up", data=SIGN_UP)
        headers = {"Authorization": f"Bearer {bearer()}"}
        refused = await browser_for(app).get(probe, headers=headers)
        assert refused.status_code == 401, "the address is not confirmed"
        gotrue.accounts["hana@example.com"].confirmed = True
        answers = await asyncio.gather(
            *(browser_for(app).get(probe, headers=headers) for _ in range(3))
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
