"""How Alembic runs the migrations: on the connection, and in the transaction, that it is given."""

from typing import Literal

from alembic import context
from sqlalchemy import Connection, TypeDecorator

from app.models import Base

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


connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_name=_is_ours,
    render_item=_as_stored,
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
