"""What recording a request costs: CPU time added to a JSON route of about 1 KB in and 1 KB out.

The same app is called in process, bare and recorded by turns, without a server around it, so that
nothing but the recording differs. Times are CPU time of this process, in microseconds a request,
the best of `--rounds` rounds each.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from fastapi.responses import Response

from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger
from app.lib.tracelog.capture.middleware import CaptureMiddleware

ASGIApp = Callable[..., Awaitable[None]]

BODY: Final = orjson.dumps(
    {
        "items": [
            {"id": n, "title": f"買い物リスト {n}", "status": "todo", "note": "for the weekend"}
            for n in range(12)
        ],
    }
)
HEADERS: Final = [
    (b"host", b"127.0.0.1:8000"),
    (b"content-type", b"application/json"),
    (b"content-length", str(len(BODY)).encode()),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
    (b"accept", b"application/json"),
    (b"accept-language", b"ja,en;q=0.8"),
    (b"cookie", b"session=0123456789abcdef; theme=dark"),
]


def bare_app() -> FastAPI:
    app = FastAPI()

    @app.post("/echo")
    async def echo(request: Request) -> Response:
        return Response(
            orjson.dumps(orjson.loads(await request.body())), 200, None, "application/json"
        )

    return app


async def call(app: ASGIApp) -> None:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/echo",
        "raw_path": b"/echo",
        "root_path": "",
        "scheme": "http",
        "query_string": b"page=2",
        "headers": HEADERS,
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        pass

    await app(scope, receive, send)


async def cpu_of(app: ASGIApp, requests: int) -> float:
    started = time.process_time()
    for _ in range(requests):
        await call(app)
    return (time.process_time() - started) / requests * 1e6


async def run(requests: int, rounds: int, folder: Path) -> None:
    app = bare_app()
    csv_only = CSVOnlyLogger(folder / "csv")
    delivering = EnhancedCSVLogger(base_path=folder / "delivering")
    apps: dict[str, ASGIApp] = {
        "bare": app,
        "recorded in CSV": CaptureMiddleware(app, csv_only.recorder),
        "recorded and delivered to SQLite": CaptureMiddleware(app, delivering.recorder),
    }
    times: dict[str, list[float]] = {name: [] for name in apps}
    for each in apps.values():
        await cpu_of(each, 200)
    for _ in range(rounds):
        for name, each in apps.items():
            times[name].append(await cpu_of(each, requests))
    bare = min(times["bare"])
    print(f"{'':36}{'µs':>8}{'added':>8}{'ratio':>8}   body: {len(BODY)} bytes")
    for name, values in times.items():
        best = min(values)
        print(f"{name:36}{best:8.1f}{best - bare:8.1f}{bare / best:8.2f}")
    csv_only.close()
    delivering.close(timeout=30.0)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="manage.py bench recording", description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(options.requests, options.rounds, Path(folder)))
    return 0
