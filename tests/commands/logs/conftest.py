"""The log folder that the settings name, and what `manage.py logs` says of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Store
from commands import logs
from tests.commands.logs.rows import AskLogs
from tests.support.turso import TursoServer


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log folder that the settings name; its store is a file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("LOG_DIR", str(tmp_path / "logs"))
    monkeypatch.delenv("TURSO_URL", raising=False)
    return tmp_path / "logs"


@pytest.fixture
def on_sqld(folder: Path, sqld: TursoServer, monkeypatch: pytest.MonkeyPatch) -> TursoServer:
    """The same with `sqld` for a store."""
    monkeypatch.setenv("TURSO_URL", sqld.url)
    monkeypatch.setenv("TURSO_TOKEN", sqld.token)
    return sqld


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> AskLogs:
    """`ask("status")`: what it prints as JSON; `code` is what it should return."""

    def run(*arguments: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert logs.main([*arguments, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    """The folder's file, with tables."""
    store = SQLiteStore(folder / "trace.db")
    store.migrate()
    yield store
    store.close()
