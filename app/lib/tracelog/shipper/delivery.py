"""Brings the journal's rows into a store, a batch at a time."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from app.lib.tracelog import codec
from app.lib.tracelog.schema import TABLES, Row
from app.lib.tracelog.shipper.checkpoint import Checkpoint, Replaced
from app.lib.tracelog.shipper.follower import Follower, Part
from app.lib.tracelog.shipper.quarantine import Entry, Quarantine
from app.lib.tracelog.store.opening import name_of
from app.lib.tracelog.store.store import Batch, Inserted, RowRejected, Store, StoreSchemaMissing

log = logging.getLogger("tracelog")

SAVE_SECONDS: Final = 1.0
"""How old the checkpoint on the disk may get while rows are delivered."""

_FEW: Final = 4
_WINDOW_ROWS: Final = 100


class TooManyRejected(Exception):
    """More than a fifth of the rows were rejected: it is not the rows that are wrong."""


class _Item(NamedTuple):
    part: Part
    row: Row
    end: int


@dataclass(slots=True)
class _Outcome:
    written: int = 0
    known: int = 0
    moved: int = 0
    rejected: list[tuple[_Item, str]] = field(default_factory=list)

    def add(self, inserted: Inserted) -> None:
        self.written += inserted.written
        self.known += inserted.known
        self.moved += len(inserted.moved)


class Delivery:
    """Delivers to `store` from `checkpoint` on. Used by one thread, of the leader."""

    def __init__(
        self,
        log_dir: Path,
        store: Store,
        checkpoint: Checkpoint,
        *,
        batch_rows: int,
        batch_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.checkpoint = checkpoint
        self._batch_rows = batch_rows
        self._batch_bytes = batch_bytes
        self._clock = clock
        self._follower = Follower(log_dir, checkpoint, clock)
        self._quarantine = Quarantine(log_dir)
        self._new_in_a_row = 0
        self._recent_rows = 0
        self._recent_rejected = 0
        self._saved_at = time.monotonic()
        self._cannot_save = False

    def step(self) -> int:
        """Deliver one batch: the number of rows and damaged spans settled, 0 if none waits.

        Rows are settled when they are in the store or in quarantine. Raises `StoreError`,
        `TooManyRejected` and `OSError`; then nothing is settled and the same rows come next time.
        """
        parts = self._follower.next(self._batch_rows, self._batch_bytes)
        if not parts:
            self._new_in_a_row = len(TABLES)
            return 0
        self.checkpoint.under_way = {(part.table.name, part.key) for part in parts}
        try:
            outcome = self._insert(parts)
        finally:
            self.checkpoint.under_way = set()
        self._new_in_a_row = 0 if outcome.known else self._new_in_a_row + 1
        spans = self._put_into_quarantine(parts, outcome)
        rows = sum(len(part.chunk.rows) for part in parts)
        counters = self.checkpoint.counters
        with self.checkpoint.lock:
            counters.batches += 1
            counters.shipped += outcome.written + outcome.known
            counters.known += outcome.known
            counters.collisions += outcome.moved
            counters.quarantined += len(outcome.rejected) + spans
            for part in parts:
                self.checkpoint.advance(part.table.name, part.key, part.chunk.next_offset)
        self._recent_rows += rows
        self._recent_rejected += len(outcome.rejected)
        if self._recent_rows > _WINDOW_ROWS:
            self._recent_rows //= 2
            self._recent_rejected //= 2
        # Parts of empty lines alone settle nothing, and more may wait behind them.
        return max(1, rows + spans)

    def go_to(self, address: str) -> None:
        """Remember the store by its address, and tell of rows that are in the one before."""
        checkpoint = self.checkpoint
        if checkpoint.store == address:
            return
        if before := checkpoint.in_others(address).get(checkpoint.store):
            log.warning(
                "Rows go to %s from now on; %s are in another store, %s, and stay there.",
                self.store.name,
                before,
                name_of(checkpoint.store, checkpoint.log_dir),
            )
        checkpoint.deliver_to(address)

    def make_tables(self, error: StoreSchemaMissing, *, told: bool) -> None:
        """Make the store's tables as far as they are missing. Raises `StoreError`."""
        # A store that is used for the first time has none; later that is worth a look.
        checkpoint = self.checkpoint
        is_used = checkpoint.counters.shipped > sum(checkpoint.elsewhere.values())
        if told:
            level = logging.WARNING if is_used else logging.INFO
            log.log(level, "Making the tables of %s: %s", self.store.name, error)
        self.store.migrate()

    @property
    def may_repeat(self) -> bool:
        """Whether what comes next may be in the store already.

        The leader before may have gone further than the checkpoint that it left. Each table is the
        first in one of as many batches as there are tables.
        """
        return self._new_in_a_row < len(TABLES)

    def notice_removed(self) -> None:
        """Count what was not delivered of files that are gone by now. Raises `OSError`."""
        self._follower.next(0, 0)

    def note(self, state: str, error: str) -> None:
        """Have other processes see how it goes."""
        if self.checkpoint.note(state, error):
            self.save()

    def save(self, *, now: bool = True) -> None:
        """Save the checkpoint if it is due, or `now`. A disk that is full does not stop us."""
        due = now or time.monotonic() - self._saved_at >= SAVE_SECONDS
        if not due or not self.checkpoint.unsaved:
            return
        self._saved_at = time.monotonic()
        try:
            self.checkpoint.save()
        except Replaced:
            return
        except OSError as error:
            if not self._cannot_save:
                log.error("The checkpoint cannot be saved: %s.", error.strerror)  # noqa: TRY400
            self._cannot_save = True
        else:
            self._cannot_save = False

    def _insert(self, parts: Sequence[Part]) -> _Outcome:
        rows: dict[str, list[Row]] = {}
        for part in parts:
            rows.setdefault(part.table.name, []).extend(part.chunk.rows)
        outcome = _Outcome()
        try:
            outcome.add(self.store.insert(Batch(rows)))
        except RowRejected:
            items = [
                _Item(part, row, end)
                for part in parts
                for row, end in zip(part.chunk.rows, part.chunk.row_ends, strict=True)
            ]
            self._insert_all_but_bad(items, len(items), outcome)
        return outcome

    def _insert_all_but_bad(self, items: Sequence[_Item], total: int, outcome: _Outcome) -> None:
        """Halve until the rows that the store rejects stand alone."""
        rows: dict[str, list[Row]] = {}
        for item in items:
            rows.setdefault(item.part.table.name, []).append(item.row)
        try:
            outcome.add(self.store.insert(Batch(rows)))
        except RowRejected as error:
            if len(items) > 1:
                middle = len(items) // 2
                self._insert_all_but_bad(items[:middle], total, outcome)
                self._insert_all_but_bad(items[middle:], total, outcome)
                return
            outcome.rejected.append((items[0], str(error)))
            bad = self._recent_rejected + len(outcome.rejected)
            if bad > _FEW and bad * 5 > self._recent_rows + total:
                raise TooManyRejected(str(error)) from None

    def _put_into_quarantine(self, parts: Sequence[Part], outcome: _Outcome) -> int:
        """Have what cannot be delivered on the disk; the number of damaged spans."""
        at = codec.timestamp(self._clock())
        entries = [
            Entry(at, part.table.name, part.key, span.start, span.end, span.reason, span.raw)
            for part in parts
            for span in part.chunk.bad
        ]
        spans = len(entries)
        for (part, row, end), reason in outcome.rejected:
            line = _line(part.table.name, row)
            entries.append(Entry(at, part.table.name, part.key, end - len(line), end, reason, line))
        if entries:
            self._quarantine.add(entries)
            last = entries[-1]
            log.error(
                "%s rows or damaged spans cannot be delivered and lie in quarantine; the last, of"
                " %s: %s",
                len(entries),
                last.table,
                last.reason,
            )
        return spans


def _line(table: str, row: Row) -> bytes:
    try:
        return codec.encode(TABLES[table], row)
    except UnicodeEncodeError:
        # A lone surrogate, which is one of the reasons why a row is here.
        return repr(row).encode(errors="backslashreplace")
