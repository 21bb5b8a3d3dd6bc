"""Signing in with GitHub and Google, and everything that may go wrong on the way."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from fastapi import FastAPI
from httpx import URL, ASGITransport, AsyncClient, Response
from pydantic import SecretStr
from sqlalchemy import func, select, update

from app.lib.utils import utc_now
from app.mail import NoMailer
from app.models.account_event import AccountEvent
from app.models.oauth_identity import OAuthIdentity
from app.models.user import User
from app.product import SLUG
from app.routers.browser_session import AFTER_SIGN_IN
from app.services.oauth import provider as oauth_provider
from app.services.oauth.clients import Clients
from app.services.oauth.flow import Flow
from app.services.rate_limits import SIGN_IN_BY_IP
from tests.routers.conftest import ON_BOTH, ORIGIN, PASSWORD, browser_for
from tests.routers.test_account_flows import get_stale, turn_on_second_factor
from tests.support.oauth_servers import CLIENT_ID, CLIENT_SECRET, Person, Servers

HERE = {"Sec-Fetch-Site": "same-origin"}
"""What browsers send with a click on a page of the app."""

BOTH_SERVICES = pytest.mark.parametrize("name", ["github", "google"])


@pytest.fixture
def servers() -> Servers:
    return Servers(frozenset(f"{ORIGIN}/oauth/{name}/callback" for name in ("github", "google")))


@pytest.fixture(autouse=True)
async def configured(app: FastAPI, servers: Servers) -> AsyncIterator[None]:
    """Both services, with the stand-ins for them."""
    app.state.settings = app.state.settings.model_copy(
        update={
            "github_client_id": CLIENT_ID,
            "github_client_secret": SecretStr(CLIENT_SECRET),
            "google_client_id": CLIENT_ID,
            "google_client_secret": SecretStr(CLIENT_SECRET),
        }
    )
    await connect(app, ASGITransport(servers.app))
    yield
    await app.state.oauth_clients.close()


async def connect(app: FastAPI, transport: httpx.AsyncBaseTransport) -> None:
    await app.state.oauth_clients.close()
    app.state.oauth_clients = Clients(app.state.settings, transport=transport)


async def leave(browser: AsyncClient, path: str) -> str:
    """Where a click on a link of the app leads to."""
    answer = await browser.get(path, headers=HERE)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def walk(
    browser: AsyncClient, servers: Servers, path: str, consent: str = "allow"
) -> Response:
    """Off to the service, through its page of consent, and back."""
    back = await servers.answer(await leave(browser, path), consent)
    return await browser.get(back, headers={"Sec-Fetch-Site": "cross-site"})


async def said(browser: AsyncClient, answer: Response) -> str:
    """What the page that a failed way ends on says."""
    page = await browser.get(answer.headers["location"])
    found = re.search(r'role="alert"[^>]*>([^<]*)<', page.text)
    return found[1] if found else page.text


async def events(app: FastAPI) -> list[tuple[str, str]]:
    async with app.state.database.system_session() as session:
        found = await session.scalars(select(AccountEvent).order_by(AccountEvent.id))
        return [(event.kind, event.detail) for event in found]


class TestSigningIn:
    @ON_BOTH
    @BOTH_SERVICES
    async def test_somebody_new_gets_an_account(
        self, client: AsyncClient, app: FastAPI, servers: Servers, name: str
    ) -> None:
        answer = await walk(client, servers, f"/oauth/{name}?next=/account")
        assert answer.headers["location"] == "/account"
        assert "Hana Sato" in (await client.get("/account")).text
        assert await events(app) == [
            ("signed_up", ""),
            ("provider_linked", name),
            ("signed_in", name),
        ]
        assert app.state.mailer.mails == ()
        again = browser_for(app)
        servers.person = Person(email="new@example.com", verified=False)  # the subject counts
        assert (await walk(again, servers, f"/oauth/{name}")).headers["location"] == AFTER_SIGN_IN
        async with app.state.database.system_session() as session:
            assert await session.scalar(select(func.count()).select_from(User)) == 1

    @BOTH_SERVICES
    async def test_a_verified_address_leads_to_the_account_that_has_it(
        self, hana: AsyncClient, client: AsyncClient, app: FastAPI, servers: Servers, name: str
    ) -> None:
        await hana.post("/account/tokens", data={"name": "Mine", "scope": "read", "days": "7"})
        servers.person = Person(email="Hana@Example.com")
        assert (await walk(client, servers, f"/oauth/{name}")).status_code == 303
        assert "Mine" in (await client.get("/account/tokens")).text
        await client.post("/sign-out")
        sign_in = {"email": "hana@example.com", "password": PASSWORD}
        signed_in = await client.post("/sign-in", data=sign_in)
        assert signed_in.headers["location"] == AFTER_SIGN_IN, "the password is still good"

    @BOTH_SERVICES
    async def test_an_address_that_nobody_verified_leads_nowhere(
        self, hana: AsyncClient, client: AsyncClient, app: FastAPI, servers: Servers, name: str
    ) -> None:
        servers.person = Person(verified=False)
        answer = await walk(client, servers, f"/oauth/{name}")
        assert "does not know whether your e-mail address is yours" in await said(client, answer)
        assert (await client.get("/account")).status_code == 303
        assert ("sign_in_failed", f"{name}: unverified") in await events(app)

    @ON_BOTH
    async def test_whoever_signed_up_with_the_address_of_another_is_locked_out(
        self, client: AsyncClient, app: FastAPI, servers: Servers
    ) -> None:
        thief = browser_for(app)
        fields = {"name": "Thief", "email": "hana@example.com", "password": PASSWORD}
        await thief.post("/sign-up", data=fields)
        link = app.state.mailer.mails[0].link
        await walk(client, servers, "/oauth/github")
        assert "Thief" not in (await client.get("/account")).text
        assert (await thief.post("/sign-in", data=fields)).status_code == 422
        opened = dict(URL(link).params) | {"password": PASSWORD}
        assert (await thief.post("/auth/confirm", data=opened)).status_code == 422

    async def test_a_second_factor_is_asked_for_all_the_same(
        self, hana: AsyncClient, client: AsyncClient, app: FastAPI, servers: Servers
    ) -> None:
        _key, codes = await turn_on_second_factor(hana)
        answer = await walk(client, servers, "/oauth/github?next=/account")
        assert answer.headers["location"] == "/sign-in/code"
        assert (await client.get("/account")).status_code == 303
        answer = await client.post("/sign-in/code", data={"code": codes[0]})
        assert answer.headers["location"] == "/account"
        assert (await events(app))[-1] == ("signed_in", "github, code")

    async def test_a_closed_account_stays_closed(
        self, hana: AsyncClient, client: AsyncClient, app: FastAPI, servers: Servers
    ) -> None:
        await walk(hana, servers, "/oauth/google")
        async with app.state.database.system_session() as session:
            await session.execute(update(User).values(disabled_at=utc_now()))
        for name in ("google", "github"):  # linked, and not yet
            answer = await walk(client, servers, f"/oauth/{name}")
            assert "This account is closed" in await said(client, answer)
        assert (await client.get("/account")).status_code == 303

    @ON_BOTH
    async def test_two_at_once_make_one_account(self, app: FastAPI, servers: Servers) -> None:
        browsers = [browser_for(app) for _ in range(3)]
        answers = await asyncio.gather(
            *(walk(browser, servers, "/oauth/github") for browser in browsers)
        )
        assert {answer.headers["location"] for answer in answers} == {AFTER_SIGN_IN}
        async with app.state.database.system_session() as session:
            assert await session.scalar(select(func.count()).select_from(User)) == 1
            assert await session.scalar(select(func.count()).select_from(OAuthIdentity)) == 1

    async def test_without_mail_it_is_the_only_way_to_an_account(
        self, client: AsyncClient, app: FastAPI, servers: Servers
    ) -> None:
        app.state.mailer = NoMailer()
        page = (await client.get("/sign-up")).text
        assert ("Continue with GitHub" in page, 'name="password"' in page) == (True, False)
        assert (await walk(client, servers, "/oauth/github")).headers["location"] == AFTER_SIGN_IN
        await walk(client, servers, "/oauth/google/link")
        assert ("provider_linked", "google") in await events(app)

    async def test_it_never_leads_to_another_site(
        self, client: AsyncClient, servers: Servers
    ) -> None:
        for target in ("//evil.example", "https://evil.example", "/\\evil.example"):
            answer = await walk(client, servers, f"/oauth/github?next={target}")
            assert answer.headers["location"] == AFTER_SIGN_IN


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


class TestLinking:
    @ON_BOTH
    async def test_link_and_unlink(
        self, hana: AsyncClient, client: AsyncClient, app: FastAPI, servers: Servers
    ) -> None:
        servers.person = Person(email="hana@work.example", verified=False)
        answer = await walk(hana, servers, "/oauth/github/link")
        assert answer.headers["location"] == "/account"
        page = (await hana.get("/account")).text
        assert "You can sign in with GitHub from now on." in page
        assert "/account/providers/github/unlink" in page
        assert (await walk(client, servers, "/oauth/github")).headers["location"] == AFTER_SIGN_IN
        answer = await hana.post("/account/providers/github/unlink")
        assert answer.headers["location"] == "/account"
        await client.post("/sign-out")
        answer = await walk(client, servers, "/oauth/github")
        assert "does not know whether" in await said(client, answer)
        kinds = [event for event in await events(app) if event[0].startswith("provider")]
        assert kinds == [("provider_linked", "github"), ("provider_unlinked", "github")]

    @ON_BOTH
    async def test_an_account_elsewhere_belongs_to_one_account_here(
        self, hana: AsyncClient, client: AsyncClient, servers: Servers
    ) -> None:
        servers.person = Person(email="taro@example.com")
        await walk(client, servers, "/oauth/github")
        await walk(hana, servers, "/oauth/github/link")
        assert "belongs to another account here" in (await hana.get("/account")).text

    async def test_the_last_way_in_stays(self, client: AsyncClient, servers: Servers) -> None:
        await walk(client, servers, "/oauth/github")
        await client.post("/account/providers/github/unlink")
        page = (await client.get("/account")).text
        assert "You could not sign in any more without GitHub." in page
        assert "This account has no password." in page
        await walk(client, servers, "/oauth/google/link")
        answer = await client.post("/account/providers/github/unlink")
        assert "GitHub is no way to sign in any more." in (await client.get("/account")).text
        assert (await client.post("/account/providers/github/unlink")).status_code == 404
        assert answer.status_code == 303

    async def test_only_after_a_fresh_sign_in(
        self, hana: AsyncClient, app: FastAPI, servers: Servers
    ) -> None:
        await walk(hana, servers, "/oauth/github/link")
        await get_stale(app)
        assert await leave(hana, "/oauth/google/link") == "/account/verify?next=/account"
        answer = await hana.post("/account/providers/github/unlink")
        assert answer.headers["location"].startswith("/account/verify")
        assert "Continue with GitHub" in (await hana.get("/account/verify")).text
        answer = await walk(hana, servers, "/oauth/github/verify?next=/account/tokens")
        assert answer.headers["location"] == "/account/tokens"
        answer = await hana.post("/account/providers/github/unlink")
        assert answer.headers["location"] == "/account"

    async def test_somebody_else_does_not_make_it_fresh(
        self, hana: AsyncClient, app: FastAPI, servers: Servers
    ) -> None:
        await walk(hana, servers, "/oauth/github/link")
        await get_stale(app)
        servers.person = Person(subject="666")
        await walk(hana, servers, "/oauth/github/verify")
        assert "belongs to another account here" in (await hana.get("/account")).text
        assert (await hana.get("/account/delete")).headers["location"].startswith("/account/verify")

    async def test_another_site_cannot_begin_it(
        self, hana: AsyncClient, client: AsyncClient, servers: Servers
    ) -> None:
        """It would link the attacker's account, where the browser is signed in with that."""
        for path in ("/oauth/github/link", "/oauth/github/verify"):
            for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Referer": "https://evil.example"}):
                assert (await hana.get(path, headers=headers)).status_code == 403
            old = {"Referer": f"{ORIGIN}/account"}
            assert (await hana.get(path, headers=old)).status_code == 303
            assert (await leave(client, path)).startswith("/sign-in")

    async def test_the_way_back_is_for_whoever_left(
        self, hana: AsyncClient, client: AsyncClient, servers: Servers
    ) -> None:
        back = await servers.answer(await leave(hana, "/oauth/github/link"))
        await hana.post("/sign-out")
        await hana.get(back)
        servers.person = Person(subject="1", email="taro@example.com")
        await walk(client, servers, "/oauth/google")
        assert "not linked" in (await client.get("/account")).text

    async def test_an_administrator_sees_them(
        self, client: AsyncClient, app: FastAPI, servers: Servers
    ) -> None:
        await walk(client, servers, "/oauth/github")
        await walk(client, servers, "/oauth/google/link")
        async with app.state.database.system_session() as session:
            await session.execute(update(User).values(role="admin"))
        assert ">GitHub, Google<" in (await client.get("/admin/users/1")).text

    @ON_BOTH
    async def test_they_go_with_the_account(
        self, client: AsyncClient, app: FastAPI, servers: Servers
    ) -> None:
        await walk(client, servers, "/oauth/github")
        answer = await client.post("/account/delete", data={"email": "hana@example.com"})
        assert answer.headers["location"] == "/"
        async with app.state.database.system_session() as session:
            assert await session.scalar(select(func.count()).select_from(OAuthIdentity)) == 0


