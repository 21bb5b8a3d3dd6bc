"""Migrations bring any database to what the models say, once, and nobody else's tables along."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, inspect

from app import migration
from app.database import parse_url, sync_url
from app.migration import upgrade
from app.models import Base
from commands.kit.environment import ROOT
from tests.support.databases import BOTH


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'app.db').as_posix()}"
    found: str = request.getfixturevalue("empty_postgres_database")
    return found


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = create_engine(sync_url(parse_url(url)))
    yield engine
    engine.dispose()


def differences(connection: Connection) -> list[object]:
    """What autogenerate would write into the next migration."""
    options = {"include_name": lambda name, kind, _: not (name or "").startswith("item_search")}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, Base.metadata))


def versions(connection: Connection) -> list[str]:
    return list(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())


def test_the_models_are_what_the_migrations_make(url: str, engine: Engine) -> None:
    upgrade(url)
    with engine.connect() as connection:
        assert differences(connection) == []


def test_upgrading_again_changes_nothing(url: str, engine: Engine) -> None:
    upgrade(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO users (email, name, role, created_at)"
            " VALUES ('hana@example.com', 'Hana', 'user', '2026-11-05 12:00:00')"
        )
    upgrade(url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM users").scalar() == 1


def test_all_of_it_can_be_taken_back(url: str, engine: Engine) -> None:
    upgrade(url)
    with migration._migrating(url) as connection:
        command.downgrade(migration._alembic(connection), "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    assert inspect(engine).get_view_names() == []
    upgrade(url)
    with engine.connect() as connection:
        assert differences(connection) == []


UPGRADE = """
import gc, sys
gc.disable()
from app.migration import upgrade
print("ready", flush=True)
sys.stdin.read()
upgrade(sys.argv[1])
gc.freeze()
"""


def test_started_at_once_they_do_it_once(url: str, engine: Engine) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    errors = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], errors
    with engine.connect() as connection:
        assert differences(connection) == []


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    url: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(url)
    with engine.connect() as connection:
        before = versions(connection)
    folder = tmp_path / "migrations"
    shutil.copytree(migration.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_broken.py").write_text(
        "from alembic import op\n"
        f"revision, down_revision = '9999', {before[0]!r}\n"
        "def upgrade():\n"
        "    op.execute('CREATE TABLE half_done (id integer)')\n"
        "    op.execute('INSERT INTO missing VALUES (1)')\n"
    )
    monkeypatch.setattr(migration, "MIGRATIONS", folder)
    with pytest.raises(Exception, match="missing"):
        upgrade(url)
    with engine.connect() as connection:
        assert versions(connection) == before
    assert not inspect(engine).has_table("half_done")


def test_what_came_of_the_template_meanwhile_is_done_too_and_joined_by_the_next_of_ones_own(
    url: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(url)
    with engine.connect() as connection:
        (parent, *_) = versions(connection)
    folder = tmp_path / "migrations"
    shutil.copytree(migration.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migration, "MIGRATIONS", folder)
    for name in ("ours", "theirs"):  # a merge brings the second one, beside a first that is done
        (folder / "versions" / f"{name}.py").write_text(
            "from alembic import op\n"
            f"revision, down_revision = {name!r}, {parent!r}\n"
            f"def upgrade():\n    op.execute('CREATE TABLE {name} (id integer)')\n"
        )
        upgrade(url)
        assert inspect(engine).has_table(name)
    migration.add_migration(url, "next")
    (made,) = folder.glob("versions/*_next.py")
    assert re.search(r"^down_revision = .*ours.*theirs", made.read_text(), re.MULTILINE)
    made.write_text(re.sub(r"(?s)op\.drop_table\(.*?\)", "pass", made.read_text()))
    upgrade(url)
    with engine.connect() as connection:
        assert len(versions(connection)) == 1


@pytest.mark.postgres
def test_schemas_of_others_are_left_alone(empty_postgres_database: str) -> None:
    others = ("auth", "storage", "realtime", "vault", "extensions")
    with psycopg.connect(empty_postgres_database) as connection:
        for schema in others:
            connection.execute(f"CREATE SCHEMA {schema}")
            connection.execute(f"CREATE TABLE {schema}.users (id uuid PRIMARY KEY, secret text)")
            connection.execute(f"CREATE TABLE {schema}.alembic_version (version_num text)")
    upgrade(empty_postgres_database)
    engine = create_engine(parse_url(empty_postgres_database))
    try:
        assert all(
            sorted(inspect(engine).get_table_names(schema=schema)) == ["alembic_version", "users"]
            for schema in others
        )
        with engine.connect() as connection:
            assert differences(connection) == []
            for schema in others:
                count = f"SELECT count(*) FROM {schema}.alembic_version"
                assert connection.exec_driver_sql(count).scalar() == 0
    finally:
        engine.dispose()
