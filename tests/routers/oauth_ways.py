"""Ways to a service to sign in with, and back."""

import re

import httpx
import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import select

from app.models.account_event import AccountEvent
from app.services.oauth.clients import Clients
from tests.support.oauth_servers import Servers

HERE = {"Sec-Fetch-Site": "same-origin"}
"""What browsers send with a click on a page of the app."""
BOTH_SERVICES = pytest.mark.parametrize("name", ["github", "google"])


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
