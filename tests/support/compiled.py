"""Statements that are compiled once a process, and not for the engine of each test anew."""

from functools import cache

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg, PGDialectAsync_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_DIALECTS = (
    PGDialect_psycopg,
    PGDialectAsync_psycopg,
    SQLiteDialect_aiosqlite,
    SQLiteDialect_pysqlite,
)


@cache
def compile_once() -> None:
    """From now on all engines of this process know what one of them has compiled.

    It holds for databases of one kind and version, as those of a test process are.
    """
    known: LRUCache = LRUCache(4000)  # type: ignore[type-arg]
    Engine._compiled_cache = property(lambda _: known, lambda *_: None)  # type: ignore[assignment]
    for dialect in _DIALECTS:
        # An engine's dialect is a part of the key.
        dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
        dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
