"""Calls an app that is recorded, and reads what was."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import uvicorn
from uvicorn.server import ServerState

from app.lib.tracelog.capture.asgi import ASGIApp, Scope
from app.lib.tracelog.schema import TABLES
from tests.lib.tracelog.rows import read_all

Http = Literal["h11", "httptools"]
Message = MutableMapping[str, Any]
UUID = "6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"


def rows(log_dir: Path, table: str = "api_logs") -> list[dict[str, Any]]:
    found, bad = read_all(log_dir, TABLES[table])
    assert not bad
    named = [dict(zip(TABLES[table].column_names, row, strict=True)) for row in found]
    for row in named:
        for column in TABLES[table].columns:
            if column.kind == "json" and row[column.name] is not None:
                row[column.name] = json.loads(str(row[column.name]))
    return named


def scope_of(
    method: str = "POST",
    path: str = "/",
    headers: Mapping[str, str] | None = None,
    query: str = "",
) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": query.encode(),
        "headers": [
            (name.lower().encode(), value.encode()) for name, value in (headers or {}).items()
        ],
        "client": ("192.0.2.7", 5000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }


@asynccontextmanager
async def served(app: ASGIApp, http: Http) -> AsyncIterator[tuple[ServerState, str, int]]:
    """uvicorn's state, and the address at which it serves the app."""
    config = uvicorn.Config(app, http=http, lifespan="off", log_level="critical")
    config.load()
    state, protocol = ServerState(), cast("Any", config.http_protocol_class)
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config, state, {}), "127.0.0.1"
    )
    async with server:
        yield state, *server.sockets[0].getsockname()


@dataclass
class Client:
    """Calls the app as a server does, and looks into the log at every message that it sends."""

    app: Callable[..., Awaitable[None]]
    log_dir: Path
    sent: list[Message] = field(default_factory=list)
    rows_when_sent: list[int] = field(default_factory=list)

    def request(self, *request: Any, **more: Any) -> int:
        """The status of the response to what `call` takes."""
        asyncio.run(self.call(*request, **more))
        return int(self.sent[0]["status"]) if self.sent else 0

    async def call(
        self,
        method: str = "GET",
        path: str = "/",
        *,
        body: bytes | list[bytes] = b"",
        headers: dict[str, str] | None = None,
        query: str = "",
        leaves_after: int | None = None,
    ) -> None:
        """Ask; the client leaves after so many messages."""
        self.sent, self.rows_when_sent = [], []
        chunks = [body] if isinstance(body, bytes) else body
        scope = scope_of(method, path, headers, query)
        incoming = iter(
            {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
            for number, chunk in enumerate(chunks, 1)
        )
        gone = asyncio.Event()

        async def receive() -> Message:
            if (message := next(incoming, None)) is not None:
                return message
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            self.sent.append(message)
            path = self.log_dir / "api_logs.csv"
            self.rows_when_sent.append(path.read_bytes().count(b"\n") - 1 if path.exists() else 0)
            if leaves_after is not None and len(self.sent) >= leaves_after:
                gone.set()

        await self.app(scope, receive, send)

    def header(self, name: str) -> str:
        values = [v for k, v in self.sent[0]["headers"] if k.lower() == name.encode()]
        assert len(values) == 1
        return str(values[0].decode())

    @property
    def row_came_first(self) -> bool:
        """Whether the row was in the file before the message that completes the response."""
        return self.rows_when_sent[-1] == 1
