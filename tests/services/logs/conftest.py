"""A store that is a file, without tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lib.tracelog.store.sqlite_store import SQLiteStore


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SQLiteStore]:
    opened = SQLiteStore(tmp_path / "trace.db")
    yield opened
    opened.close()
