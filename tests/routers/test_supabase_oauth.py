"""Signing in with GitHub and Google through Supabase Auth."""

import httpx
import pytest
from fastapi import FastAPI
from httpx import URL, ASGITransport, AsyncClient, Response
from pydantic import SecretStr
from sqlalchemy import select

from app.models.oauth_identity import OAuthIdentity
from app.product import SLUG
from app.routers.browser_session import AFTER_SIGN_IN
from app.services.supabase_client import Supabase
from tests.routers.conftest import ORIGIN, browser_for
from tests.routers.oauth_ways import events, leave, said
from tests.routers.test_supabase_accounts import SIGN_IN, SIGN_UP, app, gotrue, hana, settings
from tests.support.accounts import turn_on_second_factor
from tests.support.gotrue import PUBLISHABLE, GoTrue
from tests.support.gotrue_oauth import Account
from tests.support.oauth_servers import Person

__all__ = ["app", "gotrue", "hana", "settings"]


@pytest.fixture(autouse=True)
def configured(app: FastAPI) -> None:
    told = {"supabase_oauth": ("github", "google")}
    app.state.settings = app.state.settings.model_copy(update=told)


async def walk(browser: AsyncClient, gotrue: GoTrue, path: str, consent: str = "allow") -> Response:
    back = await gotrue.oauth.answer(gotrue.app, await leave(browser, path), consent)
    return await browser.get(back)


async def linked(app: FastAPI) -> list[tuple[int, str, str]]:
    async with app.state.database.system_session() as session:
        found = await session.scalars(select(OAuthIdentity).order_by(OAuthIdentity.id))
        return [(each.user_id, each.provider, each.subject) for each in found]


async def test_somebody_new_gets_an_account(
    client: AsyncClient, app: FastAPI, gotrue: GoTrue
) -> None:
    answer = await walk(client, gotrue, "/oauth/github?next=/account")
    assert answer.headers["location"] == "/account"
    assert "hana@example.com" in (await client.get("/account")).text
    assert await linked(app) == [(1, "github", "4711")]
    again = await walk(browser_for(app), gotrue, "/oauth/github")
    assert again.headers["location"] == AFTER_SIGN_IN
    assert len(gotrue.accounts) == 1


async def test_a_verified_address_leads_to_the_account_that_has_it(
    hana: AsyncClient, client: AsyncClient, app: FastAPI, gotrue: GoTrue
) -> None:
    await walk(client, gotrue, "/oauth/google")
    assert await linked(app) == [(1, "google", "4711")]
    assert (await client.get("/account")).status_code == 200


async def test_whoever_signed_up_with_the_address_of_another_is_locked_out(
    client: AsyncClient, app: FastAPI, gotrue: GoTrue
) -> None:
    thief = browser_for(app)
    await thief.post("/sign-up", data=SIGN_UP)
    await walk(client, gotrue, "/oauth/github")
    assert (await thief.post("/sign-in", data=SIGN_IN)).status_code == 422


async def test_a_second_factor_is_asked_for_all_the_same(
    hana: AsyncClient, client: AsyncClient, gotrue: GoTrue
) -> None:
    await turn_on_second_factor(hana)
    answer = await walk(client, gotrue, "/oauth/github")
    assert answer.headers["location"] == "/sign-in/code"


