"""Connections to SQLite, each of which works in a thread of its own.

aiosqlite goes there and back for a cursor, for its statement, for the rows and for its end, and at
the end of a transaction that was none. Each way takes as long as a short statement; here it is one
for each statement.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

import aiosqlite
from aiosqlite.context import contextmanager

_AHEAD: Final = 1000
"""At most so many rows come with the statement."""
_CHUNK: Final = 64

Rows = list[Any]


class _Cursor(aiosqlite.Cursor):
    """One that is made in the thread, when its statement is."""

    _cursor: sqlite3.Cursor

    def __init__(self, connection: aiosqlite.Connection) -> None:
        super().__init__(connection, None)  # type: ignore[arg-type]
        self._ahead: Rows = []
        self._is_whole = True

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> "_Cursor":
        self._ahead = await self._there(self._run, sql, parameters or ())
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> "_Cursor":
        await self._there(self._run_many, sql, parameters)
        return self

    async def fetchone(self) -> Any:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> Rows:
        """At most so many, perhaps fewer; none at the end."""
        if not self._ahead and not self._is_whole:
            return list(await super().fetchmany(size))
        rows = self._ahead[: size or 1]
        del self._ahead[: len(rows)]
        return rows

    async def fetchall(self) -> Rows:
        rows, self._ahead = self._ahead, []
        return rows if self._is_whole else [*rows, *await super().fetchall()]

    async def close(self) -> None:
        # A statement whose rows are all read is at its end.
        if not self._is_whole:
            await super().close()

    async def _there(self, work: Callable[..., Any], *given: Any) -> Any:
        return await self._execute(work, *given)  # type: ignore[no-untyped-call]

    def _run(self, sql: str, parameters: Iterable[Any]) -> Rows:
        self._cursor = self._conn._conn.execute(sql, parameters)  # type: ignore[arg-type]
        rows = self._cursor.fetchmany(_AHEAD) if self._cursor.description else []
        self._is_whole = len(rows) < _AHEAD
        return rows

    def _run_many(self, sql: str, parameters: Iterable[Iterable[Any]]) -> None:
        self._cursor = self._conn._conn.executemany(sql, parameters)  # type: ignore[arg-type]


class _Connection(aiosqlite.Connection):
    _was_left = False
    """Whether the thread may still be at what nobody waits for any more."""

    @contextmanager
    async def cursor(self) -> aiosqlite.Cursor:
        return _Cursor(self)

    async def set_up(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do `work` in the thread."""
        await self._execute(work, self._conn)

    async def commit(self) -> None:
        if self._conn.in_transaction or self._was_left:
            await super().commit()

    async def rollback(self) -> None:
        if self._conn.in_transaction or self._was_left:
            await super().rollback()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        except asyncio.CancelledError:
            self._was_left = True
            raise


def connect(database: str, **given: Any) -> _Connection:
    """For SQLAlchemy's `async_creator_fn`; what is `given` is for `sqlite3.connect`."""
    connection = _Connection(partial(sqlite3.connect, database, **given), _CHUNK)
    connection._thread.daemon = True  # as SQLAlchemy has it
    return connection