async def test_no_secret_of_it_reaches_the_log(
    client: AsyncClient, servers: Servers, tmp_path: Path
) -> None:
    for name in ("github", "google"):
        back = await servers.answer(await leave(client, f"/oauth/{name}"))
        servers.seen.append(client.cookies[f"{SLUG}-oauth"])
        await client.get(back)
        await client.post("/sign-out")
    await walk(client, servers, "/oauth/github", "deny")
    log = "".join(path.read_text("utf-8") for path in (tmp_path / "logs").glob("*.csv"))
    assert "/oauth/github/callback" in log
    assert "OAuth_Profile" in log
    assert len(servers.seen) > 10
    for secret in (CLIENT_SECRET, *servers.seen):
        assert secret not in log


class TestTheStandIn:
    """It refuses what the real ones refuse."""

    BACK = f"{ORIGIN}/oauth/github/callback"

    async def code(self, app: FastAPI, servers: Servers) -> tuple[str, str]:
        """A fresh code, and the verifier that belongs to it."""
        flow = Flow.begin("github", "sign_in", self.BACK)
        url = app.state.oauth_clients["github"].authorize_url(flow)
        return URL(await servers.answer(url)).params["code"], flow.verifier

    async def redeem(self, servers: Servers, code: str, verifier: str, **changes: str) -> str:
        """The error that comes of it."""
        fields = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "code": code,
            "redirect_uri": self.BACK,
            "code_verifier": verifier,
        }
        async with servers.browser() as browser:
            url = "https://github.com/login/oauth/access_token"
            headers = {"Accept": "application/json"}
            answer = await browser.post(url, data=fields | changes, headers=headers)
            return str(answer.json().get("error", ""))

    async def test_codes(self, app: FastAPI, servers: Servers) -> None:
        bad = "bad_verification_code"
        code, verifier = await self.code(app, servers)
        assert await self.redeem(servers, "never made", verifier) == bad
        assert await self.redeem(servers, code, verifier) == ""
        assert await self.redeem(servers, code, verifier) == bad, "used"
        code, _verifier = await self.code(app, servers)
        assert await self.redeem(servers, code, "v" * 43) == bad
        code, verifier = await self.code(app, servers)
        assert (
            await self.redeem(servers, code, verifier, redirect_uri="https://evil.example") == bad
        )
        code, verifier = await self.code(app, servers)
        wrong = await self.redeem(servers, code, verifier, client_secret="guessed")
        assert wrong == "incorrect_client_credentials"

    async def test_what_a_browser_is_sent_with(self, app: FastAPI, servers: Servers) -> None:
        flow = Flow.begin("google", "sign_in", f"{ORIGIN}/oauth/google/callback")
        url = URL(app.state.oauth_clients["google"].authorize_url(flow))
        async with servers.browser() as browser:
            assert (await browser.get(url)).status_code == 200
            for name in ("state", "nonce", "code_challenge", "client_id", "redirect_uri", "scope"):
                answer = await browser.get(url.copy_remove_param(name))
                assert (answer.status_code, answer.text) == (400, f"wrong: {name}")
            plain = url.copy_set_param("code_challenge_method", "plain")
            assert (await browser.get(plain)).status_code == 400
