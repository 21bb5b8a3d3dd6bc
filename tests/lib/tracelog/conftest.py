"""Stores of every kind, empty, with their tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Store
from app.lib.tracelog.store.turso_store import TursoStore
from tests.support.turso import TursoServer


@pytest.fixture(params=["sqlite", "sqld", "tursodb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store: Store
    if request.param == "sqlite":
        store = SQLiteStore(tmp_path / "trace.db")
    else:
        server: TursoServer = request.getfixturevalue(request.param)
        store = TursoStore(server.url, server.token)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[SQLiteStore]:
    """`trace.db` in the test's folder."""
    store = SQLiteStore(tmp_path / "trace.db")
    store.migrate()
    yield store
    store.close()
