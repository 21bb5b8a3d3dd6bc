"""What every store of the trace log can do, and the errors it may raise.

A store is where SQL is asked. Its calls block and may be made from any thread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from app.lib.tracelog.schema import Row, Table, Value

if TYPE_CHECKING:
    from app.lib.tracelog.store.sql import Statement

Cell = Value | float | bytes
"""A value in an answer; SQL can make fractions and blobs of what the tables hold."""

MOST_ANSWER: Final = 16 << 20
"""So many bytes of an answer are taken."""


class StoreError(Exception):
    """A store could not do what was asked. The message is one plain line without secrets."""


class StoreUnavailable(StoreError):
    """The network or the server failed; the same call may go through later.

    Whether the call had an effect is not known. `retry_after` is the pause in seconds that the
    server asked for, if it did.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StoreRefused(StoreError):
    """The server knows us and says no (401, 403, BLOCKED): a person must mend something."""


class StoreSchemaMissing(StoreError):
    """A table or column is not there; `migrate` makes it."""


class RowRejected(StoreError):
    """A row of the batch can never be stored as it is."""


class QueryFailed(StoreError):
    """The SQL of a query is wrong, it took too long, or its answer is too large."""


def id_of(row: Row) -> int:
    """A row's id. Raises `RowRejected` where it has none."""
    if isinstance(row[0], int):
        return row[0]
    raise RowRejected("The id is no integer.")


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows by table name, written in one transaction."""

    rows: Mapping[str, Sequence[Row]]

    def __len__(self) -> int:
        return sum(len(rows) for rows in self.rows.values())


@dataclass(frozen=True, slots=True)
class Inserted:
    """What became of a batch.

    `written` rows are new, `known` ones were already there with the same content; together they are
    all rows of the batch. `moved` has the id of each row that met another row under its id, and
    the id under which it is stored instead.
    """

    written: int = 0
    known: int = 0
    moved: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of a query: column names and rows in that order."""

    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]

    def dicts(self) -> list[dict[str, Cell]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Store(Protocol):
    """Where delivered rows live. All methods raise only `StoreError`."""

    @property
    def name(self) -> str:
        """How a person knows this store: a host name or a file path, never a token."""
        ...

    def migrate(self) -> None:
        """Bring tables and indexes to this version; safe to call again and concurrently."""
        ...

    def insert(self, batch: Batch) -> Inserted:
        """Write a batch in one transaction; sending it again changes nothing."""
        ...

    def query(self, sql: str, args: Sequence[Value] = (), *, timeout: float = 10.0) -> Result:
        """Ask one read-only question; `timeout` is in seconds.

        An answer of more than `MOST_ANSWER` bytes is `QueryFailed`.
        """
        ...

    def same(self, table: Table, rows: Sequence[Row]) -> dict[int, bool]:
        """For each id of the rows under which there is a row: whether it is the one given."""
        ...

    def transact(self, statements: "Sequence[Statement]") -> None:
        """Do all statements or none."""
        ...

    def close(self) -> None: ...
