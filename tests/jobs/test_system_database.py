"""DBOS's connections to SQLite."""

import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from app.database import parse_url
from app.jobs import system_database
from app.jobs.system_database import engine_options, system_url


# Where this SQLite knows them, both ways.
@pytest.mark.parametrize("is_known", sorted({False, system_database._KNOWS_SUBSEC}))
def test_dbos_gets_milliseconds_also_from_a_sqlite_that_is_older_than_it_thinks(
    is_known: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_database, "_KNOWS_SUBSEC", is_known)
    url = parse_url(f"sqlite:///{(tmp_path / 'app.db').as_posix()}")
    engine = create_engine(system_url(url), **engine_options(url))
    before = time.time_ns() // 1_000_000

    with engine.begin() as connection:
        now = "(unixepoch('subsec') * 1000)"
        connection.execute(text(f"CREATE TABLE made (id INTEGER, at INTEGER DEFAULT {now})"))
        connection.execute(text("INSERT INTO made (id) VALUES (1)"))
        at = connection.execute(text("SELECT at FROM made")).scalar_one()
    engine.dispose()

    assert before - 1 <= at <= time.time_ns() // 1_000_000 + 1
