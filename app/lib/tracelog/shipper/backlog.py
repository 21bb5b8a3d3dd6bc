"""What waits in the journal to be delivered."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from app.lib.tracelog import codec, ids
from app.lib.tracelog.disk import exists
from app.lib.tracelog.journal import reader
from app.lib.tracelog.journal.reader import Segment
from app.lib.tracelog.schema import TABLES, Table
from app.lib.tracelog.shipper.checkpoint import Checkpoint

_SAMPLE_BYTES: Final = 64 * 1024
_ROW_START: Final = re.compile(rb"^([1-9]\d{18}),", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Backlog:
    """`rows` is estimated from the size of those that come next; `seconds` is the oldest's age."""

    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Pending:
    """A segment with rows that are not delivered: those from `offset` to `size`, in bytes."""

    table: Table
    segment: Segment
    offset: int
    size: int


def pending(log_dir: Path, checkpoint: Checkpoint) -> Iterator[Pending]:
    """The segments that are not delivered whole, oldest first by table."""
    for table in TABLES.values():
        for segment in reader.list_segments(log_dir, table):
            try:
                size = segment.path.stat().st_size
                if not segment.sealed and exists(
                    sealed := reader.sealed_path(segment.path, segment.first_id)
                ):
                    # What was looked at may be its successor.
                    segment = replace(segment, path=sealed, sealed=True)
                    size = sealed.stat().st_size
            except FileNotFoundError:
                continue
            offset = checkpoint.offset(table.name, segment.first_id or 0)
            if offset == 0 or offset > size:
                offset = len(codec.header(table))
            if size > offset:
                yield Pending(table, segment, offset, size)


Marks = dict[tuple[str, int], int]
"""Offsets in bytes by table and by the id of a segment's first row."""


def marks_of(log_dir: Path, checkpoint: Checkpoint) -> Marks:
    """Up to where the files reach that are not delivered whole. Raises `OSError`."""
    return {
        (each.table.name, each.segment.first_id): each.size
        for each in pending(log_dir, checkpoint)
        # What has no row yet has no name either.
        if each.segment.first_id
    }


def is_past(checkpoint: Checkpoint, marks: Marks) -> bool:
    """Whether there were any, and all before them is delivered or was removed.

    Not where that cannot be told.
    """
    missing = {key for key, mark in marks.items() if checkpoint.offset(*key) < mark}
    # Of a segment that is gone the checkpoint keeps no offset.
    if any(first_id > checkpoint.removed_to.get(name, 0) for name, first_id in missing):
        return False
    try:
        return bool(marks) and missing.isdisjoint(
            (name, segment.first_id)
            for name in {name for name, _ in missing}
            for segment in reader.list_segments(checkpoint.log_dir, TABLES[name])
        )
    except OSError:
        return False


def measure(log_dir: Path, checkpoint: Checkpoint, now: float | None = None) -> Backlog:
    """How much waits. `now` is Unix time. Raises `OSError` where files cannot be read."""
    now = time.time() if now is None else now
    rows, size, oldest = 0.0, 0, now
    for each in pending(log_dir, checkpoint):
        waiting = each.size - each.offset
        size += waiting
        sample = b""
        with reader.passed_over_if_unreadable(), each.segment.path.open("rb") as file:
            file.seek(each.offset)
            sample = file.read(min(waiting, _SAMPLE_BYTES))
        rows += max(1, sample.count(b"\n") * waiting / max(1, len(sample)))
        if match := _ROW_START.search(sample):
            oldest = min(oldest, ids.time_of(int(match[1])))
    return Backlog(round(rows), size, max(0.0, now - oldest))


def nothing_waits(log_dir: Path) -> bool:
    """Whether all is delivered, by the checkpoint on the disk; not where that cannot be told."""
    try:
        return measure(log_dir, Checkpoint.load(log_dir)).bytes == 0
    except OSError:
        return False
