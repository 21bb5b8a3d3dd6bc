"""The database's tables, brought to the newest version by Alembic.

Not a part of `app.database`: the app itself needs none of it, and to read Alembic takes a while.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text

from app.database import make_folder, parse_url
from app.row_security import take_over_roles

MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


def upgrade(url: str) -> None:
    """Bring the database to the newest schema, or leave it as it was. Blocks.

    Two that are started at once do it once: the second waits, then finds it done. Raises
    `DatabaseURLError`, and SQLAlchemy's `OperationalError` where the database does not answer.
    """
    with _migrating(url) as connection:
        if connection.dialect.name == "postgresql":
            take_over_roles(connection)
        # Several where a product and the template went on from the same one.
        command.upgrade(_alembic(connection), "heads")


def add_migration(url: str, message: str) -> None:
    """Write a new file in `migrations/versions` from what the models have and the database not.

    It follows all that nothing follows yet, and so joins what had parted.
    """
    with _migrating(url) as connection:
        command.revision(_alembic(connection), message, autogenerate=True, head="heads")


def _alembic(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


@contextmanager
def _migrating(url: str) -> Generator[Connection]:
    """A connection in one transaction that no other migration runs beside."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        make_folder(parsed)
        engine = create_engine(
            parsed.set(drivername="sqlite"), connect_args={"timeout": 60, "isolation_level": None}
        )
        lock = text("BEGIN IMMEDIATE")
    else:
        engine = create_engine(parsed, connect_args={"connect_timeout": 5})
        lock = text("SELECT pg_advisory_xact_lock(hashtext('app migrations'))")
    try:
        with engine.begin() as connection:
            connection.execute(lock)
            yield connection
    finally:
        engine.dispose()
