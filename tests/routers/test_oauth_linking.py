"""Accounts at GitHub and Google that belong to an account here, and no longer."""

from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import func, select, update

from app.models.oauth_identity import OAuthIdentity
from app.models.user import User
from app.routers.browser_session import AFTER_SIGN_IN
from tests.routers.conftest import ON_BOTH, ORIGIN
from tests.routers.oauth_ways import events, leave, said, walk
from tests.support.accounts import get_stale
from tests.support.oauth_servers import Person, Servers


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
