"""The doctor at a real PostgreSQL, and at SQLite."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import psycopg
import pytest

from app.acting import SYSTEM_ROLE, USER_ROLE
from app.config import Settings
from app.migration import upgrade
from commands.kit.doctor import database
from commands.kit.doctor.finding import Finding


def look(url: str) -> dict[str, Finding]:
    return {finding.name: finding for finding in database.database(Settings(database_url=url))}


@pytest.fixture
def guest(postgres_database: str) -> Iterator[str]:
    """URL of a migrated database for a role that may pass over nothing."""
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("CREATE ROLE doctors_guest LOGIN")
        connection.execute("GRANT SELECT ON alembic_version TO doctors_guest")
        connection.execute(f"GRANT {USER_ROLE}, {SYSTEM_ROLE} TO doctors_guest")
        yield postgres_database.replace("postgres:", "doctors_guest:", 1)
        connection.execute("DROP OWNED BY doctors_guest")
        connection.execute("DROP ROLE doctors_guest")


def test_on_postgresql_all_is_told_of_it(postgres_database: str, guest: str) -> None:
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        found = look(guest)
        connection.execute("ALTER TABLE users NO FORCE ROW LEVEL SECURITY")
        bare = look(guest)["Row security"]

    assert {finding.state for finding in found.values()} == {"ok"}, found
    assert set(found) == {
        *("Database", "Tables", "Database clock", "Database role", "Row security", "Pooler")
    }
    assert (bare.state, " users;" in bare.text) == ("note", True)


def test_who_the_app_acts_as_has_to_be_bound_by_row_security(
    postgres_database: str, guest: str
) -> None:
    """Who signs in need not: `BYPASSRLS` is what Supabase gives its `postgres`."""
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("ALTER ROLE doctors_guest BYPASSRLS")
        assert look(guest)["Database role"].state == "ok"
        connection.execute(f"ALTER ROLE {USER_ROLE} BYPASSRLS")
        try:
            free = look(guest)["Database role"]
        finally:
            connection.execute(f"ALTER ROLE {USER_ROLE} NOBYPASSRLS")

    assert (free.state, f"bind {USER_ROLE}:" in free.text) == ("wrong", True)
    assert look(postgres_database)["Database role"].text.startswith("postgres is a superuser")


def test_a_role_that_can_neither_act_nor_read_is_told(postgres_database: str, guest: str) -> None:
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(f"REVOKE {USER_ROLE}, {SYSTEM_ROLE} FROM doctors_guest")
        connection.execute("REVOKE SELECT ON alembic_version FROM doctors_guest")

    found = look(guest)

    assert (found["Tables"].state, found["Database role"].state) == ("wrong", "wrong")
    assert "GRANT that role to doctors_guest" in found["Tables"].text
    assert f"act as {USER_ROLE}, {SYSTEM_ROLE} nor" in found["Database role"].text


def test_tables_of_another_version_are_told(postgres_database: str) -> None:
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        assert look(postgres_database)["Tables"].state == "note"
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        assert look(postgres_database)["Tables"].state == "wrong"


def test_an_empty_database_is_fine(empty_postgres_database: str) -> None:
    found = look(empty_postgres_database)

    assert found["Tables"].state == "ok"
    assert "Row security" not in found


def test_two_connections_on_one_backend_are_a_transaction_pooler(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(postgres_database, autocommit=True) as shared:
        monkeypatch.setattr(database, "_connect", lambda _: nullcontext(shared))

        found = look(postgres_database)["Pooler"]

    assert (found.state, "session mode" in found.text) == ("wrong", True)


def test_of_sqlite_the_tables_are_told(tmp_path: Path) -> None:
    url = f"sqlite:///{(tmp_path / 'app.db').as_posix()}"

    assert look(url)["Tables"].text.startswith("There are none yet")
    assert not (tmp_path / "app.db").exists()
    upgrade(url)
    assert look(url)["Tables"].text.startswith("up to date")
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    assert look(url)["Tables"].state == "wrong"
