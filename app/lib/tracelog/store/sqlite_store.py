"""The store in a local SQLite file: what the app uses when no other is set."""

import contextlib
import os
import re
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from app.lib.tracelog.disk import exists, make_folder, open_file
from app.lib.tracelog.forks import renew_after_forks
from app.lib.tracelog.schema import TABLES, Row, Table, Value
from app.lib.tracelog.store import insertion, migrations
from app.lib.tracelog.store.sql import Statement, check_reads_only, compare_sql, insert_sql
from app.lib.tracelog.store.store import (
    MOST_ANSWER,
    Batch,
    Inserted,
    QueryFailed,
    Result,
    RowRejected,
    StoreError,
    StoreRefused,
    StoreSchemaMissing,
    StoreUnavailable,
)

BUSY_SECONDS: Final = 5.0
_MOST_IDLE: Final = 4
_STEPS_BETWEEN_LOOKS: Final = 10_000
_SCHEMA_MISSING: Final = re.compile("no such (table|column)|has no column named", re.IGNORECASE)
_MUST_BE_MENDED: Final = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_NOTADB,
}
_DESCRIPTORS_FAIL: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOTADB,
}
"""It may be open files that fail for good, as after a server of files was away. SQLite shares some
between all connections of a process, so none of those may stay."""


class SQLiteStore:
    """Any number of threads and processes may write to and ask the same file.

    Nothing is opened before the first call; `migrate` makes the file and its folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._writer: tuple[tuple[int, int], sqlite3.Connection] | None = None
        self._readers: deque[tuple[tuple[int, int], sqlite3.Connection]] = deque()
        renew_after_forks(self)

    @property
    def name(self) -> str:
        return str(self._path)

    def migrate(self) -> None:
        with _errors_named():
            make_folder(self._path.parent)
            if not exists(self._path):
                os.close(open_file(self._path, os.O_RDWR))
        migrations.migrate(self)

    def insert(self, batch: Batch) -> Inserted:
        return insertion.insert(self, batch)

    def query(self, sql: str, args: Sequence[Value] = (), *, timeout: float = 10.0) -> Result:
        check_reads_only(sql)
        deadline = time.monotonic() + timeout

        def is_late() -> bool:
            return time.monotonic() > deadline

        try:
            with _errors_named(), self._reader() as connection:
                connection.set_progress_handler(is_late, _STEPS_BETWEEN_LOOKS)
                result = _result(connection.execute(sql, tuple(args)))
                connection.set_progress_handler(None, 0)
                return result
        except StoreError as error:
            if is_late():
                raise QueryFailed(f"It took longer than {timeout:g} s.") from None
            if isinstance(error, RowRejected):
                raise QueryFailed(str(error)) from None
            raise

    def close(self) -> None:
        self._close_readers()
        # The last one to close moves what is in the log beside the file into it, if it may write.
        with self._lock:
            if self._writer is not None:
                self._writer[1].close()
                self._writer = None

    # --- what insertion and migrations need --------------------------------------------------

    def write(self, rows: Mapping[str, Sequence[Row]], then: Sequence[Statement]) -> None:
        def run(connection: sqlite3.Connection) -> None:
            for name, table_rows in rows.items():
                connection.executemany(insert_sql(TABLES[name]), table_rows)
            for statement in then:
                connection.execute(statement.sql, tuple(statement.args))

        self._transact(run)

    def same(self, table: Table, rows: Sequence[Row]) -> dict[int, bool]:
        sql, answers = compare_sql(table), {}
        with _errors_named(), self._reader() as connection:
            for row in rows:
                for row_id, same in connection.execute(sql, (*row[1:], row[0])):
                    answers[row_id] = bool(same)
        return answers

    def transact(self, statements: Sequence[Statement]) -> None:
        def run(connection: sqlite3.Connection) -> None:
            for statement in statements:
                connection.execute(statement.sql, tuple(statement.args))

        self._transact(run)

    def ask(self, statement: Statement) -> Result:
        with _errors_named(), self._reader() as connection:
            return _result(connection.execute(statement.sql, tuple(statement.args)))

    # --- connections -------------------------------------------------------------------------

    def _transact(self, run: Callable[[sqlite3.Connection], None]) -> None:
        with _errors_named(), self._lock:
            connection = self._open_writer()
            try:
                connection.execute("BEGIN IMMEDIATE")
                run(connection)
                connection.execute("COMMIT")
            # Whatever it was goes on; the transaction does not.
            except BaseException as error:
                if _code_of(error) in _DESCRIPTORS_FAIL:
                    self._writer = None
                    connection.close()
                    self._close_readers()
                elif connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _open_writer(self) -> sqlite3.Connection:
        """The connection that writes; a new one where the file was replaced or removed."""
        inode = self._inode()
        if self._writer is not None and self._writer[0] != inode:
            self._writer[1].close()
            self._writer = None
        if self._writer is None:
            connection = self._connect("mode=rw")
            _use_wal(connection)
            # The checkpoint of the shipper is forced to the disk and must not lead the store.
            connection.execute("PRAGMA synchronous = FULL")
            self._writer = inode, connection
        return self._writer[1]

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        inode, connection = self._inode(), None
        with contextlib.suppress(IndexError):
            while connection is None:
                opened_as, idle = self._readers.pop()
                if opened_as == inode:
                    connection = idle
                else:
                    idle.close()
        connection = connection or self._open_reader()
        try:
            yield connection
        # Whatever is wrong with it, the next reader opens the file anew.
        except BaseException:
            connection.close()
            raise
        if len(self._readers) < _MOST_IDLE:
            self._readers.append((inode, connection))
        else:
            connection.close()

    def _close_readers(self) -> None:
        """Those that nobody uses now."""
        with contextlib.suppress(IndexError):
            while True:
                self._readers.pop()[1].close()

    def _inode(self) -> tuple[int, int]:
        stat = self._path.stat()
        return stat.st_dev, stat.st_ino

    def _open_reader(self) -> sqlite3.Connection:
        connection = self._connect("mode=ro")
        # A function that makes more would go on after the time is over, and take the memory.
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_ANSWER)
        try:
            connection.execute("SELECT 1 FROM sqlite_master")
        except sqlite3.Error as error:
            connection.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_CANTOPEN or self._is_written_to():
                raise
            # What readers and a writer share cannot be made in a folder that may only be read.
            return self._connect("immutable=1")
        return connection

    def _is_written_to(self) -> bool:
        log = self._path.with_name(f"{self._path.name}-wal")
        return log.exists() or os.access(self._path.parent, os.W_OK)

    def _connect(self, how: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{self._path.absolute().as_uri()}?{how}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )

    def renew_after_fork(self) -> None:
        """SQLite's connections must neither be used nor closed by a child."""
        _inherited.extend(connection for _, connection in self._readers)
        if self._writer is not None:
            _inherited.append(self._writer[1])
        self._lock, self._writer, self._readers = threading.Lock(), None, deque()


