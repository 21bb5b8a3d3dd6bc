"""Compares a log folder's journal with the store, row by row.

The journal is read in the order in which it was written, some hundred rows at a time, and each row
is looked up in the store by its id. Then the store's ids in the range of each segment are listed,
to find rows that the journal does not have. What is remembered at once is the ids of one segment.
"""

import contextlib
import os
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Literal, NamedTuple

from app.lib.tracelog.journal import reader
from app.lib.tracelog.journal.reader import Chunk, Segment
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Row, Table
from app.lib.tracelog.shipper.accounting import count_lines
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.shipper.quarantine import Quarantine
from app.lib.tracelog.store.store import Store, id_of
from app.lib.tracelog.upkeep.retention import Horizon, horizon

Kind = Literal["missing", "different", "damaged", "extra"]

EXAMPLES: Final = 20
"""So many differences are told one by one; all are counted."""

_ROWS: Final = 500
_PAGE: Final = 5_000
_MOST_SUSPECTS: Final = 10_000
_MOST_STEPS: Final = 1_000
_ROW_ID: Final = re.compile(rb"([1-9]\d{18}),")


@dataclass(frozen=True, slots=True)
class Difference:
    """One row, by its id; a damaged span, by the segment's id and its offset in bytes."""

    kind: Kind
    table: str
    id: int
    offset: int = 0
    columns: tuple[str, ...] = ()


@dataclass(slots=True)
class Verification:
    """What a comparison found, in rows.

    `same` rows are in the store as they are in the journal, `moved` ones too, under another id
    since theirs was taken. `missing` rows are not in the store; `different` ones have other
    `columns` there. `damaged` spans of the journal can no longer be read. `extra` rows lie in the
    journal's range of ids and are not in it: another host's, imported, or lost by the journal.
    `pending` rows are not delivered yet, `expired` ones were deleted by retention, `quarantined`
    ones lie in quarantine, `dropped` ones were given up, and their file is about to go.
    """

    same: int = 0
    moved: int = 0
    missing: int = 0
    different: int = 0
    damaged: int = 0
    extra: int = 0
    pending: int = 0
    expired: int = 0
    quarantined: int = 0
    dropped: int = 0
    examples: list[Difference] = field(default_factory=list)

    def differs(self, *, alone: bool) -> bool:
        """Whether something is wrong; extra rows are if this folder fills the store `alone`."""
        return bool(self.missing or self.different or self.damaged or (alone and self.extra))


class _Item(NamedTuple):
    row: Row
    end: int


Watch = Callable[[int, int], None]
"""Called with the bytes of the journal that were compared, and the rows."""


def verify(log_dir: Path, store: Store, watch: Watch = lambda _bytes, _rows: None) -> Verification:
    """Compare all that was delivered; rows may be written and delivered meanwhile.

    Raises `StoreError` and `OSError`.
    """
    verifier = _Verifier(log_dir, store, watch)
    for table in TABLES.values():
        for segment in reader.list_segments(log_dir, table):
            verifier.compare(table, segment)
        verifier.settle_suspects(table)
    return verifier.found


