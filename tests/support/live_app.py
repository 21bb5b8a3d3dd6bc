"""The real app in a process of its own."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from commands.kit.environment import ROOT
from tests.support.processes import Program, answers, free_port

# What a program needs of this machine; no setting of the person who runs the tests comes along.
_INHERITED = ("PATH", "HOME", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT", "LD_LIBRARY_PATH")


class LiveApp(Program):
    """The app under uvicorn. `folder` is where it runs and keeps its files.

    Its data is in `folder/data`, its trace log in `log_dir`. `start()` after `stop()` or `kill()`
    goes on with the same files at the same `origin`.
    """

    def __init__(
        self, folder: Path, env: Mapping[str, str], factory: str = "app.main:create_app"
    ) -> None:
        port = free_port()
        self.folder = folder
        self.origin = f"http://127.0.0.1:{port}"
        self.log_dir = folder / "logs"
        super().__init__(
            [*_served(factory, port), "--timeout-graceful-shutdown", "5"],
            ready=lambda: answers(f"{self.origin}/healthz"),
            log=folder / "output.log",
            env=clean_env(PYTHONPATH=str(ROOT), **_defaults(folder, port) | dict(env)),
            cwd=folder,
        )

    def migrate(self) -> None:
        """Make its database; once, before it starts for the first time."""
        from app.migration import upgrade

        (self.folder / "data").mkdir()
        upgrade(self.env["DATABASE_URL"])


class StartApp(Protocol):
    """`start_app(TURSO_URL=sqld.url, ...)`: an app of one's own with these settings."""

    def __call__(self, *factory: str, **env: str) -> LiveApp: ...


class StartServer(Protocol):
    """`start_server("module:factory", port, "/path", ...)`: a stand-in in a process of its own.

    It listens on `port` and is there once it answers to the path. Its environment is `env` alone.
    """

    def __call__(self, factory: str, port: int, path: str, **env: str) -> Program: ...


@pytest.fixture
def start_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartApp]:
    """Starts apps that only this test uses, each on fresh files; they end with the test."""
    apps: list[LiveApp] = []

    def start(*factory: str, **env: str) -> LiveApp:
        app = LiveApp(tmp_path_factory.mktemp("app"), env, *factory)
        apps.append(app)
        app.migrate()
        app.start()
        return app

    yield start
    for app in apps:
        app.kill()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers that only this test uses; they end with the test."""
    servers: list[Program] = []

    def start(factory: str, port: int, path: str, **env: str) -> Program:
        server = Program(
            _served(factory, port),
            ready=lambda: answers(f"http://127.0.0.1:{port}{path}"),
            log=tmp_path / f"{port}.log",
            env=clean_env(PYTHONPATH=str(ROOT), **env),
            cwd=tmp_path,
        )
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()


def _served(factory: str, port: int) -> list[str]:
    command = [sys.executable, "-m", "tests.support.served", factory, "--factory"]
    return [*command, "--port", str(port), "--no-access-log"]


def clean_env(**env: str) -> dict[str, str]:
    """An environment for a program: of this one's only what any program needs, then `env`."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | env


def _defaults(folder: Path, port: int) -> dict[str, str]:
    return {
        "SECRET_KEY": "a key that only the tests of this app know",
        "PUBLIC_ORIGIN": f"http://127.0.0.1:{port}",
        "DATABASE_URL": f"sqlite:///{(folder / 'data' / 'app.db').as_posix()}",
        "RATE_LIMIT_FACTOR": "1000",  # all visitors of a test come from one address
        "LOG_DIR": str(folder / "logs"),
        "PYTHONUNBUFFERED": "1",
    }
