"""Follows the journal from a checkpoint: what comes next, over segments that come and go."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from app.lib.tracelog.disk import exists, is_file
from app.lib.tracelog.journal import reader
from app.lib.tracelog.journal.reader import Chunk, Segment
from app.lib.tracelog.schema import TABLES, Table
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.short_turns import give_way

log = logging.getLogger("tracelog")

LATE_SECONDS: Final = 2.0
"""A writer that was not running when a segment was sealed may still append to it for so long."""

_STEP_ROWS: Final = 25
_STEP_BYTES: Final = 32 * 1024


@dataclass(slots=True)
class _Room:
    """How much more fits into the batch."""

    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk of the segment that `key` names, the id of its first row."""

    table: Table
    key: int
    chunk: Chunk


class Follower:
    """Reads what the checkpoint does not cover yet, some rows at a time.

    `clock` is Unix time, to compare with the files'.
    """

    def __init__(
        self, log_dir: Path, checkpoint: Checkpoint, clock: Callable[[], float] = time.time
    ) -> None:
        self._log_dir = log_dir
        self._checkpoint = checkpoint
        self._clock = clock
        self._finished: dict[str, set[int]] = {name: set() for name in TABLES}
        self._sizes: dict[tuple[str, int], int] = {}
        self._active: dict[str, int] = {}
        self._forbidden: set[Path] = set()
        self._order = list(TABLES.values())

    def next(self, max_rows: int, max_bytes: int) -> list[Part]:
        """The next rows of all tables, at most so many; empty where nothing waits.

        A single row may be larger than `max_bytes`. The table that comes first takes what it needs,
        so they take turns. Raises `OSError`.
        """
        self._order.append(self._order.pop(0))
        room = _Room(max_rows, max_bytes)
        return [part for table in self._order for part in self._parts(table, room)]

    def _parts(self, table: Table, room: _Room) -> Iterator[Part]:
        give_way()
        segments = reader.list_segments(self._log_dir, table)
        give_way()
        self._notice_vanished(table, {segment.first_id or 0 for segment in segments})
        for segment in segments:
            if segment.first_id not in self._finished[table.name]:
                try:
                    yield from self._parts_of(table, segment, room)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    if error.errno not in reader.UNREADABLE:
                        raise
                    # Its rows wait until somebody mends that; those in the other files need not.
                    if segment.path not in self._forbidden:
                        self._forbidden.add(segment.path)
                        log.error("%s cannot be read: %s.", segment.path, error.strerror)  # noqa: TRY400

    def _parts_of(self, table: Table, segment: Segment, room: _Room) -> Iterator[Part]:
        key = segment.first_id or 0
        with reader.open_segment(segment) as file:
            stat = os.fstat(file.fileno())
            # Its time is ahead of the clock where that was set back.
            final = segment.sealed and abs(self._clock() - stat.st_mtime) > LATE_SECONDS
            offset = self._start(table, segment, file, stat.st_size)
            if not segment.sealed:
                self._active[table.name] = key
            if final and offset >= stat.st_size:
                self._finished[table.name].add(key)
            while offset < stat.st_size and room.rows > 0 and room.bytes > 0:
                chunk = reader.read_from(
                    file,
                    table,
                    offset,
                    max_rows=min(room.rows, _STEP_ROWS),
                    max_bytes=min(room.bytes, _STEP_BYTES),
                    final=final,
                )
                give_way()
                if chunk.next_offset == offset:
                    return
                if not key and reader.first_id_in(file) is not None:
                    # Its first row has just come, and names it: so it is looked at next time.
                    return
                if chunk.rows or chunk.bad or offset:
                    yield Part(table, key, chunk)
                room.rows -= len(chunk.rows)
                room.bytes -= chunk.next_offset - offset
                offset = chunk.next_offset

    def _start(self, table: Table, segment: Segment, file: BinaryIO, size: int) -> int:
        """Where the checkpoint stands in a segment, if that is a place between two lines of it."""
        key = segment.first_id or 0
        offset = self._checkpoint.offset(table.name, key)
        seen_before = (table.name, key) in self._sizes
        self._sizes[table.name, key] = size
        if offset > size:
            return 0
        if seen_before or offset == 0 or (segment.sealed and offset == size):
            return offset
        file.seek(offset - 1)
        return offset if file.read(1) == b"\n" else 0

    def _notice_vanished(self, table: Table, there: set[int]) -> None:
        """Count what was not delivered of segments that somebody removed."""
        for name, key in [each for each in self._sizes if each[0] == table.name]:
            if key in there or exists(self._log_dir / f"{name}.{key}.csv"):
                continue
            # What has just been sealed may have gone to make room already.
            by_others = key > self._checkpoint.removed_to.get(name, 0)
            is_active = key and key == self._active.get(name)
            if is_active and by_others and not self._was_taken(name, key):
                continue
            lost = self._sizes.pop((name, key)) - self._checkpoint.offset(name, key)
            if key and lost > 0:
                self._checkpoint.counters.lost_bytes += lost
                log.error("%s.%s.csv was removed with %s bytes not delivered.", name, key, lost)
        if first := min(there - {0}, default=0):
            self._checkpoint.forget_before(table.name, first)

    def _was_taken(self, name: str, key: int) -> bool:
        """Whether another program, as one that rotates logs, has emptied or moved the active file.

        Not where it can just not be read. What was written to it since we looked is not known: it
        is what the account will miss.
        """
        active = self._log_dir / f"{name}.csv"
        with reader.passed_over_if_unreadable():
            # Something else of this name, as a pipe, may never open.
            if not is_file(active) or reader.first_id_of(active) != key:
                log.error(
                    "%s was emptied or moved by another program; what was not delivered yet is"
                    " lost. No program should rotate these files: the trace log does.",
                    active,
                )
                self._checkpoint.folder_removed_at = time.monotonic()
                return True
        return False