class _Verifier:
    def __init__(self, log_dir: Path, store: Store, watch: Watch) -> None:
        self.found = Verification()
        self._log_dir = log_dir
        self._store = store
        self._watch = watch
        self._checkpoint = Checkpoint.load(log_dir)
        every = Quarantine(log_dir).every()
        self._quarantined = {(entry.table, entry.segment, entry.end) for entry in every}
        self._horizon: Horizon = horizon(store)
        self._suspects: dict[str, set[int]] = {name: set() for name in TABLES}
        self._moved_to: dict[str, set[int]] = {name: set() for name in TABLES}

    # --- the journal's rows in the store -----------------------------------------------------

    def compare(self, table: Table, segment: Segment) -> None:
        if segment.first_id is None:
            return
        offset, end = 0, self._checkpoint.offset(table.name, segment.first_id)
        seen = array("q")
        try:
            with reader.open_segment(segment) as file:
                while offset < end:
                    chunk = reader.read_from(
                        file, table, offset, max_rows=_ROWS, final=segment.sealed
                    )
                    if chunk.next_offset == offset:
                        break
                    # The last line of a full file may have no end, and counts as if it had one.
                    items = self._items(table, segment.first_id, chunk, end + 1)
                    seen.extend(id_of(item.row) for item in items)
                    self._look_up(table, segment.first_id, items)
                    self._watch(min(chunk.next_offset, end) - offset, len(items))
                    offset = chunk.next_offset
                size = os.fstat(file.fileno()).st_size
                self.found.pending += count_lines(file, end, size)
                if seen:
                    seen.extend(_ids(file, end))
        except FileNotFoundError:
            # It was deleted to make room, which only happens to what was delivered or given up.
            pass
        if seen:
            self._look_for_extra(table, array("q", sorted(seen)))

    def _items(self, table: Table, key: int, chunk: Chunk, end: int) -> list[_Item]:
        """The chunk's rows before `end`. Its damage is counted."""
        for span in chunk.bad:
            if span.end > end:
                continue
            if (table.name, key, span.end) in self._quarantined:
                self.found.quarantined += 1
            else:
                self._tell(Difference("damaged", table.name, key, span.start))
        ends = zip(chunk.rows, chunk.row_ends, strict=True)
        return [_Item(row, row_end) for row, row_end in ends if row_end <= end]

    def _look_up(self, table: Table, key: int, items: Sequence[_Item]) -> None:
        while items:
            now: dict[int, _Item] = {}
            later = [item for item in items if now.setdefault(id_of(item.row), item) is not item]
            answers = self._store.same(table, [item.row for item in now.values()])
            for row_id, item in now.items():
                same = answers.get(row_id)
                if same:
                    self.found.same += 1
                elif same is None:
                    self._judge_absent(table, key, item)
                elif moved_to := self._find_moved(table, item.row):
                    self.found.moved += 1
                    self._moved_to[table.name].add(moved_to)
                else:
                    self._tell_different(table, item.row)
            items = later

    def _judge_absent(self, table: Table, key: int, item: _Item) -> None:
        row_id = id_of(item.row)
        if row_id <= self._horizon.all_to or (
            row_id <= self._horizon.normal_to and not _has_failed(table, item.row)
        ):
            self.found.expired += 1
        elif (table.name, key, item.end) in self._quarantined:
            self.found.quarantined += 1
        elif key in self._checkpoint.given_up.get(table.name, ()):
            self.found.dropped += 1
        else:
            self._tell(Difference("missing", table.name, row_id))

    def _find_moved(self, table: Table, row: Row) -> int | None:
        """Under which id a row lies whose own was taken: the first after it that was free."""
        row_id = id_of(row)
        for moved_to in range(row_id + 1, row_id + _MOST_STEPS):
            same = self._store.same(table, [(moved_to, *row[1:])]).get(moved_to)
            if same is not False:
                return moved_to if same else None
        return None

    def _tell_different(self, table: Table, row: Row) -> None:
        columns: tuple[str, ...] = ()
        if len(self.found.examples) < EXAMPLES:
            names = ", ".join(table.column_names)
            sql = f"SELECT {names} FROM {table.name} WHERE id = ?"  # noqa: S608 # the schema's names
            for stored in self._store.query(sql, (row[0],)).rows:
                pairs = zip(table.column_names, row, stored, strict=True)
                columns = tuple(name for name, ours, theirs in pairs if ours != theirs)
        self._tell(Difference("different", table.name, id_of(row), columns=columns))

    # --- the store's rows in the journal -----------------------------------------------------

    def _look_for_extra(self, table: Table, ids: "array[int]") -> None:
        """Suspect what the store has between the first and the last of these ids."""
        sql = (
            f"SELECT id FROM {table.name} WHERE id >= ? AND id <= ?"  # noqa: S608 # as above
            f" ORDER BY id LIMIT {_PAGE}"
        )
        # Of the files that are gone some rows may have later ids than those that follow.
        position = max(ids[0], self._checkpoint.removed_to.get(table.name, 0) + 1)
        suspects = self._suspects[table.name]
        while rows := self._store.query(sql, (position, ids[-1])).rows:
            found = [row[0] for row in rows if isinstance(row[0], int)]
            for row_id in found:
                if ids[bisect_left(ids, row_id)] != row_id:
                    if len(suspects) < _MOST_SUSPECTS:
                        suspects.add(row_id)
                    else:
                        self.found.extra += 1
            position = found[-1] + 1

    def settle_suspects(self, table: Table) -> None:
        """Clear those whose line stands in another segment than its neighbours' by id."""
        suspects = self._suspects[table.name] - self._moved_to[table.name]
        if suspects:
            for segment in reader.list_segments(self._log_dir, table):
                with (
                    contextlib.suppress(FileNotFoundError),
                    reader.open_segment(segment) as file,
                ):
                    suspects.difference_update(_ids(file))
        # Some may be rows of a file that has made room since this began.
        removed_to = Checkpoint.load(self._log_dir).removed_to.get(table.name, 0)
        for row_id in sorted(suspects):
            if row_id > removed_to:
                self._tell(Difference("extra", table.name, row_id))

    def _tell(self, difference: Difference) -> None:
        setattr(self.found, difference.kind, getattr(self.found, difference.kind) + 1)
        if len(self.found.examples) < EXAMPLES:
            self.found.examples.append(difference)


def _ids(file: BinaryIO, start: int = 0) -> Iterator[int]:
    """The ids of all lines that begin with one. Raises `OSError`."""
    file.seek(start)
    for line in file:
        if match := _ROW_ID.match(line):
            yield int(match[1])


def _has_failed(table: Table, row: Row) -> bool:
    if table.name == API_LOGS:
        status = row[_RESPONSE_STATUS]
        return isinstance(status, int) and status >= 500
    return row[_STATUS] == "FAILED"


_RESPONSE_STATUS: Final = TABLES[API_LOGS].column_names.index("response_status")
_STATUS: Final = TABLES[TASK_PROGRESS_LOGS].column_names.index("status")
