"""The app's database: SQLite in a file or PostgreSQL, behind SQLAlchemy's async engine."""

import re
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.acting import ActingSession, act_as, act_as_system, enforce

MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"

_READS: Final = frozenset({"SELECT", "WITH", "VALUES", "PRAGMA", "EXPLAIN"})
_WRITES_BEHIND_WITH: Final = re.compile(r"\b(INSERT|REPLACE|UPDATE|DELETE)\b", re.IGNORECASE)


class DatabaseURLError(ValueError):
    """`DATABASE_URL` is not one that the app can use; the message says why."""


def parse_url(url: str) -> URL:
    """`url` with the driver that the app uses. Raises `DatabaseURLError`."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseURLError(
            "it must look like sqlite:///data/app.db or postgresql://user:password@host/name"
        ) from None
    match parsed.drivername.partition("+")[0]:
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise DatabaseURLError("SQLite needs a file, such as sqlite:///data/app.db")
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgres" | "postgresql":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise DatabaseURLError(f"{other} is neither sqlite nor postgresql")


class Database:
    """One engine for the whole app. Connections open when they are first needed.

    psycopg's async side needs an event loop with `add_reader`: on Windows that is
    `asyncio.SelectorEventLoop`, not the default ProactorEventLoop.
    """

    def __init__(self, url: str) -> None:
        """`url`: `sqlite:///PATH` or `postgresql://…`. Raises `DatabaseURLError`."""
        self.url = parse_url(url)
        if self.url.get_backend_name() == "sqlite":
            _make_folder(self.url)
            self.engine = create_async_engine(self.url, pool_size=5, max_overflow=5, pool_timeout=5)
        else:
            self.engine = create_async_engine(
                self.url,
                pool_size=5,
                max_overflow=5,
                pool_timeout=5,
                pool_pre_ping=True,
                pool_recycle=600,
                # Unprepared: a generic plan would not know how common a searched word is, and
                # poolers that hand out a connection per transaction lose prepared statements.
                connect_args={"connect_timeout": 5, "prepare_threshold": None},
            )
        set_up_engine(self.engine.sync_engine)
        self._sessions = async_sessionmaker(
            self.engine, expire_on_commit=False, sync_session_class=ActingSession
        )

    def session(self, user_id: int | None = None) -> AbstractAsyncContextManager[AsyncSession]:
        """A session in a transaction: committed at the end, rolled back on an exception.

        It sees the rows of this user, or of whomever it is told to act for: see `app.acting`.
        """
        return self._session(user_id)

    @asynccontextmanager
    async def system_session(self) -> AsyncGenerator[AsyncSession]:
        """A session for work that is no user's own: it sees the rows of all."""
        async with self._session() as session:
            act_as_system(session)
            yield session

    @asynccontextmanager
    async def _session(self, user_id: int | None = None) -> AsyncGenerator[AsyncSession]:
        async with self._sessions() as session, session.begin():
            if user_id is not None:
                act_as(session, user_id)
            yield session

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def upgrade(url: str) -> None:
    """Bring the database to the newest schema, or leave it as it was. Blocks.

    Two that are started at once do it once: the second waits, then finds it done. Raises
    `DatabaseURLError`, and SQLAlchemy's `OperationalError` where the database does not answer.
    """
    with _migrating(url) as connection:
        command.upgrade(_alembic(connection), "head")


def add_migration(url: str, message: str) -> None:
    """Write a new file in `migrations/versions` from what the models have and the database not."""
    with _migrating(url) as connection:
        command.revision(_alembic(connection), message, autogenerate=True)


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
        _make_folder(parsed)
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


def _make_folder(url: URL) -> None:
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)


def set_up_engine(engine: Engine) -> None:
    """Have an engine's connections behave as this app expects of them."""
    if engine.dialect.name == "sqlite":
        _set_up_sqlite(engine)
    else:
        _set_up_postgres(engine)


def _set_up_postgres(engine: Engine) -> None:
    enforce(engine)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        # Room for the places of some million matches of a search: without it PostgreSQL would
        # remember only their pages, and look at each row of them again.
        cursor.execute("SET work_mem = '32MB'")
        # Compiling takes longer than any query here.
        cursor.execute("SET jit = off")
        cursor.close()
        connection.commit()


def _set_up_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "busy_timeout = 5000",
            "journal_mode = WAL",
            "synchronous = NORMAL",  # WAL stays consistent; a power cut may take the last commits
            "foreign_keys = ON",
            "cache_size = -16384",
            "mmap_size = 1073741824",
            "temp_store = MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    # A transaction that has read and then writes cannot wait for another writer: SQLite refuses it
    # at once (SQLITE_BUSY_SNAPSHOT), whatever the busy timeout. So nothing is begun for reading,
    # each read sees what is committed (as PostgreSQL's READ COMMITTED does), and the first write
    # begins the transaction as a writer, which waits its turn.
    @event.listens_for(engine, "before_cursor_execute")
    def begin_before_writing(
        connection: Connection,
        cursor: Any,
        statement: str,
        _parameters: object,
        _context: object,
        _many: object,
    ) -> None:
        if _may_write(statement) and not connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
            cursor.execute("BEGIN IMMEDIATE")


def _may_write(statement: str) -> bool:
    """Whether it is not sure that `statement` only reads: a read may begin a transaction too."""
    first = statement.lstrip()[:8].split(None, 1)[0].upper()
    if first == "WITH":
        return _WRITES_BEHIND_WITH.search(statement) is not None
    return first not in _READS
