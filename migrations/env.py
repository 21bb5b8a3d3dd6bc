"""How Alembic runs the migrations: on the connection, and in the transaction, that it is given."""

from collections.abc import Iterable
from typing import Any, Literal

from alembic import context
from alembic.autogenerate import renderers
from alembic.operations.ops import CreateTableOp, MigrateOperation, MigrationScript
from sqlalchemy import Connection, TypeDecorator

from app.models import Base
from app.row_security import protecting

# In SQLite it is a table, with others behind it; models know neither that nor PostgreSQL's.
_TEXT_INDEX = "item_search"


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Only the default schema is looked at: auth, storage and others belong to Supabase."""
    if kind == "schema":
        return name is None
    return not (name or "").startswith(_TEXT_INDEX)


def _as_stored(kind: str, what: object, _autogeneration: object) -> str | Literal[False]:
    """A type of the app's own as the database has it: migrations outlive the code of today."""
    return f"sa.{what.impl!r}" if kind == "type" and isinstance(what, TypeDecorator) else False


class _Protect(MigrateOperation):
    """The line that says who sees the rows of a new table."""

    def __init__(self, line: str) -> None:
        self.line = line


@renderers.dispatch_for(_Protect)
def _as_written(_context: object, protect: _Protect) -> str:
    return protect.line


def _protect_new_tables(
    _context: object, _revision: object, scripts: Iterable[MigrationScript]
) -> None:
    for script in scripts:
        upgrade: Any = script.upgrade_ops
        names: set[str] = set()
        for operation in [made for made in upgrade.ops if isinstance(made, CreateTableOp)]:
            line = protecting(Base.metadata.tables[operation.table_name])
            upgrade.ops.append(_Protect(line))
            names.add(line.partition("(")[0])
        if names:
            script.imports.add(f"from app.row_security import {', '.join(sorted(names))}")


connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_name=_is_ours,
    render_item=_as_stored,
    process_revision_directives=_protect_new_tables,
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
