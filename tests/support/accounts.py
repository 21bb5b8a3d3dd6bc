"""Accounts: made the way people do or without a page on the way, and how they prove themselves."""

import html
import re
from datetime import timedelta

import pyotp
from fastapi import FastAPI
from httpx import URL, AsyncClient
from sqlalchemy import update

from app.cookies import SESSION, cookie_name
from app.database import Database
from app.lib.utils import utc_now
from app.models.login_session import LoginSession
from app.models.user import User
from app.services.password_hasher import PasswordHasher
from app.services.session_service import SessionService

PASSWORD = "correct horse battery"


def link_fields(text: str) -> dict[str, str]:
    """What the first link in a mail, or on the mailbox page, carries to the page it opens."""
    link = re.search(r"/auth/confirm\?[^\s\"<]+", html.unescape(text))
    assert link is not None, text
    return dict(URL(link[0]).params)


async def sign_up(browser: AsyncClient, app: FastAPI, name: str) -> None:
    """`browser` is signed in with a new account afterwards; its welcome waits on the next page."""
    fields = {"name": name, "email": f"{name}@example.com", "password": PASSWORD}
    answer = await browser.post("/sign-up", data=fields)
    assert answer.headers["location"] == "/check-mail", answer.text
    confirm = link_fields(app.state.mailer.mails[0].text) | {"password": PASSWORD}
    assert (await browser.post("/auth/confirm", data=confirm)).status_code == 303


async def enter(browser: AsyncClient, app: FastAPI, name: str) -> None:
    """`browser` is signed in with a new account, as after `sign_up`, without a page on the way."""
    email = f"{name}@example.com".lower()
    token = await add_account(app.state.database, app.state.hasher, name, email)
    browser.cookies.set(
        cookie_name(app.state.settings, SESSION), token, domain=browser.base_url.host
    )


async def add_account(database: Database, hasher: PasswordHasher, name: str, email: str) -> str:
    """The session token of a new account."""
    async with database.system_session() as session:
        user = User(
            email=email,
            name=name,
            password_hash=await hasher.hash(PASSWORD),
            email_confirmed_at=utc_now(),
        )
        session.add(user)
        await session.flush()
        token = await SessionService(session).start(user, ip="127.0.0.1")
        await session.commit()
    return token


async def get_stale(app: FastAPI) -> None:
    """All sign-ins are an hour old."""
    async with app.state.database.system_session() as session:
        await session.execute(
            update(LoginSession).values(authenticated_at=utc_now() - timedelta(hours=1))
        )


async def turn_on_second_factor(browser: AsyncClient) -> tuple[str, list[str]]:
    """The key and the backup codes."""
    page = (await browser.get("/account/second-factor")).text
    found = re.search(r"<code[^>]*>([A-Z2-7]{32})</code>", page)
    assert found is not None
    code = pyotp.TOTP(found[1]).at(utc_now())
    shown = await browser.post("/account/second-factor", data={"code": code})
    return found[1], re.findall(r">(\w{5}-\w{5})<", shown.text)
