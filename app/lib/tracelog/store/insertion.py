"""Puts a batch into a store exactly once in effect, however often it is sent.

A batch is written whole or not at all, with plain INSERTs: an id that is there already makes it
fail. Then the rows under its ids are looked at. One with the same content is the same row, sent
before by a call whose answer was lost. One with other content is another row that happens to have
the same id; the newcomer takes the next id that is free, or under which it already lies.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from app.lib.tracelog.rollup import rollup
from app.lib.tracelog.schema import TABLES, Row, Table
from app.lib.tracelog.short_turns import give_way
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import (
    Batch,
    Inserted,
    Result,
    RowRejected,
    StoreUnavailable,
    id_of,
)

_ATTEMPTS: Final = 5
_MOST_STEPS: Final = 1000


class RowWriter(Protocol):
    """What `insert` needs of a store."""

    def write(self, rows: Mapping[str, Sequence[Row]], then: Sequence[Statement]) -> None:
        """Write all rows and run `then`, in one transaction.

        Raises `RowRejected` where an id is taken.
        """
        ...

    def ask(self, statement: Statement) -> Result: ...

    def same(self, table: Table, rows: Sequence[Row]) -> dict[int, bool]:
        """For each id under which there is a row: whether it is the one given."""
        ...


def insert(writer: RowWriter, batch: Batch) -> Inserted:
    """Write what of the batch is not there yet. Raises `StoreError`."""
    if not len(batch):
        return Inserted()
    try:
        _write(writer, batch.rows)
        return Inserted(written=len(batch))
    except RowRejected as error:
        rejected = error
    tried: dict[str, Sequence[Row]] = {name: list(rows) for name, rows in batch.rows.items()}
    for _ in range(_ATTEMPTS):
        new, moved = _what_is_new(writer, batch)
        if new == tried:
            # No id is taken, so it is a value that the store does not take.
            raise rejected
        count = sum(len(rows) for rows in new.values())
        try:
            if count:
                _write(writer, new)
            return Inserted(written=count, known=len(batch) - count, moved=moved)
        except RowRejected as error:
            # A bad value, or somebody wrote between our looking and our writing.
            rejected, tried = error, new
    raise StoreUnavailable("Other writers keep taking the same ids.")


def _write(writer: RowWriter, rows: Mapping[str, Sequence[Row]]) -> None:
    """Write rows that are new, and what they add to the sums."""
    then = rollup.statements(rows, writer.ask)
    give_way()
    writer.write(rows, then)


def _what_is_new(
    writer: RowWriter, batch: Batch
) -> tuple[dict[str, Sequence[Row]], tuple[tuple[int, int], ...]]:
    new: dict[str, Sequence[Row]] = {}
    moved: list[tuple[int, int]] = []
    for name, rows in batch.rows.items():
        new[name] = _place(writer, TABLES[name], rows, moved)
    return new, tuple(moved)


def _place(
    writer: RowWriter, table: Table, rows: Sequence[Row], moved: list[tuple[int, int]]
) -> list[Row]:
    """The rows that are not in the store yet, under ids that are free there."""
    placed: dict[int, Row] = {}
    waiting = [(id_of(row), row) for row in rows]
    steps = 0
    while waiting:
        if steps == _MOST_STEPS:
            raise RowRejected(f"No id after {waiting[0][0]} is free.")
        steps += 1
        looked_at: dict[int, tuple[int, Row]] = {}
        later = []
        for original, row in waiting:
            if looked_at.setdefault(id_of(row), (original, row))[1] is not row:
                later.append((original, row))
        unplaced = [row for row_id, (_, row) in looked_at.items() if row_id not in placed]
        stored = writer.same(table, unplaced)
        for row_id, (original, row) in looked_at.items():
            same = placed[row_id] == row if row_id in placed else stored.get(row_id)
            if same is False:
                later.append((original, (row_id + 1, *row[1:])))
                continue
            if same is None:
                placed[row_id] = row
            if row_id != original:
                moved.append((original, row_id))
        waiting = later
    return list(placed.values())
