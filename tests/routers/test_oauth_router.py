"""Signing in with GitHub and Google."""

import asyncio
from pathlib import Path

from fastapi import FastAPI
from httpx import URL, AsyncClient
from sqlalchemy import func, select, update

from app.lib.utils import utc_now
from app.mail import NoMailer
from app.models.oauth_identity import OAuthIdentity
from app.models.user import User
from app.product import SLUG
from app.routers.browser_session import AFTER_SIGN_IN
from tests.routers.conftest import ON_BOTH, PASSWORD, browser_for
from tests.routers.oauth_ways import BOTH_SERVICES, events, leave, said, walk
from tests.support.accounts import turn_on_second_factor
from tests.support.oauth_servers import CLIENT_SECRET, Person, Servers


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
