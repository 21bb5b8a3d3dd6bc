"""The app's database: its version, its tables, who signs in there, and through what."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

import app.models  # noqa: F401 # so that `Base` knows all tables
from app.acting import SYSTEM_ROLE, USER_ROLE
from app.config import Settings
from app.config_values import is_supabase_direct
from app.migration import MIGRATIONS
from app.models.base import Base
from commands.kit import checks
from commands.kit.doctor.finding import Finding, note, ok, wrong
from commands.kit.words import Failure

_OLDEST_POSTGRES = 14
_CONNECT_SECONDS = 5
_CLOCK_SECONDS = 30
_VERSIONS = "SELECT version_num FROM alembic_version"

Connection = psycopg.Connection[tuple[Any, ...]]


def database(settings: Settings) -> Iterator[Finding]:
    try:
        checks.check_database(settings)
    except Failure as failure:
        yield Finding("Database", "wrong", str(failure))
        return
    if settings.database_url.startswith("sqlite"):
        yield from _sqlite(settings)
        return
    with _connect(settings) as connection:
        yield _server(connection)
        try:
            yield _tables(_postgres_versions(connection))
        except psycopg.errors.InsufficientPrivilege:
            yield wrong("Tables", "doctor_tables_closed", name=connection.info.user)
        yield _clock(connection)
        yield _role(connection)
        yield from _row_security(connection)
        yield _pooler(settings, connection)


def _sqlite(settings: Settings) -> Iterator[Finding]:
    path = checks.sqlite_path(settings)
    yield ok("Database", "doctor_sqlite", version=sqlite3.sqlite_version)
    versions: set[str] = set()
    if path is not None and path.exists():
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            if file.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
            ).fetchone():
                versions = {row[0] for row in file.execute(_VERSIONS)}
    yield _tables(versions)


def _connect(settings: Settings) -> Connection:
    # Unprepared, as the app does it: a pooler may not keep what is prepared.
    return psycopg.connect(
        settings.database_url,
        connect_timeout=_CONNECT_SECONDS,
        prepare_threshold=None,
        autocommit=True,
    )


def _one(connection: Connection, sql: str) -> tuple[Any, ...]:
    row = connection.execute(sql).fetchone()
    if row is None:
        raise LookupError(sql)
    return row


def _server(connection: Connection) -> Finding:
    version = connection.info.server_version // 10_000
    values = {"version": version, "host": connection.info.host, "oldest": _OLDEST_POSTGRES}
    if version < _OLDEST_POSTGRES:
        return wrong("Database", "doctor_postgres_old", **values)
    return ok("Database", "doctor_postgres", **values)


def _postgres_versions(connection: Connection) -> set[str]:
    if _one(connection, "SELECT to_regclass('alembic_version') IS NULL")[0]:
        return set()
    return {row[0] for row in connection.execute(_VERSIONS)}


def _tables(versions: set[str]) -> Finding:
    """What Alembic says of the database, against the files in `migrations/versions`.

    There are several where a product and the template went on from the same one.
    """
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    if not versions:
        return ok("Tables", "doctor_tables_none")
    if versions - known:
        return wrong("Tables", "database_newer")
    shown = ", ".join(sorted(versions))
    if versions != set(scripts.get_heads()):
        return note("Tables", "doctor_tables_old", version=shown)
    return ok("Tables", "doctor_tables", version=shown)


def _clock(connection: Connection) -> Finding:
    off = abs((datetime.now(UTC) - _one(connection, "SELECT clock_timestamp()")[0]).total_seconds())
    if off > _CLOCK_SECONDS:
        return note("Database clock", "doctor_clock_off", seconds=round(off))
    return ok("Database clock", "doctor_clock", seconds=f"{off:.1f}")


def _role(connection: Connection) -> Finding:
    """Who signs in, and the two whom the app acts as there: row security has to bind these."""
    name, is_super, may_make = _one(
        connection,
        "SELECT rolname, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user",
    )
    acting = (USER_ROLE, SYSTEM_ROLE)
    roles = connection.execute(
        "SELECT rolname, rolsuper OR rolbypassrls, pg_has_role(oid, 'MEMBER') FROM pg_roles "
        "WHERE rolname = ANY(%s) ORDER BY rolname",
        [list(acting)],
    ).fetchall()
    if free := [role for role, passes_over, _ in roles if passes_over]:
        return wrong("Database role", "doctor_role_bypasses", names=", ".join(free))
    ready = {role for role, _, is_member in roles if is_member}
    if (missing := [role for role in acting if role not in ready]) and not (is_super or may_make):
        return wrong("Database role", "doctor_role_lacks", name=name, names=", ".join(missing))
    if is_super:
        return note("Database role", "doctor_role_super", name=name)
    return ok("Database role", "doctor_role", name=name, names=" / ".join(acting))


def _row_security(connection: Connection) -> Iterator[Finding]:
    """Which of the app's tables are guarded, even against their owner."""
    rows = connection.execute(
        """SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
               SELECT 1 FROM pg_policies p
               WHERE p.schemaname = n.nspname AND p.tablename = c.relname)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = current_schema() AND c.relname = ANY(%s) ORDER BY c.relname""",
        [list(Base.metadata.tables)],
    ).fetchall()
    if not rows:
        return
    if bare := [name for name, guarded in rows if not guarded]:
        yield note("Row security", "doctor_rows_bare", names=", ".join(bare))
    else:
        yield ok("Row security", "doctor_rows", count=len(rows))


def _pooler(settings: Settings, connection: Connection) -> Finding:
    """Of two connections that are open at once, a transaction pooler puts both on one backend."""
    with _connect(settings) as other:
        backends = {_one(each, "SELECT pg_backend_pid()")[0] for each in (connection, other)}
        backends.add(_one(connection, "SELECT pg_backend_pid()")[0])
    if len(backends) != 2:
        return wrong("Pooler", "doctor_pooler_transaction")
    host = make_url(settings.database_url).host or ""
    if host.endswith(".pooler.supabase.com"):
        return ok("Pooler", "doctor_pooler_session")
    if is_supabase_direct(host):
        return note("Pooler", "doctor_pooler_direct")
    return ok("Pooler", "doctor_pooler_none")
