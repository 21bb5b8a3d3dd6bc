"""Databases of both kinds, and such in which DBOS has its tables already, as after a first start.

To make those tables takes as long as a short job, and new queues are looked into a second later.
"""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from dbos import DBOS
from sqlalchemy import Engine, create_engine

from app.acting import SYSTEM, engine_for
from app.database import Database, parse_url, set_up_engine, sync_url
from app.jobs import engine, queues
from app.jobs.system_database import engine_options
from tests.support.postgres import copied_database, database_url


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines in this process look for jobs more often."""
    monkeypatch.setattr(engine, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(queues, "_SECONDS", 0.1)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    name = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    found: str = request.getfixturevalue(name)
    return found


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture(name="engine")
def _engine(url: str) -> Iterator[Engine]:
    """The database as jobs see it that no engine of theirs runs."""
    engine = create_engine(sync_url(parse_url(url)))
    set_up_engine(engine)
    yield engine_for(engine, SYSTEM)
    engine.dispose()


@pytest.fixture(scope="session")
def _sqlite_of_dbos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dbos") / "app.jobs.db"
    _start_dbos(f"sqlite:///{path.as_posix()}")
    return path


@pytest.fixture
def sqlite_job_database(sqlite_database: str, _sqlite_of_dbos: Path, tmp_path: Path) -> str:
    shutil.copyfile(_sqlite_of_dbos, tmp_path / "app.jobs.db")
    return sqlite_database


@pytest.fixture(scope="session")
def _postgres_template_of_dbos(postgres_url: str, _postgres_template: str) -> str:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE with_dbos TEMPLATE {_postgres_template}")
    url = parse_url(database_url(postgres_url, "with_dbos"))
    _start_dbos(url.render_as_string(hide_password=False))
    return "with_dbos"


@pytest.fixture
def postgres_job_database(postgres_url: str, _postgres_template_of_dbos: str) -> Iterator[str]:
    with copied_database(postgres_url, _postgres_template_of_dbos) as url:
        yield url


def _start_dbos(url: str) -> None:
    DBOS(
        config={
            "name": engine.ENGINE,
            "system_database_url": url,
            "db_engine_kwargs": {**engine_options(parse_url(url))},
            "enable_otlp": False,
        }
    )
    DBOS.launch()
    queues.register_queues()
    DBOS.destroy(workflow_completion_timeout_sec=0)
