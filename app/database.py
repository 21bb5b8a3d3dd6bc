"""The app's database: SQLite in a file or PostgreSQL, behind SQLAlchemy's async engine."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

_READS = frozenset({"SELECT", "WITH", "VALUES", "PRAGMA", "EXPLAIN"})


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
            make_folder(self.url)
            self.engine = create_async_engine(self.url, pool_size=5, max_overflow=5, pool_timeout=5)
            _set_up_sqlite(self.engine.sync_engine)
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
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    def session(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A session in a transaction: committed at the end, rolled back on an exception."""
        return self._session()

    @asynccontextmanager
    async def _session(self) -> AsyncGenerator[AsyncSession]:
        async with self._sessions() as session, session.begin():
            yield session

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def make_folder(url: URL) -> None:
    """Make the folder that a SQLite file lies in."""
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


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
        writes = statement.lstrip()[:8].split(None, 1)[0].upper() not in _READS
        if writes and not connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
            cursor.execute("BEGIN IMMEDIATE")
