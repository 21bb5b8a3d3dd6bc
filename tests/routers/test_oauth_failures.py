"""What may go wrong on the way to GitHub or Google and back, and what is said of it."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from fastapi import FastAPI
from httpx import URL, ASGITransport, AsyncClient

from app.product import SLUG
from app.routers.browser_session import AFTER_SIGN_IN
from app.services.oauth import provider as oauth_provider
from app.services.rate_limits import SIGN_IN_BY_IP
from tests.routers.conftest import browser_for
from tests.routers.oauth_ways import BOTH_SERVICES, connect, events, leave, said, walk
from tests.support.oauth_servers import Servers


@pytest.mark.usefixtures("servers")
class TestWhatGoesWrong:
    @BOTH_SERVICES
    async def test_no_consent(
        self, client: AsyncClient, app: FastAPI, servers: Servers, name: str
    ) -> None:
        answer = await walk(client, servers, f"/oauth/{name}?next=/account", "deny")
        assert URL(answer.headers["location"]).params["next"] == "/account", "a try again goes on"
        assert "You did not let" in await said(client, answer)
        assert await events(app) == [("sign_in_failed", f"{name}: denied")]

    async def test_in_the_language_of_the_reader(
        self, client: AsyncClient, servers: Servers
    ) -> None:
        client.headers["Accept-Language"] = "ja"
        answer = await walk(client, servers, "/oauth/github", "deny")
        assert "GitHub での確認が許可されなかった" in await said(client, answer)

    async def test_the_answer_to_another_browser(
        self, client: AsyncClient, app: FastAPI, servers: Servers
    ) -> None:
        """An attacker's own answer, slipped to somebody else, does not sign them in."""
        back = await servers.answer(await leave(browser_for(app), "/oauth/github"))
        assert "too long" in await said(client, await client.get(back))
        await leave(client, "/oauth/github")
        assert "too long" in await said(client, await client.get(back))
        assert (await client.get("/account")).status_code == 303
        assert await events(app) == [("sign_in_failed", "github: expired")] * 2

    async def test_the_answer_of_the_other_service(
        self, client: AsyncClient, servers: Servers
    ) -> None:
        back = URL(await servers.answer(await leave(client, "/oauth/github")))
        mixed = back.copy_with(path="/oauth/google/callback")
        assert "too long" in await said(client, await client.get(mixed))

    async def test_a_code_a_second_time(
        self, client: AsyncClient, app: FastAPI, servers: Servers
    ) -> None:
        back = await servers.answer(await leave(client, "/oauth/github"))
        cookie = client.cookies[f"{SLUG}-oauth"]
        assert (await client.get(back)).headers["location"] == AFTER_SIGN_IN
        thief = browser_for(app)
        assert "too long" in await said(thief, await thief.get(back))
        thief.cookies.set(f"{SLUG}-oauth", cookie)
        assert "did not confirm" in await said(thief, await thief.get(back))

    async def test_a_cookie_that_is_too_old_or_forged(
        self,
        client: AsyncClient,
        app: FastAPI,
        servers: Servers,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        back = await servers.answer(await leave(client, "/oauth/github"))
        assert client.cookies[f"{SLUG}-oauth"]
        with monkeypatch.context() as patch:
            patch.setattr("app.routers.oauth_router._SECONDS", -1)
            assert "too long" in await said(client, await client.get(back))
        back = await servers.answer(await leave(client, "/oauth/github"))
        for sealed in (
            app.state.box.seal("something else", "{}"),
            app.state.box.seal("oauth flow", "{}"),  # of an older version of the app
        ):
            client.cookies.clear()
            client.cookies.set(f"{SLUG}-oauth", sealed)
            assert "too long" in await said(client, await client.get(back))
        assert (await client.get("/account")).status_code == 303

    async def test_a_service_that_hangs(
        self, client: AsyncClient, app: FastAPI, servers: Servers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held: list[int] = []

        async def never(scope: Any, receive: Any, send: Any) -> None:
            held.append(app.state.database.engine.pool.checkedout())
            await asyncio.Event().wait()

        assert oauth_provider.TIMEOUT_SECONDS < 10
        monkeypatch.setattr(oauth_provider, "TIMEOUT_SECONDS", 0.05)
        back = await servers.answer(await leave(client, "/oauth/google"))
        await connect(app, ASGITransport(never))
        client.cookies.set(f"{SLUG}-session", "of nobody")
        assert "Google is not answering" in await said(client, await client.get(back))
        assert held == [0], "no connection to the database, which others need"
        assert await events(app) == [("sign_in_failed", "google: away")]

    @pytest.mark.parametrize(
        "answer",
        [
            httpx.Response(502, text="Bad gateway"),
            httpx.Response(200, text="<html>Unicorn!</html>"),
            httpx.Response(200, json={"error": "incorrect_client_credentials"}),
            httpx.Response(200, json={"access_token": ["gho_that-nobody-may-read"]}),
            httpx.ConnectError("refused"),
        ],
        ids=["502", "html", "credentials", "shape", "down"],
    )
    async def test_a_service_that_answers_something_else(
        self,
        client: AsyncClient,
        app: FastAPI,
        servers: Servers,
        tmp_path: Path,
        answer: httpx.Response | httpx.ConnectError,
    ) -> None:
        def respond(request: httpx.Request) -> httpx.Response:
            if isinstance(answer, httpx.ConnectError):
                raise answer
            return answer

        back = await servers.answer(await leave(client, "/oauth/github"))
        await connect(app, httpx.MockTransport(respond))
        assert "GitHub is not answering" in await said(client, await client.get(back))
        log = "".join(path.read_text("utf-8") for path in (tmp_path / "logs").glob("*.csv"))
        assert "ProviderUnavailable" in log
        assert "that-nobody-may-read" not in log

    @pytest.mark.parametrize(
        "claims",
        [
            {"nonce": "of another"},
            {"aud": "another-app"},
            {"iss": "https://evil.example"},
            {"exp": 1_700_000_000},
            {"sub": None},
        ],
        ids=lambda claims: next(iter(claims)),
    )
    async def test_a_token_of_google_that_is_not_for_this(
        self, client: AsyncClient, servers: Servers, claims: dict[str, object]
    ) -> None:
        servers.claims = claims
        answer = await walk(client, servers, "/oauth/google")
        assert "did not confirm" in await said(client, answer)

    async def test_the_other_name_of_google(self, client: AsyncClient, servers: Servers) -> None:
        servers.claims = {"iss": "accounts.google.com"}
        answer = await walk(client, servers, "/oauth/google")
        assert answer.headers["location"] == AFTER_SIGN_IN

    async def test_a_token_that_google_did_not_sign(
        self, client: AsyncClient, servers: Servers
    ) -> None:
        servers.signing_key = generate_private_key(65537, 2048)
        answer = await walk(client, servers, "/oauth/google")
        assert "did not confirm" in await said(client, answer)

    async def test_too_many_tries(self, client: AsyncClient, app: FastAPI) -> None:
        for _ in range(SIGN_IN_BY_IP.times):
            await app.state.rate_limits.hit(SIGN_IN_BY_IP, "127.0.0.1")
        for path in ("/oauth/github", "/oauth/github/callback"):
            assert (await client.get(path)).status_code == 429

    async def test_a_service_that_is_not_set_up(self, client: AsyncClient, app: FastAPI) -> None:
        app.state.settings = app.state.settings.model_copy(update={"google_client_id": ""})
        for path in ("/oauth/google", "/oauth/google/callback", "/oauth/gitlab"):
            assert (await client.get(path)).status_code == 404
        assert "Google" not in (await client.get("/sign-in")).text
        assert "Continue with GitHub" in (await client.get("/sign-in")).text
        assert "Continue with GitHub" in (await client.get("/sign-up")).text

    async def test_a_problem_that_somebody_made_up(self, client: AsyncClient) -> None:
        page = await client.get("/sign-in?problem=Call+0120&provider=github")
        assert page.status_code == 200
        assert "0120" not in page.text
