"""The app's database: SQLite in a file or PostgreSQL, behind SQLAlchemy's async engine."""

import re
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.acting import ActingSession, act_as, act_as_system
from app.postgres import set_up_postgres

WORK_SECONDS: Final = 300.0
"""The most that a statement may take where nobody waits for a page."""
BUSY_SECONDS: Final = 5.0
"""How long SQLite waits for another writer."""

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

    def __init__(self, url: str, *, seconds: float = WORK_SECONDS, connections: int = 10) -> None:
        """`url`: `sqlite:///PATH` or `postgresql://…`. Raises `DatabaseURLError`.

        `seconds` is the most that one statement may take; for a connection, or a place in the pool,
        it waits half as long. Whoever waited in vain gets SQLAlchemy's `OperationalError` or
        `TimeoutError`.
        """
        self.url = parse_url(url)
        self._seconds = seconds
        pool = {
            "pool_size": connections // 2,
            "max_overflow": connections - connections // 2,
            "pool_timeout": seconds / 2,
        }
        # Each driver is read only where it is needed.
        if self.url.get_backend_name() == "sqlite":
            make_folder(self.url)
            from app.sqlite_connection import connect

            to_sqlite = {"async_creator_fn": connect}
            self.engine = create_async_engine(self.url, **pool, connect_args=to_sqlite)
        else:
            from app.postgres_connection import connector

            self.engine = create_async_engine(
                self.url,
                **pool,
                pool_pre_ping=True,
                pool_recycle=600,
                # Unprepared: a generic plan would not know how common a searched word is, and
                # poolers that hand out a connection per transaction lose prepared statements.
                connect_args={"prepare_threshold": None, "async_creator_fn": connector(seconds)},
            )
        set_up_engine(self.engine.sync_engine, seconds=seconds)
        self._sessions = async_sessionmaker(
            self.engine, expire_on_commit=False, sync_session_class=ActingSession
        )

    @cached_property
    def apart(self) -> "Database":
        """The same database by two connections of its own, for short work beside a transaction.

        Requests that hold a connection each and wait for another of the same pool would wait for
        each other.
        """
        url = self.url.render_as_string(hide_password=False)
        return Database(url, seconds=self._seconds, connections=2)

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
        async with self._sessions() as session:
            if user_id is not None:
                act_as(session, user_id)
            yield session
            await session.commit()

    async def close(self) -> None:
        """Close every connection."""
        if "apart" in self.__dict__:
            await self.apart.close()
        await self.engine.dispose()


async def let_go(session: AsyncSession) -> None:
    """Commit, and give the connection back, before another server is waited for.

    While that is silent, everybody who waits for it would keep a connection that others need.
    """
    await session.commit()


def make_folder(url: URL) -> None:
    """Make the folder that a SQLite database lies in, for its owner alone."""
    Path(url.database or "").parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def sync_url(url: URL) -> URL:
    """The same database for an engine that is used by threads, not by an event loop."""
    return url.set(drivername=url.drivername.replace("+aiosqlite", ""))


def set_up_engine(engine: Engine, *, seconds: float | None = None) -> None:
    """Have an engine's connections behave as this app expects of them.

    `seconds` is the most that a statement may take, or wait for another writer.
    """
    if engine.dialect.name == "sqlite":
        _set_up_sqlite(engine, BUSY_SECONDS if seconds is None else min(BUSY_SECONDS, seconds / 2))
    else:
        set_up_postgres(engine, seconds=seconds)


def _set_up_sqlite(engine: Engine, busy_seconds: float) -> None:
    pragmas = (
        f"busy_timeout = {round(busy_seconds * 1000)}",
        "journal_mode = WAL",
        "synchronous = NORMAL",  # WAL stays consistent; a power cut may take the last commits
        "foreign_keys = ON",
        "cache_size = -4096",  # a connection; what is read lies in the mapped file
        "mmap_size = 1073741824",
        "temp_store = MEMORY",
    )
    script = "".join(f"PRAGMA {pragma};" for pragma in pragmas)

    def set_up(connection: sqlite3.Connection) -> None:
        connection.isolation_level = None
        connection.executescript(script)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        if engine.dialect.is_async:
            connection.run_async(lambda it: it.set_up(set_up))
        else:
            set_up(connection)

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
