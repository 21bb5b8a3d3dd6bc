"""A Supabase project for tests: the stand-in, or a real one that the environment names."""

import asyncio
import os
import uuid
from pathlib import Path
from typing import Protocol

import httpx
from httpx import ASGITransport
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from app.config import Settings
from app.services.supabase_client import Supabase
from tests.support.accounts import PASSWORD, link_fields
from tests.support.gotrue import PUBLISHABLE, SECRET, GoTrue

LIVE = "LIVE_SUPABASE"
"""Set by `manage.py test --live-supabase`."""
MAILPIT = "MAILPIT_URL"
_PATIENCE_SECONDS = 15.0


class Inbox(Protocol):
    """Where the project's mails go."""

    async def mails(self, to: str) -> list[str]:
        """The mails to an address, the newest first."""
        ...


class Project:
    """Accounts are made with addresses of their own, so that a server may be used again."""

    def __init__(
        self, settings: Settings, inbox: Inbox, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        self.settings = settings
        self.supabase = Supabase(settings, transport=transport)
        self._inbox = inbox
        self._transport = transport

    def address(self) -> str:
        """One that nobody has."""
        return f"hana-{uuid.uuid4().hex[:12]}@example.com"

    async def link(self, to: str, number: int = 1) -> dict[str, str]:
        """What the newest mail's link carries, once `number` mails have come."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while len(mails := await self._inbox.mails(to)) < number:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return link_fields(mails[0])

    async def mails(self, to: str) -> int:
        """How many there are."""
        return len(await self._inbox.mails(to))

    async def ask(
        self, method: str, path: str, body: dict[str, str] | None = None, token: str = ""
    ) -> httpx.Response:
        """What the server itself answers to somebody with the publishable key."""
        key = self.settings.supabase_publishable_key
        headers = {
            "apikey": key,
            "Authorization": f"Bearer {token or key}",
            "X-Supabase-Api-Version": "2024-01-01",
        }
        url = self.settings.supabase_auth_url
        async with httpx.AsyncClient(transport=self._transport, base_url=url) as client:
            return await client.request(method, path, json=body, headers=headers)

    async def add(self) -> str:
        """The address of a new account that is confirmed."""
        email = self.address()
        await self.supabase.client(as_admin=True).admin.create_user(
            {
                "email": email,
                "password": PASSWORD,
                "email_confirm": True,
                "user_metadata": {"name": "Hana"},
            }
        )
        return email


def open_project(database_url: str, folder: Path, origin: str) -> Project:
    """The project that the tests of this run are about."""
    ours = Settings(database_url=database_url, log_dir=folder / "logs", public_origin=origin)
    if os.environ.get(LIVE):
        theirs = Settings.load().model_dump(include={*_NAMES})
        settings = ours.model_copy(update=theirs)
        return Project(settings, MailpitInbox(os.environ[MAILPIT]), None)
    gotrue = GoTrue()
    keys = dict(zip(_NAMES, ("http://gotrue.test", PUBLISHABLE, SECRET), strict=True))
    settings = Settings.model_validate(ours.model_dump() | keys)
    return Project(settings, StandInInbox(gotrue), ASGITransport(gotrue.app))


_NAMES = ("supabase_auth_url", "supabase_publishable_key", "supabase_secret_key")


class StandInInbox:
    """What the stand-in would have sent."""

    def __init__(self, gotrue: GoTrue) -> None:
        self._gotrue = gotrue

    async def mails(self, to: str) -> list[str]:
        return [
            f"http://app/auth/confirm?token_hash={token}&type={type_}"
            for type_, address, token in self._gotrue.mails
            if address == to
        ]


class MailpitInbox:
    """The mail catcher of `docker-compose.yml`, by its HTTP API."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    async def mails(self, to: str) -> list[str]:
        async with httpx.AsyncClient() as client:
            query = {"query": f'to:"{to}"'}
            found = await client.get(f"{self._url}/api/v1/search", params=query)
            found.raise_for_status()
            ids = [message["ID"] for message in found.json()["messages"]]
            mails = [await client.get(f"{self._url}/api/v1/message/{id_}") for id_ in ids]
        return [mail.json()["HTML"] or mail.json()["Text"] for mail in mails]


def serve() -> Starlette:
    """The stand-in with a mail catcher like Mailpit, for a process of its own.

    `APP_ORIGIN` is where it may send browsers back to.
    """
    gotrue = GoTrue()
    gotrue.oauth.site_url = os.environ.get("APP_ORIGIN", gotrue.oauth.site_url)
    inbox = StandInInbox(gotrue)

    async def search(request: Request) -> JSONResponse:
        to = request.query_params["query"].removeprefix('to:"').removesuffix('"')
        mails = await inbox.mails(to)
        return JSONResponse({"messages": [{"ID": f"{to}:{n}"} for n in range(len(mails))]})

    async def message(request: Request) -> JSONResponse:
        to, _, number = request.path_params["id"].rpartition(":")
        return JSONResponse({"HTML": "", "Text": (await inbox.mails(to))[int(number)]})

    return Starlette(
        routes=[
            Route("/api/v1/search", search),
            Route("/api/v1/message/{id}", message),
            Mount("/", gotrue.app),
        ]
    )
