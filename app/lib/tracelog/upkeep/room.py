"""Keeps a log folder within its limits: which segments of the journal go, and when."""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.lib.tracelog.journal import reader
from app.lib.tracelog.schema import TABLES, Table
from app.lib.tracelog.shipper.accounting import count_lines
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.shipper.follower import LATE_SECONDS
from app.lib.tracelog.shipper.quarantine import FILE_NAME as QUARANTINE_NAME
from app.lib.tracelog.upkeep.retention import DAY, Rules

_TAIL_BYTES: Final = 256 * 1024
_ROW_ID: Final = re.compile(rb"^([1-9]\d{18}),", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Freed:
    """What went to make room: `dropped` rows of it had not been delivered."""

    files: int = 0
    bytes: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class _Sealed:
    table: Table
    first_id: int
    path: Path
    size: int
    changed_at: float


def make_room(
    log_dir: Path, checkpoint: Checkpoint, rules: Rules, now: float, *, may_drop: bool = True
) -> Freed:
    """Remove what is too old or too much; for the leader. `now` is Unix time. Raises `OSError`.

    Delivered segments are kept until they are older than `rules.days`, as long as all files have
    no more than `rules.folder_bytes`. Then the oldest delivered ones go, then, if it `may_drop`,
    the oldest of all, whose rows are counted as dropped, but for those that are under way. A
    segment is removed after the checkpoint that covers it is on the disk.
    """
    there = _sealed(log_dir)
    for name, given_up in checkpoint.given_up.items():
        given_up &= {each.first_id for each in there if each.table.name == name}
    # A clock that was ahead for a moment has left times that may not come for years.
    sealed = [each for each in there if abs(now - each.changed_at) > LATE_SECONDS]
    delivered = [each for each in sealed if _covers(checkpoint, each)]
    oldest_kept = now - rules.days * DAY if rules.days else 0.0
    too_much = size_of(log_dir) - rules.folder_bytes if rules.folder_bytes else 0
    going = []
    for each in sorted(delivered, key=lambda each: each.changed_at >= oldest_kept):
        is_left_over = each.first_id in checkpoint.given_up.get(each.table.name, ())
        if is_left_over or each.changed_at < oldest_kept or too_much > 0:
            going.append(each)
            too_much -= each.size
    freed = _remove(log_dir, checkpoint, going)
    if not may_drop:
        return freed
    going, dropped = [], 0
    for each in sealed:
        is_under_way = (each.table.name, each.first_id) in checkpoint.under_way
        if too_much > 0 and not is_under_way and not _covers(checkpoint, each):
            # What cannot be counted stays.
            with reader.passed_over_if_unreadable():
                dropped += _waiting_rows(checkpoint, each)
                going.append(each)
                too_much -= each.size
    _drop(checkpoint, going, dropped)
    more = _remove(log_dir, checkpoint, going)
    return Freed(freed.files + more.files, freed.bytes + more.bytes, dropped)


def _waiting_rows(checkpoint: Checkpoint, each: _Sealed) -> int:
    """How many rows of a segment are not delivered. Raises `OSError`."""
    with each.path.open("rb") as file:
        return count_lines(file, checkpoint.offset(each.table.name, each.first_id), each.size)


def _drop(checkpoint: Checkpoint, going: Sequence[_Sealed], rows: int) -> None:
    """Give up the `rows` of these segments that are not delivered. Raises `OSError`."""
    if not going:
        return
    before = checkpoint.snapshot()
    with checkpoint.lock:
        checkpoint.counters.dropped += rows
        for each in going:
            checkpoint.advance(each.table.name, each.first_id, each.size)
            checkpoint.given_up.setdefault(each.table.name, set()).add(each.first_id)
    try:
        checkpoint.save()
    except OSError:
        with checkpoint.lock:
            checkpoint.counters, checkpoint.offsets = before.counters, before.offsets
            checkpoint.given_up = before.given_up
        raise


def _remove(log_dir: Path, checkpoint: Checkpoint, going: Sequence[_Sealed]) -> Freed:
    """Remove those segments that the checkpoint on the disk covers."""
    if not going:
        return Freed()
    for each in going:
        name = each.table.name
        checkpoint.removed_to[name] = max(checkpoint.removed_to.get(name, 0), _last_id(each))
    # On a full disk, which is when room is needed, what is there already has to do.
    with contextlib.suppress(OSError):
        # The copy of the checkpoint, too, must not send anybody back to what is gone.
        checkpoint.save()
        checkpoint.save()
    on_disk, removed = Checkpoint.load(log_dir), []
    for each in going:
        if _covers(on_disk, each):
            # Windows does not remove what somebody has open; it goes another time.
            with contextlib.suppress(OSError):
                each.path.unlink()
                removed.append(each)
    return Freed(len(removed), sum(each.size for each in removed))


def _last_id(each: _Sealed) -> int:
    """The highest id in a segment: rows of several processes are nearly in the order of ids."""
    tail = b""
    with reader.passed_over_if_unreadable(), each.path.open("rb") as file:
        file.seek(max(each.size - _TAIL_BYTES, 0))
        tail = file.read()
    return max(map(int, _ROW_ID.findall(tail)), default=each.first_id)


def _covers(checkpoint: Checkpoint, each: _Sealed) -> bool:
    return checkpoint.offset(each.table.name, each.first_id) >= each.size


def size_of(log_dir: Path) -> int:
    """The bytes of the journal and the quarantine. Raises `OSError`."""
    paths = [log_dir / QUARANTINE_NAME]
    for table in TABLES.values():
        paths += [segment.path for segment in reader.list_segments(log_dir, table)]
    size = 0
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def _sealed(log_dir: Path) -> list[_Sealed]:
    """The sealed segments of all tables, oldest first."""
    found = []
    for table in TABLES.values():
        for segment in reader.list_segments(log_dir, table):
            if segment.sealed and segment.first_id:
                try:
                    stat = segment.path.stat()
                except FileNotFoundError:
                    continue
                each = _Sealed(table, segment.first_id, segment.path, stat.st_size, stat.st_mtime)
                found.append(each)
    return sorted(found, key=lambda each: each.first_id)
