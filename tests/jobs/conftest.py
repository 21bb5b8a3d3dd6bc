"""Databases in which DBOS has its tables already: to make them takes as long as a short job."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.database import parse_url
from tests.support.postgres import _database, database_url


@pytest.fixture(scope="session")
def _sqlite_of_dbos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from dbos import DBOS

    path = tmp_path_factory.mktemp("dbos") / "app.jobs.db"
    DBOS.migrate(f"sqlite:///{path.as_posix()}")
    return path


@pytest.fixture
def sqlite_job_database(sqlite_database: str, _sqlite_of_dbos: Path, tmp_path: Path) -> str:
    shutil.copyfile(_sqlite_of_dbos, tmp_path / "app.jobs.db")
    return sqlite_database


@pytest.fixture(scope="session")
def _postgres_template_of_dbos(postgres_url: str, _postgres_template: str) -> str:
    from dbos import DBOS

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE with_dbos TEMPLATE {_postgres_template}")
    url = parse_url(database_url(postgres_url, "with_dbos"))
    DBOS.migrate(url.render_as_string(hide_password=False))
    return "with_dbos"


@pytest.fixture
def postgres_job_database(postgres_url: str, _postgres_template_of_dbos: str) -> Iterator[str]:
    yield from _database(postgres_url, _postgres_template_of_dbos)
