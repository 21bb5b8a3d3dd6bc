"""SIGTERM while thousands of rows wait: they are delivered before the processes end."""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from app.migration import upgrade
from tests.faults.ledger import account_of
from tests.faults.scene import Scene
from tests.support import faulty_server as faults
from tests.support.faulty_server import FaultyServer
from tests.support.live_app import LiveApp
from tests.support.plain_http import plain_client
from tests.support.processes import SPARE_SECONDS
from tests.support.turso import TursoServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGTERM")

BACKLOG = 5_000
ENDS_IN = 12.0 + SPARE_SECONDS
"""Seconds: what a shutdown gives to open responses and to the delivery."""

OPTIONS = ("--factory", "--no-access-log", "--timeout-graceful-shutdown", "2")
UVICORN = ("-m", "tests.support.served")  # the same, which starts for less
# On a machine that is busy a worker may be slow to say that it is there, and would be killed.
WORKERS = ("-m", "uvicorn", "--workers", "2", "--timeout-worker-healthcheck", "60")
GUNICORN = ("-m", "gunicorn", "-k", "uvicorn.workers.UvicornWorker", "--graceful-timeout", "20")
SERVERS = {
    "uvicorn": (*UVICORN, "app.main:create_app", *OPTIONS),
    "uvicorn with two workers": (*WORKERS, "app.main:create_app", *OPTIONS),
    "gunicorn with preload": (*GUNICORN, "app.main:create_app()", "--preload", "-w", "2"),
}
REQUESTS_OF = "SELECT count(*) FROM api_logs WHERE endpoint LIKE ?"
STREAMING = (*UVICORN, "tests.faults.streaming_app:create_app", *OPTIONS)


@pytest.fixture
def app(tmp_path: Path, faulty_server: FaultyServer, open_sqld: TursoServer) -> Iterator[LiveApp]:
    """An app whose store is away; `faulty_server` lets it come back."""
    faulty_server.upstream, faulty_server.fault = open_sqld.url, faults.answers(503)
    app = LiveApp(tmp_path / "app", {"TURSO_URL": faulty_server.url})
    (app.folder / "data").mkdir(parents=True)
    upgrade(app.env["DATABASE_URL"])
    yield app
    app.kill()


def serve(app: LiveApp, server: tuple[str, ...]) -> None:
    port = app.origin.rpartition(":")[2]
    bind = ("-b", f"127.0.0.1:{port}") if "gunicorn" in server else ("--port", port)
    app.command = [sys.executable, *server, *bind]
    app.start()


@pytest.fixture(scope="module")
def backlog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the rows that a time without the store leaves, and what their writer knows."""
    scene = Scene(tmp_path_factory.mktemp("backlog"))
    scene.writer("w", "--rows", str(BACKLOG), "--pause", "0", "--size", "100", deliver=False).wait()
    return scene.folder


@pytest.fixture
def scene(backlog: Path, app: LiveApp, tmp_path: Path, open_sqld: TursoServer) -> Iterator[Scene]:
    """The app's log, with a backlog."""
    shutil.copytree(backlog / "logs", app.log_dir)
    shutil.copytree(backlog / "ledger", tmp_path / "ledger")
    scene = Scene(tmp_path, app.log_dir)
    scene.url = open_sqld.url
    yield scene
    scene.end()


@pytest.mark.parametrize("server", SERVERS)
def test_a_backlog_of_5000_rows_is_delivered_before_the_end(
    app: LiveApp, scene: Scene, faulty_server: FaultyServer, server: str
) -> None:
    serve(app, SERVERS[server])
    each_anew = httpx.Limits(max_keepalive_connections=0)
    with plain_client(base_url=app.origin, limits=each_anew) as client:
        assert {client.get(f"/nowhere/{number}").status_code for number in range(20)} == {404}
    # At the full hour there are a few more: of work by the clock.
    assert account_of(app.log_dir).pending >= BACKLOG + 20

    faulty_server.fault = faults.passes
    started = time.monotonic()
    app.stop()

    assert time.monotonic() - started < ENDS_IN
    account = account_of(app.log_dir)
    assert (account.pending, account.unaccounted) == (0, 0), app.output()
    assert account.shipped == account.appended >= BACKLOG + 20
    assert scene.store.query(REQUESTS_OF, ("/nowhere/%",)).rows == [(20,)]
    scene.check()


def test_an_open_stream_neither_holds_up_the_end_nor_the_delivery(
    app: LiveApp, scene: Scene, faulty_server: FaultyServer
) -> None:
    serve(app, STREAMING)
    with ExitStack() as stack:
        streams = [
            stack.enter_context(
                httpx.stream("GET", f"{app.origin}/endless", trust_env=False, timeout=60)
            )
            for _ in range(3)
        ]
        assert [next(stream.iter_lines()) for stream in streams] == ["data: still here"] * 3
        faulty_server.fault = faults.passes
        started = time.monotonic()
        app.process.terminate()
        app.wait()

    assert time.monotonic() - started < ENDS_IN
    account = account_of(app.log_dir)
    assert (account.pending, account.unaccounted) == (0, 0), app.output()
    assert account.shipped == account.appended >= BACKLOG + 3
    assert scene.store.query(REQUESTS_OF, ("/endless",)).rows == [(3,)]
