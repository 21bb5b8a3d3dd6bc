"""SQLite databases for tests."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from app.migration import upgrade
    from tests.support.compiled import compile_once

    compile_once()
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    upgrade(f"sqlite:///{path.as_posix()}")
    return path


@pytest.fixture
def sqlite_database(_sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a fresh, migrated database."""
    return copied(_sqlite_template, tmp_path)


def copied(template: Path, folder: Path) -> str:
    """URL of a fresh copy of a database."""
    path = folder / "app.db"
    shutil.copyfile(template, path)
    return f"sqlite:///{path.as_posix()}"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Meanwhile another program writes into a database, and nobody else can."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")
