"""Making an account: the way people do, or without a page on the way."""

import html
import re

from fastapi import FastAPI
from httpx import URL, AsyncClient

from app.cookies import SESSION, cookie_name
from app.database import Database
from app.lib.utils import utc_now
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