class TestWhatGoesWrong:
    async def test_no_consent(self, client: AsyncClient, app: FastAPI, gotrue: GoTrue) -> None:
        answer = await walk(client, gotrue, "/oauth/github", "deny")
        assert "You did not let GitHub" in await said(client, answer)
        assert await events(app) == [("sign_in_failed", "github: denied")]

    async def test_an_address_that_nobody_verified(
        self, client: AsyncClient, gotrue: GoTrue
    ) -> None:
        gotrue.oauth.person = Person(verified=False)
        answer = await walk(client, gotrue, "/oauth/github")
        assert "does not know whether" in await said(client, answer)

    async def test_a_code_a_second_time_and_with_another_verifier(
        self, client: AsyncClient, app: FastAPI, gotrue: GoTrue
    ) -> None:
        back = await gotrue.oauth.answer(gotrue.app, await leave(client, "/oauth/github"))
        thief = browser_for(app)
        await leave(thief, "/oauth/github")
        assert "too long" in await said(thief, await thief.get(back)), "not begun there"
        state = URL(URL(await leave(thief, "/oauth/github")).params["redirect_to"]).params["state"]
        mixed = URL(back).copy_set_param("state", state)
        assert "did not confirm" in await said(thief, await thief.get(mixed)), "its verifier"
        cookie = client.cookies[f"{SLUG}-oauth"]
        assert (await client.get(back)).headers["location"] == AFTER_SIGN_IN
        thief.cookies.set(f"{SLUG}-oauth", cookie)
        assert "did not confirm" in await said(thief, await thief.get(back)), "used"

    async def test_a_code_that_is_too_old(self, client: AsyncClient, gotrue: GoTrue) -> None:
        back = await gotrue.oauth.answer(gotrue.app, await leave(client, "/oauth/github"))
        gotrue.oauth.flows[URL(back).params["code"]].expired = True
        assert "too long" in await said(client, await client.get(back))

    async def test_while_supabase_is_down(
        self, client: AsyncClient, app: FastAPI, gotrue: GoTrue
    ) -> None:
        def refuse(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused", request=request)

        back = await gotrue.oauth.answer(gotrue.app, await leave(client, "/oauth/github"))
        await app.state.supabase.close()
        app.state.supabase = Supabase(app.state.settings, transport=httpx.MockTransport(refuse))
        assert "GitHub is not answering" in await said(client, await client.get(back))

    async def test_a_service_that_is_not_turned_on(self, client: AsyncClient, app: FastAPI) -> None:
        told = {"supabase_oauth": ("google",), "github_client_id": "ignored"}
        app.state.settings = app.state.settings.model_copy(update=told)
        assert (await client.get("/oauth/github")).status_code == 404
        page = (await client.get("/sign-in")).text
        assert ("Continue with Google" in page, "GitHub" in page) == (True, False)


class TestLinking:
    async def test_link_and_unlink(self, hana: AsyncClient, app: FastAPI, gotrue: GoTrue) -> None:
        gotrue.oauth.person = Person(email="hana@work.example", verified=False)
        answer = await walk(hana, gotrue, "/oauth/github/link")
        assert answer.headers["location"] == "/account"
        assert await linked(app) == [(1, "github", "4711")]
        assert len(gotrue.accounts["hana@example.com"].identities) == 2
        await hana.post("/account/providers/github/unlink")
        assert "GitHub is no way to sign in any more." in (await hana.get("/account")).text
        assert await linked(app) == []
        assert len(gotrue.accounts["hana@example.com"].identities) == 1

    async def test_it_is_somebody_elses(
        self, hana: AsyncClient, client: AsyncClient, gotrue: GoTrue
    ) -> None:
        gotrue.oauth.person = Person(email="taro@example.com")
        await walk(client, gotrue, "/oauth/github")
        await walk(hana, gotrue, "/oauth/github/link")
        assert "belongs to another account here" in (await hana.get("/account")).text

    async def test_the_last_way_in_stays(
        self, client: AsyncClient, app: FastAPI, gotrue: GoTrue
    ) -> None:
        await walk(client, gotrue, "/oauth/github")
        await client.post("/account/providers/github/unlink")
        assert "You could not sign in any more" in (await client.get("/account")).text
        assert len(await linked(app)) == 1

    async def test_where_supabase_does_not_let_them(
        self, hana: AsyncClient, app: FastAPI, gotrue: GoTrue
    ) -> None:
        gotrue.oauth.manual_linking = False
        assert await leave(hana, "/oauth/github/link") == "/account"
        assert "does not let its users add or remove" in (await hana.get("/account")).text
        told = app.state.settings.model_copy(update={"supabase_secret_key": SecretStr("")})
        await app.state.supabase.close()
        app.state.supabase = Supabase(told, transport=ASGITransport(gotrue.app))
        assert await leave(hana, "/oauth/github/link") == "/account"

    async def test_an_address_that_was_changed_there_is_not_taken_for_the_old_one(
        self, hana: AsyncClient, app: FastAPI, gotrue: GoTrue
    ) -> None:
        """Meanwhile somebody else has it."""
        moved = gotrue.accounts.pop("hana@example.com")
        moved.email = "moved@example.com"
        other = Account("hana@example.com", "of another", "Other", confirmed=True)
        gotrue.accounts |= {moved.email: moved, other.email: other}
        gotrue.oauth.person = Person(email="hana@work.example", verified=False)
        await walk(hana, gotrue, "/oauth/github/link")
        assert await linked(app) == [(1, "github", "4711")]
        assert (len(moved.identities), len(other.identities)) == (2, 0)

    async def test_fresh_again(self, hana: AsyncClient, gotrue: GoTrue) -> None:
        await walk(hana, gotrue, "/oauth/github/link")
        answer = await walk(hana, gotrue, "/oauth/github/verify?next=/account/tokens")
        assert answer.headers["location"] == "/account/tokens"
        gotrue.oauth.person = Person("666", "taro@example.com")
        await walk(hana, gotrue, "/oauth/github/verify")
        assert "belongs to another account here" in (await hana.get("/account")).text


class TestTheStandIn:
    """It refuses what the real one refuses."""

    async def ask(self, gotrue: GoTrue, path: str, **body: str) -> tuple[int, str]:
        async with AsyncClient(transport=ASGITransport(gotrue.app), base_url="http://g") as client:
            headers = {"apikey": PUBLISHABLE}
            answer = await client.post(path, json=body, headers=headers)
            return answer.status_code, answer.json().get("code", "")

    async def test_codes(self, client: AsyncClient, gotrue: GoTrue) -> None:
        back = URL(await gotrue.oauth.answer(gotrue.app, await leave(client, "/oauth/github")))
        path, code = "/token?grant_type=pkce", back.params["code"]
        assert await self.ask(gotrue, path, auth_code=code) == (400, "validation_failed")
        wrong = await self.ask(gotrue, path, auth_code=code, code_verifier="v" * 43)
        assert wrong == (400, "bad_code_verifier")
        unknown = await self.ask(gotrue, path, auth_code="never made", code_verifier="v" * 43)
        assert unknown == (404, "flow_state_not_found")

    async def test_where_it_sends_browsers(self, client: AsyncClient, gotrue: GoTrue) -> None:
        url = URL(await leave(client, "/oauth/github"))
        evil = url.copy_set_param("redirect_to", "https://evil.example/")
        back = await gotrue.oauth.answer(gotrue.app, str(evil))
        assert back.startswith(f"{ORIGIN}?code=")
        async with AsyncClient(transport=ASGITransport(gotrue.app)) as browser:
            for name, value in (("provider", "gitlab"), ("code_challenge_method", "plain")):
                answer = await browser.get(url.copy_set_param(name, value))
                assert answer.status_code == 400, name
