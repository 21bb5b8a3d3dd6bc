"""Stores that a test made are closed when it ends; from Python 3.13 on an open one is an error."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lib.tracelog.store.sqlite_store import SQLiteStore


@pytest.fixture(autouse=True)
def _stores_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[SQLiteStore] = []
    begin = SQLiteStore.__init__

    def note(store: SQLiteStore, path: Path) -> None:
        begin(store, path)
        made.append(store)

    monkeypatch.setattr(SQLiteStore, "__init__", note)
    yield
    for store in made:
        store.close()
