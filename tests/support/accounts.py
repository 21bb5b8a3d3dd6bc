"""Making an account the way people do: the form, the mail, the link, the password."""

import html
import re

from fastapi import FastAPI
from httpx import URL, AsyncClient

from app.cookies import SESSION, cookie_name
from app.lib.utils import utc_now
from app.models.user import User
from app.product import SLUG
from app.services.session_service import SessionService
from tests.support.plain_http import plain_client

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
    async with app.state.database.system_session() as session:
        user = User(
            email=f"{name}@example.com".lower(),
            name=name,
            password_hash=await app.state.hasher.hash(PASSWORD),
            email_confirmed_at=utc_now(),
        )
        session.add(user)
        await session.flush()
        token = await SessionService(session).start(user, ip="127.0.0.1")
        await session.commit()
    browser.cookies.set(
        cookie_name(app.state.settings, SESSION), token, domain=browser.base_url.host
    )


def sign_up_live(origin: str, name: str, email: str) -> str:
    """The session token of a new account on an app in another process."""
    headers = {"Origin": origin}
    with plain_client(base_url=origin, headers=headers) as client:
        fields = {"name": name, "email": email, "password": PASSWORD}
        assert client.post("/sign-up", data=fields).status_code == 303
        mails = client.get("/dev/mail").text.split("<article")
        mine = next(mail for mail in mails if html.escape(email) in mail)
        confirm = link_fields(mine) | {"password": PASSWORD}
        assert client.post("/auth/confirm", data=confirm).status_code == 303
        return client.cookies[f"{SLUG}-session"]