def _use_wal(connection: sqlite3.Connection) -> None:
    """Readers and the writer then do not wait for each other."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # SQLite waits for no other connection that is changing the mode just now.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                connection.close()
                raise
            time.sleep(0.01)
        else:
            return


def _result(cursor: sqlite3.Cursor) -> Result:
    rows, size = [], 0
    for row in cursor:
        rows.append(row)
        size += sum(len(cell) for cell in row if isinstance(cell, (str, bytes)))
        if size > MOST_ANSWER:
            raise QueryFailed(f"Too much to show: more than {MOST_ANSWER} bytes.")
    return Result(tuple(column[0] for column in cursor.description or ()), rows)


@contextlib.contextmanager
def _errors_named() -> Iterator[None]:
    """Raise errors as `store.py` names them."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, UnicodeEncodeError) as error:
        raise RowRejected(f"{error}.") from None
    except (sqlite3.ProgrammingError, sqlite3.InterfaceError) as error:
        raise RowRejected(f"A value cannot be stored: {error}.") from None
    except sqlite3.Error as error:
        raise _named(error) from None
    except FileNotFoundError as error:
        raise StoreSchemaMissing(f"{error.filename} does not exist.") from None
    except OSError as error:
        raise StoreUnavailable(f"{error.filename or 'The file'}: {error.strerror}.") from None


def _named(error: sqlite3.Error) -> StoreError:
    message = f"{error}."
    if _SCHEMA_MISSING.search(message):
        return StoreSchemaMissing(message)
    code = _code_of(error)
    if code in _MUST_BE_MENDED:
        return StoreRefused(message)
    return QueryFailed(message) if code == sqlite3.SQLITE_ERROR else StoreUnavailable(message)


def _code_of(error: BaseException) -> int:
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


_inherited: list[sqlite3.Connection] = []
