"""Where the logger of the source document writes, and a journal that is delivered."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lib.tracelog.store.sqlite_store import SQLiteStore
from tests.lib.tracelog.transfer.delivered import Log
from tests.lib.tracelog.transfer.loading import SourceLogger


@pytest.fixture
def source(tmp_path: Path) -> SourceLogger:
    folder = tmp_path / "theirs"
    folder.mkdir()
    return SourceLogger(folder)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Log]:
    """In a file of SQLite, for where it does not matter which store it is."""
    log = Log(tmp_path, lambda: SQLiteStore(tmp_path / "trace.db"))
    yield log
    log.journal.close()
    log.store.close()
