"""Loads CSV files into a store: each row once, however often it is done."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.lib.tracelog.schema import Row
from app.lib.tracelog.shipper.backoff import Backoff
from app.lib.tracelog.store.store import Batch, RowRejected, Store, StoreUnavailable, id_of
from app.lib.tracelog.transfer.csv_source import BadRow, CSVSource, GoodRow
from app.lib.tracelog.transfer.export import lines_of

_BATCH_ROWS: Final = 500
_BATCH_CHARS: Final = 1_000_000
_ATTEMPTS: Final = 6


@dataclass(slots=True)
class Loaded:
    """What became of the rows of a file.

    `known` ones were in the store already; `moved` ones, written or known, lie under another id,
    since theirs was taken. Of `guessed` ones the columns were told by their values. `old` ones have
    ids before the one that was given. `bad` ones were left out.
    """

    written: int = 0
    known: int = 0
    moved: int = 0
    guessed: int = 0
    old: int = 0
    bad: int = 0


def load(
    store: Store,
    source: CSVSource,
    *,
    old_before: int = 0,
    tell: Callable[[BadRow], None] = lambda _: None,
    watch: Callable[[Loaded], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Loaded:
    """Load one file; the store has its tables. `tell` hears of each row that is left out.

    A store that does not answer is tried again for some seconds. Raises `StoreError`, `OSError`.
    """
    loading = _Loading(store, source, old_before, tell, sleep)
    batch: list[GoodRow] = []
    chars = 0
    for found in source:
        if isinstance(found, BadRow):
            loading.leave_out(found)
            continue
        batch.append(found)
        chars += sum(len(value) for value in found.row if isinstance(value, str))
        if len(batch) >= _BATCH_ROWS or chars > _BATCH_CHARS:
            loading.insert(batch)
            watch(loading.loaded)
            batch, chars = [], 0
    loading.insert(batch)
    watch(loading.loaded)
    return loading.loaded


class _Loading:
    def __init__(
        self,
        store: Store,
        source: CSVSource,
        old_before: int,
        tell: Callable[[BadRow], None],
        sleep: Callable[[float], None],
    ) -> None:
        self.loaded = Loaded()
        self._store = store
        self._source = source
        self._old_before = old_before
        self._tell = tell
        self._sleep = sleep

    def leave_out(self, bad: BadRow) -> None:
        self.loaded.bad += 1
        self._tell(bad)

    def insert(self, rows: Sequence[GoodRow]) -> None:
        """Insert all rows but those that the store rejects."""
        pauses = Backoff(0.5, 8.0)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                new = self._new(rows)
                inserted = self._store.insert(Batch({self._source.table.name: new}))
                break
            except StoreUnavailable:
                if attempt == _ATTEMPTS:
                    raise
                self._sleep(pauses.next())
            except RowRejected as error:
                if len(rows) == 1:
                    self.leave_out(BadRow(rows[0].line, str(error)))
                    return
                middle = len(rows) // 2
                self.insert(rows[:middle])
                self.insert(rows[middle:])
                return
        self.loaded.written += inserted.written
        self.loaded.known += inserted.known + len(rows) - len(new)
        self.loaded.moved += len(inserted.moved)
        self.loaded.guessed += sum(each.guessed for each in rows)
        self.loaded.old += sum(id_of(each.row) < self._old_before for each in rows)

    def _new(self, rows: Sequence[GoodRow]) -> list[Row]:
        """All but those that this store has itself numbered, and that come back as it has them."""
        numbers = [int(each.numbered.partition(b",")[0]) for each in rows if each.numbered]
        known = lines_of(self._store, self._source.table, numbers) if numbers else set()
        return [each.row for each in rows if each.numbered + b"\n" not in known]
