"""Supabase Auth refuses, or is silent: everybody is told so in words, and nobody else notices."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from httpx import URL, AsyncClient
from jwt import encode
from sqlalchemy import AsyncAdaptedQueuePool

from app.config import Settings
from app.services.rate_limits import MemoryLimits
from app.services.supabase_client import Supabase
from app.services.supabase_tokens import SupabaseTokens
from tests.routers.conftest import browser_for
from tests.routers.oauth_ways import HERE, leave
from tests.routers.test_supabase_accounts import (
    SIGN_IN,
    SIGN_UP,
    app,
    gotrue,
    hana,
    link,
    settings,
)
from tests.support.accounts import PASSWORD
from tests.support.gotrue import GoTrue

__all__ = ["app", "gotrue", "hana", "settings"]

NEW: Final = "another good one"

REFUSALS: Final = [
    (400, "bad_code_verifier"),
    (400, "email_address_invalid"),
    (400, "email_not_confirmed"),
    (400, "invalid_credentials"),
    (400, "user_banned"),
    (403, "not_admin"),
    (403, "otp_expired"),
    (404, "user_not_found"),
    (422, "email_exists"),
    (422, "same_password"),
    (422, "signup_disabled"),
    (422, "weak_password"),
    (429, "over_email_send_rate_limit"),
    (429, "over_request_rate_limit"),
    (418, "what nobody has heard of"),
]


@pytest.fixture(autouse=True)
def configured(app: FastAPI) -> None:
    app.state.settings = app.state.settings.model_copy(update={"supabase_oauth": ("github",)})
    app.state.rate_limits = MemoryLimits(factor=1000)


Do = Callable[[], Any]


@pytest.fixture
async def asking(hana: AsyncClient, app: FastAPI, gotrue: GoTrue) -> list[tuple[str, Do]]:
    """All that makes the app ask Supabase, by somebody new and by Hana, who is signed in."""
    client = browser_for(app)
    await client.post("/forgot-password", data={"email": SIGN_IN["email"]})
    await client.post("/auth/confirm", data=link(gotrue))  # may set a new password now
    left = URL(URL(await leave(client, "/oauth/github")).params["redirect_to"])
    back = f"{left.path}?code=given&state={left.params['state']}"
    noted = dict(client.cookies)

    def form(browser: AsyncClient, path: str, **fields: str) -> tuple[str, Do]:
        return path, lambda: browser.post(path, data=fields)

    def visit(path: str) -> Do:
        async def come() -> httpx.Response:
            stranger = browser_for(app)
            stranger.cookies.update(noted | dict(hana.cookies))
            return await stranger.get(path, headers=HERE)

        return come

    async def reset() -> httpx.Response:
        stranger = browser_for(app)
        stranger.cookies.update(noted)
        return await stranger.post("/reset-password", data={"new": NEW})

    stranger = browser_for(app)
    return [
        form(stranger, "/sign-in", **SIGN_IN),
        form(stranger, "/sign-up", **SIGN_UP),
        *(
            form(stranger, "/auth/confirm", type=kind, token_hash="none")
            for kind in ("email", "magiclink", "recovery", "email_change")
        ),
        ("/reset-password", reset),
        ("/oauth/github/callback", visit(back)),
        ("/oauth/github/link", visit("/oauth/github/link")),
        form(hana, "/account/verify", password=PASSWORD),
        form(hana, "/account/password", current=PASSWORD, new=NEW),
        form(hana, "/account/email", email="new@example.com", password=PASSWORD),
        form(hana, "/account/delete", email=SIGN_IN["email"]),
    ]


async def connect(app: FastAPI, settings: Settings, transport: httpx.AsyncBaseTransport) -> None:
    await app.state.supabase.close()
    app.state.supabase = Supabase(settings, transport=transport)


async def test_whatever_it_refuses_is_told_in_words(
    asking: list[tuple[str, Do]], app: FastAPI, settings: Settings
) -> None:
    told: dict[tuple[str, str], int] = {}
    for status, code in REFUSALS:
        content = {"code": code, "message": "what only developers should read"}
        if code == "weak_password":
            content |= {"weak_password": {"reasons": ["pwned"]}}  # type: ignore[dict-item]

        def refuse(
            _request: httpx.Request, status: int = status, content: Any = content
        ) -> httpx.Response:
            version = {"X-Supabase-Api-Version": "2024-01-01"}
            return httpx.Response(status, json=content, headers=version)

        await connect(app, settings, httpx.MockTransport(refuse))
        for path, ask in asking:
            if (path, code) == ("/account/delete", "user_not_found"):
                continue  # gone there already: see below
            answer = await ask()
            assert "only developers" not in answer.text
            told[path, code] = answer.status_code
    assert set(told.values()) <= {303, 403, 422, 429, 503}, told


class Silent(httpx.AsyncBaseTransport):
    """Takes every request, and answers none before `over`."""

    def __init__(self) -> None:
        self.asked = asyncio.Semaphore(0)
        self.over = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.release()
        await self.over.wait()
        raise httpx.ReadTimeout("nothing came", request=request)


@contextmanager
def waiting(silent: Silent, asking: list[Do]) -> Iterator[list[asyncio.Task[httpx.Response]]]:
    yield [asyncio.ensure_future(ask()) for ask in asking]
    silent.over.set()


async def test_who_waits_for_it_keeps_no_connection_that_others_need(
    asking: list[tuple[str, Do]], hana: AsyncClient, app: FastAPI, settings: Settings
) -> None:
    pool = app.state.database.engine.pool
    assert isinstance(pool, AsyncAdaptedQueuePool)
    for path, ask in asking:
        silent = Silent()
        await connect(app, settings, silent)
        with waiting(silent, [ask]) as tasks:
            await silent.asked.acquire()
            assert pool.checkedout() == 0, path
        answer = await tasks[0]
        assert answer.status_code == (303 if "callback" in path else 503), path


async def test_more_of_them_than_there_are_connections(
    hana: AsyncClient, app: FastAPI, settings: Settings, probe: str
) -> None:
    silent = Silent()
    await connect(app, settings, silent)
    await app.state.supabase_tokens.close()
    app.state.supabase_tokens = SupabaseTokens(settings, transport=silent)
    key = ec.generate_private_key(ec.SECP256R1())
    bearer = {"Authorization": f"Bearer {encode({}, key, 'ES256', headers={'kid': 'one'})}"}
    asking: list[Do] = [lambda: hana.post("/account/verify", data={"password": PASSWORD})] * 12
    asking += [lambda: browser_for(app).get(probe, headers=bearer)] * 12
    with waiting(silent, asking) as tasks:
        for _ in range(12 + 1):  # the keys are asked for once
            await silent.asked.acquire()
        assert (await hana.get("/jobs")).status_code == 200
    answers = await asyncio.gather(*tasks)
    assert {answer.status_code for answer in answers} == {503}


class TestTheNewPassword:
    """After a link, by the tokens of its session: each is good once."""

    @pytest.fixture
    async def with_link(self, hana: AsyncClient, client: AsyncClient, gotrue: GoTrue) -> None:
        await client.post("/forgot-password", data={"email": SIGN_IN["email"]})
        answer = await client.post("/auth/confirm", data=link(gotrue))
        assert answer.headers["location"] == "/reset-password"

    async def test_one_that_it_does_not_take_can_be_followed_by_another(
        self, with_link: None, client: AsyncClient, gotrue: GoTrue
    ) -> None:
        gotrue.weak.add("known from a leak")
        for refused in ("known from a leak", PASSWORD):
            answer = await client.post("/reset-password", data={"new": refused})
            assert answer.status_code == 422
            assert "This password is not taken" in answer.text
        answer = await client.post("/reset-password", data={"new": NEW})
        assert answer.headers["location"] == "/sign-in"

    async def test_in_two_windows_one_gets_it(
        self, with_link: None, client: AsyncClient, app: FastAPI
    ) -> None:
        other = browser_for(app)
        other.cookies.update(dict(client.cookies))
        assert (await client.post("/reset-password", data={"new": NEW})).status_code == 303
        answer = await other.post("/reset-password", data={"new": "of somebody else"})
        assert answer.headers["location"] == "/forgot-password"
        assert "This link was used already" in (await other.get("/forgot-password")).text
        assert (await client.post("/sign-in", data=SIGN_IN | {"password": NEW})).is_redirect


async def test_a_second_try_at_once_tells_nothing_about_an_address(
    hana: AsyncClient, app: FastAPI, gotrue: GoTrue
) -> None:
    gotrue.mails_rarely = True
    stranger = browser_for(app)
    for email in (SIGN_UP["email"], "nobody@example.com"):
        for _ in range(2):
            answer = await stranger.post("/sign-up", data=SIGN_UP | {"email": email})
            assert answer.headers["location"] == "/check-mail"
    for email in ("taken@example.com", "free@example.com"):
        await stranger.post("/sign-up", data=SIGN_UP | {"email": "taken@example.com"})
        for _ in range(2):
            sent = {"email": email, "password": PASSWORD}
            assert (await hana.post("/account/email", data=sent)).status_code == 303
    sign_in = SIGN_IN | {"email": "nobody@example.com"}
    assert "not confirmed yet" in (await stranger.post("/sign-in", data=sign_in)).text


async def test_an_account_that_is_gone_there_can_be_deleted_here(
    hana: AsyncClient, gotrue: GoTrue
) -> None:
    gotrue.accounts.clear()
    answer = await hana.post("/account/delete", data={"email": SIGN_IN["email"]})
    assert answer.headers["location"] == "/"
    assert (await hana.get("/account")).status_code == 303


async def test_a_wrong_password_of_who_is_signed_in_is_among_their_events(
    hana: AsyncClient,
) -> None:
    await hana.post("/account/verify", data={"password": "not mine at all"})
    assert "Sign-in failed" in (await hana.get("/account/sessions")).text
