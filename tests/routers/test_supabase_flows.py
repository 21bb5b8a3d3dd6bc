"""What people do with an account in Supabase Auth, with the stand-in.

`manage.py test --live-supabase` runs the same tests against a real server.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import func, select

from app.models.user import User
from app.routers.browser_session import AFTER_SIGN_IN
from tests.routers.conftest import ORIGIN, browser_for
from tests.routers.supabase_app import app_with, users
from tests.support.accounts import PASSWORD
from tests.support.databases import BOTH
from tests.support.supabase_project import Project, open_project

ON_BOTH = pytest.mark.parametrize("project", BOTH, indirect=True)


@pytest.fixture
async def project(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Project]:
    url = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_database")
    project = open_project(url, tmp_path, ORIGIN)
    yield project
    await project.supabase.close()


@pytest.fixture
async def app(project: Project, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with app_with(project.supabase, project.settings, tmp_path) as app:
        yield app


@pytest.fixture
async def email(project: Project) -> str:
    """The address of somebody who has an account."""
    return await project.add()


@pytest.fixture
async def hana(app: FastAPI, email: str) -> AsyncClient:
    """A browser in which they are signed in."""
    browser = browser_for(app)
    assert (await sign_in(browser, email)) == AFTER_SIGN_IN
    return browser


async def sign_in(browser: AsyncClient, email: str, password: str = PASSWORD) -> str:
    """Where it leads; nowhere if it does not."""
    answer = await browser.post("/sign-in", data={"email": email, "password": password})
    return str(answer.headers.get("location", ""))


@ON_BOTH
async def test_from_sign_up_to_sign_out(
    client: AsyncClient, app: FastAPI, project: Project
) -> None:
    email = project.address()
    sign_up = {"name": "Hana", "email": email, "password": PASSWORD}
    answer = await client.post("/sign-up", data=sign_up)
    assert answer.headers["location"] == "/check-mail"
    assert "mailbox" not in (await client.get("/check-mail")).text
    assert await users(app) == [], "the row is made with the first sign-in"
    unconfirmed = await client.post("/sign-in", data=sign_up)
    assert "This address is not confirmed yet." in unconfirmed.text
    link = await project.link(email, number=2)
    page = await client.get("/auth/confirm", params=link)
    assert 'name="password"' not in page.text
    await client.post("/auth/confirm", data=link)
    assert "Welcome, Hana." in (await client.get(AFTER_SIGN_IN)).text
    assert await users(app) == [(1, email)]
    await client.post("/sign-out")
    assert await sign_in(client, email) == AFTER_SIGN_IN
    assert await users(app) == [(1, email)]


async def test_a_taken_address_and_a_wrong_password_tell_nothing(
    client: AsyncClient, email: str, project: Project
) -> None:
    sign_up = {"name": "Hana", "email": email, "password": PASSWORD}
    taken = await client.post("/sign-up", data=sign_up)
    assert taken.headers["location"] == "/check-mail"
    texts = {
        (await client.post("/sign-in", data=wrong)).text.split('role="alert"')[1][:80]
        for wrong in (
            {"email": email, "password": "wrong"},
            {"email": project.address(), "password": PASSWORD},
        )
    }
    assert len(texts) == 1


@ON_BOTH
async def test_two_first_sign_ins_at_once_make_one_row(app: FastAPI, email: str) -> None:
    answers = await asyncio.gather(*(sign_in(browser_for(app), email) for _ in range(4)))
    assert set(answers) == {AFTER_SIGN_IN}
    async with app.state.database.system_session() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 1


async def test_users_of_many_requests_at_once_are_not_mixed_up(
    app: FastAPI, project: Project
) -> None:
    browsers = {await project.add(): browser_for(app) for _ in range(6)}
    await asyncio.gather(*(sign_in(browser, email) for email, browser in browsers.items()))
    for email, browser in browsers.items():
        assert email in (await browser.get("/account")).text


@ON_BOTH
async def test_a_forgotten_password(
    hana: AsyncClient, client: AsyncClient, email: str, project: Project
) -> None:
    await client.post("/forgot-password", data={"email": email})
    answer = await client.post("/auth/confirm", data=await project.link(email))
    assert answer.headers["location"] == "/reset-password"
    same = await client.post("/reset-password", data={"new": PASSWORD})
    assert same.status_code == 422, "Supabase refuses the old one"
    answer = await client.post("/reset-password", data={"new": "another good one"})
    assert answer.headers["location"] == "/sign-in"
    assert (await hana.get("/account")).status_code == 303
    assert await sign_in(client, email) == ""
    assert await sign_in(client, email, "another good one") == AFTER_SIGN_IN


async def test_signing_in_by_mail(
    hana: AsyncClient, client: AsyncClient, email: str, project: Project
) -> None:
    nobody = project.address()
    await client.post("/sign-in/link", data={"email": nobody})
    await client.post("/sign-in/link", data={"email": email})
    link = await project.link(email)
    assert await project.mails(nobody) == 0, "no account is made by it"
    assert (await client.post("/auth/confirm", data=link)).headers["location"] == AFTER_SIGN_IN
    again = await client.post("/auth/confirm", data=link)
    assert "This link was used already" in again.text


@ON_BOTH
async def test_password_and_address_are_changed_there(
    hana: AsyncClient, client: AsyncClient, project: Project
) -> None:
    change = {"current": "wrong", "new": "another good one"}
    assert (await hana.post("/account/password", data=change)).status_code == 422
    change["current"] = PASSWORD
    assert (await hana.post("/account/password", data=change)).status_code == 303
    new = project.address()
    await hana.post("/account/email", data={"email": new, "password": "another good one"})
    await hana.post("/auth/confirm", data=await project.link(new))
    assert new in (await hana.get("/account")).text
    assert await sign_in(client, new, "another good one") == AFTER_SIGN_IN


@ON_BOTH
async def test_deleting_deletes_it_there_too(
    hana: AsyncClient, client: AsyncClient, app: FastAPI, email: str
) -> None:
    await hana.post("/account/delete", data={"email": email})
    assert await users(app) == []
    assert await sign_in(client, email) == ""


class TestWhatItRefuses:
    """The stand-in stands for the real one only while this holds for both."""

    NOBODY = str(uuid.UUID(int=0))

    @pytest.mark.parametrize(
        ("method", "path", "body", "refused"),
        [
            ("POST", "/token?grant_type=pkce", {}, (400, "validation_failed")),
            (
                *("POST", "/token?grant_type=pkce"),
                {"auth_code": NOBODY, "code_verifier": "v" * 43},
                (404, "flow_state_not_found"),
            ),
            (
                *("POST", "/token?grant_type=refresh_token"),
                {"refresh_token": "never made"},
                (400, "refresh_token_not_found"),
            ),
            (
                *("POST", "/verify"),
                {"type": "email", "token_hash": "0" * 56},
                (403, "otp_expired"),
            ),
            ("DELETE", f"/admin/users/{NOBODY}", None, (403, "not_admin")),
        ],
        ids=["pkce without", "pkce", "refresh", "link", "admin"],
    )
    async def test_what_was_never_made(
        self,
        project: Project,
        method: str,
        path: str,
        body: dict[str, str] | None,
        refused: tuple[int, str],
    ) -> None:
        answer = await project.ask(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == refused

    async def test_passwords_and_tokens(self, project: Project, email: str) -> None:
        path = "/token?grant_type=password"
        wrong = await project.ask("POST", path, {"email": email, "password": "wrong"})
        assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_credentials")
        right = await project.ask("POST", path, {"email": email, "password": PASSWORD})
        tokens = right.json()
        assert (await project.ask("GET", "/user", token=tokens["access_token"])).is_success
        bad = await project.ask("GET", "/user", token="no.such.token")
        assert (bad.status_code, bad.json()["code"]) == (403, "bad_jwt")

    async def test_a_refresh_token_that_was_used(self, project: Project, email: str) -> None:
        signed_in = {"email": email, "password": PASSWORD}
        first = await project.ask("POST", "/token?grant_type=password", signed_in)
        old = {"refresh_token": first.json()["refresh_token"]}
        path = "/token?grant_type=refresh_token"
        assert (await project.ask("POST", path, old)).is_success
        again = await project.ask("POST", path, old)
        assert (again.status_code, again.json()["code"]) == (400, "refresh_token_already_used")
