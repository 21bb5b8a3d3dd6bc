"""Versions of the log database's tables, and the way from one to the next.

A version is applied in one transaction whose first statement claims its number, so that of two
that migrate at once one does it and the other finds it done. The two tables themselves are mended
whenever something of them is missing, whatever the version says: they may have been made by the
statements of the README, or been dropped by hand. So are the sums, which begin anew then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from app.lib.tracelog.rollup import tables as rollup_tables
from app.lib.tracelog.schema import TABLES, Column, Table, Value
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import Result, StoreError, StoreRefused, StoreSchemaMissing


@dataclass(frozen=True, slots=True)
class Migration:
    """A step from the version before to `version`; each statement can be run again."""

    version: int
    name: str
    statements: tuple[str, ...]


MIGRATIONS: Final = (
    Migration(
        1,
        "api_logs and task_progress_logs",
        tuple(statement for table in TABLES.values() for statement in table.ddl),
    ),
    Migration(
        2,
        "what retention has deleted",
        (
            """CREATE TABLE IF NOT EXISTS tracelog_retention (
    id INTEGER PRIMARY KEY, normal_to INTEGER NOT NULL, all_to INTEGER NOT NULL,
    started_at INTEGER NOT NULL, whole_at INTEGER NOT NULL
)""",
            "INSERT INTO tracelog_retention (id, normal_to, all_to, started_at, whole_at)"
            " SELECT 1, 0, 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM tracelog_retention)",
        ),
    ),
    Migration(3, "sums, runs and failures", rollup_tables.DDL),
    Migration(
        4,
        "questions that people saved",
        (
            """CREATE TABLE IF NOT EXISTS tracelog_queries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, sql TEXT NOT NULL,
    user_id INTEGER, created_at TEXT NOT NULL DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW'))
)""",
        ),
    ),
    Migration(
        5,
        "alert rules and alarms",
        (
            """CREATE TABLE IF NOT EXISTS tracelog_alert_rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT, metric TEXT NOT NULL, threshold INTEGER NOT NULL,
    minutes INTEGER NOT NULL, webhook TEXT NOT NULL
)""",
            """CREATE TABLE IF NOT EXISTS tracelog_alarms (
    id INTEGER PRIMARY KEY AUTOINCREMENT, rule_id INTEGER NOT NULL, metric TEXT NOT NULL,
    threshold INTEGER NOT NULL, minutes INTEGER NOT NULL, webhook TEXT NOT NULL,
    subject TEXT NOT NULL, value INTEGER NOT NULL, told TEXT NOT NULL DEFAULT '',
    began_at TEXT NOT NULL DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')), ended_at TEXT,
    claim TEXT NOT NULL, end_claim TEXT
)""",
            "CREATE UNIQUE INDEX IF NOT EXISTS idx_tracelog_alarms_open"
            " ON tracelog_alarms (rule_id, subject) WHERE ended_at IS NULL",
        ),
    ),
    Migration(
        6,
        "runs by the hour",
        (rollup_tables.RUN_SUMS_DDL, rollup_tables.FILL_RUN_SUMS),
    ),
)

_VERSIONS_TABLE: Final = """CREATE TABLE IF NOT EXISTS tracelog_schema (
    version INTEGER PRIMARY KEY, name TEXT NOT NULL,
    applied_at TEXT NOT NULL DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW'))
)"""

_TYPES: Final = {"text": "TEXT", "json": "TEXT", "int": "INTEGER", "time": "DATETIME"}


class Database(Protocol):
    """What `migrate` needs of a store."""

    def transact(self, statements: Sequence[Statement]) -> None:
        """Do all statements or none."""
        ...

    def ask(self, statement: Statement) -> Result: ...


def migrate(database: Database, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring a database to the newest version; safe again, and from several places at once."""
    for table in TABLES.values():
        _mend(database, table)
    applied = _applied(database)
    if applied is None:
        database.transact([Statement(_VERSIONS_TABLE)])
        applied = set()
    for migration in migrations:
        if migration.version not in applied:
            _apply(database, migration)
    if migrations is MIGRATIONS and _lacks_sums(database):
        database.transact([Statement(sql) for sql in rollup_tables.DDL])


def _applied(database: Database) -> set[Value] | None:
    """The versions that were applied; None where there is no table of versions."""
    try:
        rows = database.ask(Statement("SELECT version FROM tracelog_schema")).rows
    except StoreSchemaMissing:
        return None
    return {row[0] for row in rows if isinstance(row[0], int)}


def _apply(database: Database, migration: Migration) -> None:
    claim = "INSERT INTO tracelog_schema (version, name) VALUES (?, ?)"
    statements = [Statement(claim, (migration.version, migration.name))]
    statements += [Statement(sql) for sql in migration.statements]
    try:
        database.transact(statements)
    except StoreError:
        if migration.version not in (_applied(database) or ()):
            raise


def _mend(database: Database, table: Table) -> None:
    """Make the table with its columns and indexes as far as they are missing."""
    there = _columns(database, table)
    if there and not there.get("id"):
        # Rows that are sent again are known by it, so it must neither be text nor be there twice.
        raise StoreRefused(
            f"There is another table named {table.name}, without an id that is an integer and the"
            " primary key."
        )
    missing = [column for column in table.columns if there and column.name not in there]
    if missing:
        try:
            database.transact([_add_column(table, column) for column in missing])
        except StoreError:
            if not {column.name for column in missing} <= _columns(database, table).keys():
                raise
    if not there or missing or _lacks_index(database, table):
        database.transact([Statement(sql) for sql in table.ddl])


def _columns(database: Database, table: Table) -> dict[str, bool]:
    """The columns there are, and of each whether it is an integer and the primary key."""
    sql = "SELECT lower(name), pk > 0 AND upper(type) LIKE '%INT%' FROM pragma_table_info(?)"
    rows = database.ask(Statement(sql, (table.name,))).rows
    return {str(name): bool(is_key) for name, is_key in rows}


def _lacks_index(database: Database, table: Table) -> bool:
    sql = "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND name LIKE ?"
    count = database.ask(Statement(sql, (table.name, "idx_%"))).rows[0][0]
    return not isinstance(count, int) or count < len(table.ddl) - 1


def _lacks_sums(database: Database) -> bool:
    marks = ", ".join("?" * len(rollup_tables.NAMES))
    sql = f"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ({marks})"  # noqa: S608
    return database.ask(Statement(sql, rollup_tables.NAMES)).rows[0][0] != len(rollup_tables.NAMES)


def _add_column(table: Table, column: Column) -> Statement:
    # The default of created_at, the time of the insert, is none that ALTER TABLE takes.
    needs_value = " NOT NULL DEFAULT ''" if column.required and column.kind == "text" else ""
    kind = _TYPES[column.kind]
    return Statement(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}{needs_value}")
