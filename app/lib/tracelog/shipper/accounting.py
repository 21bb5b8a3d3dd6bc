"""What became of every row of a log folder, over all processes that write to it.

`appended = shipped + pending + quarantined + dropped` always holds; this is where the five numbers
come from, for commands, pages and health checks alike.
"""

import contextlib
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from app.lib.tracelog import codec, ids
from app.lib.tracelog.disk import is_file
from app.lib.tracelog.journal import reader
from app.lib.tracelog.journal.tally import Counts, Tally
from app.lib.tracelog.schema import TABLES, Table
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.shipper.election import LOCK_NAME, Election
from app.lib.tracelog.shipper.quarantine import FILE_NAME as QUARANTINE_NAME
from app.lib.tracelog.shipper.quarantine import Outcome, Quarantine
from app.lib.tracelog.shipper.status import Progress
from app.lib.tracelog.store.opening import name_of

_ATTEMPTS: Final = 5
_PIECE: Final = 1 << 20
_SAMPLE: Final = 64 * 1024
_HEADER: Final = b"id,"
_ROW_START: Final = re.compile(rb"^([1-9]\d{18}),", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TableAccount:
    """A table's part of the journal: its files, and what of them waits to be delivered.

    `lag_seconds` is the age of the oldest row that waits, 0 where none does.
    """

    name: str
    files: int
    bytes: int
    pending: int
    pending_bytes: int
    lag_seconds: float


@dataclass(frozen=True, slots=True)
class Account:
    """The identity's numbers, in rows, and how the delivery goes.

    `appended` rows were given to the logger. Each of them is in the store (`shipped`), waits in the
    journal (`pending`), lies in quarantine, or was `dropped`: the disk did not take it, its segment
    had to make room, or somebody discarded it.

    `unaccounted` is what is missing for the identity to hold, 0 when all is well. It can be off

    - by one for each process that was killed while it appended (-1): its row is in the file and was
      not counted, or is torn, was promised to nobody, and lies in quarantine;
    - by the rows of one damaged span beyond the first, since quarantine counts the span (+);
    - by what a file held that somebody changed, cut or removed by hand. For files that were removed
      while the delivery was looking it is reckoned and goes to `dropped` within minutes; see
      `lost_bytes`.

    `known` of the shipped rows were in the store already when they were sent, `collisions` of them
    are stored under another id. `leader_pid` is the process that delivers, `leader` tells that it
    is this one, or the one beside it. `elsewhere` of the shipped rows went to `other_stores`, which
    were set before this one.
    """

    appended: int
    shipped: int
    pending: int
    quarantined: int
    dropped: int
    unaccounted: int
    known: int
    collisions: int
    lost_bytes: int
    batches: int
    retries: int
    pending_bytes: int
    lag_seconds: float
    state: str
    last_error: str
    leader: bool
    leader_pid: int | None
    elsewhere: int
    other_stores: tuple[str, ...]
    tables: tuple[TableAccount, ...]


class Accountant:
    """Draws up the account of a log folder, from any thread.

    It remembers how many lines it has counted in which segment, so that each byte of the journal is
    read at most twice however often it is asked. `store` is the address of the one that is set.
    `clock` is Unix time.
    """

    def __init__(
        self,
        log_dir: Path,
        tally: Tally,
        clock: Callable[[], float] = time.time,
        *,
        store: str = "",
    ) -> None:
        self._log_dir = log_dir
        self._tally = tally
        self._store = store
        self._clock = clock
        self._lines: dict[tuple[str, int], tuple[int, int, int]] = {}
        self._outcomes: tuple[tuple[int, int], Counter[Outcome]] = ((0, 0), Counter())
        self._unaccounted = 0

    def account(self, look: Callable[[], Progress] | None = None) -> Account:
        """The account of this moment; `look` gives the delivery's progress.

        Never raises: what cannot be read seems empty, and `unaccounted` shows it. Rows are appended
        and delivered meanwhile: of those that were appended while the others were counted, as many
        are taken as make the identity hold.
        """
        look = look or (lambda: Progress.load(self._log_dir))
        for _ in range(_ATTEMPTS):
            before = self._tally.totals()
            progress = look()
            try:
                tables = [self._table(table, progress.checkpoint) for table in TABLES.values()]
            except OSError:
                # A segment was removed meanwhile, or the folder cannot be read.
                tables = [TableAccount(name, 0, 0, 0, 0, 0.0) for name in TABLES]
            account = self._put_together(progress, tables, before, self._tally.totals())
            # What a process that was killed has left stays, and is not worth another look.
            if account.unaccounted in {0, self._unaccounted}:
                break
        self._unaccounted = account.unaccounted
        return account

    def _put_together(
        self, progress: Progress, tables: Sequence[TableAccount], before: Counts, after: Counts
    ) -> Account:
        counters, outcomes = progress.checkpoint.counters, self._taken_out()
        others = progress.checkpoint.in_others(self._store or progress.checkpoint.store)
        shipped = counters.shipped + outcomes["shipped"]
        pending = sum(table.pending for table in tables)
        quarantined = counters.quarantined - outcomes.total()
        dropped = after.dropped + counters.dropped + outcomes["discarded"]
        found = shipped + pending + quarantined + dropped
        appended = min(max(found, before.appended + after.dropped), after.appended + after.dropped)
        return Account(
            appended=appended,
            shipped=shipped,
            pending=pending,
            quarantined=quarantined,
            dropped=dropped,
            unaccounted=appended - found,
            known=counters.known,
            collisions=counters.collisions,
            lost_bytes=counters.lost_bytes,
            batches=counters.batches,
            retries=counters.retries,
            pending_bytes=sum(table.pending_bytes for table in tables),
            lag_seconds=max(table.lag_seconds for table in tables),
            state=progress.state,
            last_error=progress.last_error,
            leader=progress.leader,
            leader_pid=Election.holder(self._log_dir / LOCK_NAME),
            elsewhere=sum(others.values()),
            other_stores=tuple(name_of(address, self._log_dir) for address in others),
            tables=tuple(tables),
        )

    # --- the journal -------------------------------------------------------------------------

    def _table(self, table: Table, checkpoint: Checkpoint) -> TableAccount:
        """Raises `OSError`."""
        files = size = rows = waiting = 0
        first = now = self._clock()
        for file, first_id, end in _files(self._log_dir, table, checkpoint):
            files += 1
            size += end
            if file is None:
                continue
            start = checkpoint.offset(table.name, first_id)
            if start == 0 or start > end:
                start = len(codec.header(table))
            with reader.passed_over_if_unreadable():
                if lines := self._count((table.name, first_id), file, start, end):
                    rows += lines
                    waiting += end - start
                    file.seek(start)
                    if match := _ROW_START.search(file.read(_SAMPLE)):
                        first = min(first, ids.time_of(int(match[1])))
        return TableAccount(table.name, files, size, rows, waiting, now - first if rows else 0.0)

    def _count(self, key: tuple[str, int], file: BinaryIO, start: int, end: int) -> int:
        """The whole lines from where the checkpoint stands to where the file ends."""
        counted_from, counted_to, lines = self._lines.get(key, (start, start, 0))
        if counted_from > start or counted_to > end or counted_to < start:
            counted_from, counted_to, lines = start, start, 0
        lines += count_lines(file, counted_to, end) - count_lines(file, counted_from, start)
        # A file that has no row yet has no name either: the next one without a row is another.
        if start < end and key[1]:
            self._lines[key] = start, end, lines
        else:
            self._lines.pop(key, None)
        return lines

    def _taken_out(self) -> Counter[Outcome]:
        try:
            stat = (self._log_dir / QUARANTINE_NAME).stat()
        except OSError:
            return Counter()
        if self._outcomes[0] != (version := (stat.st_mtime_ns, stat.st_ino)):
            try:
                self._outcomes = version, Quarantine(self._log_dir).outcomes()
            except OSError:
                return Counter()
        return self._outcomes[1]


def _files(
    log_dir: Path, table: Table, checkpoint: Checkpoint
) -> Iterator[tuple[BinaryIO | None, int, int]]:
    """A table's files, the ids of their first rows and their sizes. Raises `OSError`.

    Those that were delivered whole are not opened. The active file is opened first: if it is sealed
    meanwhile it is among the sealed ones, and what comes after it is newer than this account.
    """
    with contextlib.ExitStack() as stack:
        active = None
        # Something else of this name, as a pipe, may never open.
        if is_file(path := log_dir / f"{table.name}.csv"):
            with reader.passed_over_if_unreadable():
                active = stack.enter_context(path.open("rb"))
        sealed = {s.first_id: s.path for s in reader.list_segments(log_dir, table) if s.sealed}
        for first_id, path in sealed.items():
            key = first_id or 0
            # One that was removed is accounted for by a newer checkpoint, which is looked at next.
            with reader.passed_over_if_unreadable():
                if checkpoint.offset(table.name, key) == (size := path.stat().st_size):
                    yield None, key, size
                    continue
                with path.open("rb") as file:
                    yield file, key, os.fstat(file.fileno()).st_size
        if active is None:
            return
        # Its name comes with its first row, and what is sealed has one: so it is read last.
        size = os.fstat(active.fileno()).st_size
        if (active_id := reader.first_id_in(active)) not in sealed and (
            active_id or not reader.is_foreign(active, table)
        ):
            yield active, active_id or 0, size


def count_lines(file: BinaryIO, start: int, end: int) -> int:
    """The lines between two offsets of a file, without headers. Raises `OSError`."""
    # A header may have begun before: all of it but its last byte.
    head = max(start - len(_HEADER), 0)
    file.seek(head)
    before = file.read(start - head) if start >= len(_HEADER) else b"\n" + file.read(start)
    count, left = 0, end - start
    while left > 0 and (piece := file.read(min(left, _PIECE))):
        count += piece.count(b"\n") - (before + piece).count(b"\n" + _HEADER)
        left -= len(piece)
        # As much of its end as may be the beginning of a header.
        before = (before + piece)[-len(_HEADER) :]
    return count
