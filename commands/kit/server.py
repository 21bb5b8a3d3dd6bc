"""The server of the app: what it does once the app is there."""

import asyncio
import gc
import socket
from datetime import UTC, datetime

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app import i18n
from app.config import Settings
from app.templating import read_template, template_names
from commands.kit.in_use import in_use
from commands.kit.memory import OBJECTS_A_COLLECTION
from commands.kit.patient_server import PatientServer
from commands.kit.preparation import tell
from commands.kit.words import text

_PASS_SECONDS = 0.03


class Server(PatientServer):
    """Says what the app uses and where it is, once it answers."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings
        self._reading: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and isinstance(app := self.config.loaded_app, FastAPI):
            await _warm_up(app)
        gc.freeze()  # the app itself is never garbage
        gc.set_threshold(OBJECTS_A_COLLECTION)
        gc.enable()
        if self.started:
            if self._settings.environment == "production":
                self._reading = asyncio.create_task(_read_the_rest())
            host, port = self.config.host, self.config.port
            host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 # compared only
            origin = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            for line in (*in_use(self._settings), text("serving", origin=origin)):
                tell(self._settings, line)


async def _warm_up(app: FastAPI) -> None:
    """Read and work out what a page needs, which the first visitor would wait for otherwise."""
    unrecorded = FastAPI.build_middleware_stack(app)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await unrecorded({**scope, "app": app}, receive, send)

    origin = app.state.settings.public_origin or "http://127.0.0.1"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(serve), base_url=origin) as client:
        for language in ("en", "ja"):
            await client.get("/sign-in", headers={"Accept-Language": language})
            await client.get("/nowhere")  # every route is asked whether it is meant
            i18n.language(language).moment(datetime.now(UTC), UTC)
        await client.get("/readyz")  # connects to the database
    for name in template_names("macros", "items"):
        read_template(name)


async def _read_the_rest() -> None:
    """Read one template after the other, and let requests pass in between."""
    for name in template_names():
        read_template(name)
        await asyncio.sleep(_PASS_SECONDS)
