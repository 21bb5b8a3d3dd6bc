"""Every store: a SQLite file, sqld with tokens, and tursodb."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.turso_store import TursoStore
from tests.lib.tracelog.store.any_store import AnyStore, OpenStore
from tests.support.turso import TursoServer


@pytest.fixture(params=["sqlite", "sqld", "tursodb"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Opens the same store, which is empty at first, as often as a test likes."""
    opened: list[AnyStore] = []

    def sqlite() -> AnyStore:
        return SQLiteStore(tmp_path / "logs" / "trace.db")

    def turso() -> AnyStore:
        server: TursoServer = request.getfixturevalue(request.param)
        return TursoStore(server.url, server.token)

    def open_one() -> AnyStore:
        opened.append(sqlite() if request.param == "sqlite" else turso())
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: OpenStore) -> AnyStore:
    """A store with its tables."""
    store = open_store()
    store.migrate()
    return store
