"""Reads the journal's files: whole rows, and what is no row with the reason.

A reader runs beside the writers. It stops at the last line end, and finds its way again after torn,
glued and damaged lines, so that damage costs the rows it touched and not their neighbours.
"""

import contextlib
import errno
import os
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from app.lib.tracelog import codec
from app.lib.tracelog.bulk_decode import decode_lines
from app.lib.tracelog.disk import is_file
from app.lib.tracelog.schema import Row, Table

_ROW_START: Final = re.compile(rb"(?=([1-9]\d{18}),)")
_SEALED: Final = re.compile(r"\.([1-9]\d{18})\.csv\Z")
_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")
_STEP_BYTES: Final = 1 << 20

UNREADABLE: Final = {errno.EACCES, errno.EPERM, errno.EIO, errno.ELOOP}
"""Somebody else's file, links that lead in a circle, or a disk that fails there: that says nothing
of the other files."""

_HEAD_BYTES: Final = 64 * 1024
_MOST_HEADS: Final = 4 * 1024


@dataclass(frozen=True, slots=True)
class Segment:
    """A CSV file of a table. `first_id` is None while the file has no row."""

    path: Path
    first_id: int | None
    sealed: bool


@dataclass(frozen=True, slots=True)
class BadSpan:
    """Bytes `start` to `end` (exclusive) of a file that are no row, and why."""

    start: int
    end: int
    reason: str
    raw: bytes


@dataclass(slots=True)
class Chunk:
    """What one read found.

    `next_offset` is where the next read goes on. `row_ends[i]` is the offset behind `rows[i]`.
    """

    rows: list[Row] = field(default_factory=list)
    row_ends: list[int] = field(default_factory=list)
    bad: list[BadSpan] = field(default_factory=list)
    next_offset: int = 0


def list_segments(log_dir: Path, table: Table) -> list[Segment]:
    """The table's files, oldest first, the active one last.

    All that are there when this begins are in the list. The active one may be sealed at any moment
    after that: whoever opens it then sees its successor, knows it by its first row's id, and finds
    the one that was meant at `sealed_path`.
    """
    active = log_dir / f"{table.name}.csv"
    is_there, active_id = is_file(active), None
    try:
        if is_there:
            with active.open("rb") as file:
                active_id = first_id_in(file)
                is_there = active_id is not None or not is_foreign(file, table)
    except FileNotFoundError:
        # Just sealed: it may be found by its new name, or as a file without a row.
        pass
    except OSError as error:
        if error.errno not in UNREADABLE:
            raise
        # It must not keep the rows in the other files.
        is_there = False
    segments, prefix = [], f"{table.name}."
    # A folder that may not be listed for a moment seems empty. There may be thousands of files, of
    # which `glob` makes paths before it looks at their names.
    with (
        contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError),
        os.scandir(log_dir) as entries,
    ):
        for entry in entries:
            name = entry.name
            if name.startswith(prefix) and (match := _SEALED.search(name)):
                # Where a link leads may not be for us to know.
                with passed_over_if_unreadable():
                    if entry.is_file():
                        segments.append(Segment(log_dir / name, int(match[1]), sealed=True))
    segments.sort(key=lambda segment: segment.first_id or 0)
    if is_there and not any(active_id == segment.first_id for segment in segments):
        segments.append(Segment(active, active_id, sealed=False))
    return segments


@contextlib.contextmanager
def passed_over_if_unreadable() -> Iterator[None]:
    """Leave what is inside of `with` undone for a file that is gone, or `UNREADABLE`."""
    try:
        yield
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno not in UNREADABLE:
            raise


def sealed_path(active: Path, first_id: int | None) -> Path:
    """Where a table's active file is once it is sealed."""
    return active.with_name(f"{active.stem}.{first_id}.csv")


@contextlib.contextmanager
def open_segment(segment: Segment) -> Iterator[BinaryIO]:
    """The segment's file, also if it has been sealed since it was listed. Raises `OSError`."""
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(segment.path.open("rb"))
            is_it = segment.sealed or first_id_in(file) == segment.first_id
        except FileNotFoundError:
            is_it = False
        if not is_it:
            sealed = sealed_path(segment.path, segment.first_id)
            file = stack.enter_context(sealed.open("rb"))
        yield file


def first_id_of(path: Path) -> int | None:
    """The id of a file's first row, which names the file for good; None where there is no row."""
    try:
        with path.open("rb") as file:
            return first_id_in(file)
    except FileNotFoundError:
        return None


def first_id_in(file: BinaryIO) -> int | None:
    """The same of a file that is open."""
    file.seek(0)
    head = file.read(_MOST_HEADS)
    if (first_id := _first_id(head)) is None and len(head) == _MOST_HEADS:
        first_id = _first_id(head + file.read(_HEAD_BYTES - _MOST_HEADS))
    return first_id


def is_foreign(file: BinaryIO, table: Table) -> bool:
    """Whether an open file without a row of ours is another program's, by its first line."""
    file.seek(0)
    line = _bare(file.readline(_HEAD_BYTES).removesuffix(b"\n"), 0)
    # A header that was cut short is ours, and what is no text is damage.
    return not codec.header(table).startswith(line) and not codec.has_control(line)


def _bare(line: bytes, start: int) -> bytes:
    """A line without what editors add when they save a file: a mark before it, `\\r` behind it."""
    return (line.removeprefix(BOM_UTF8) if start == 0 else line).removesuffix(b"\r")


def _first_id(head: bytes) -> int | None:
    lines = head.split(b"\n")
    if len(head) < _HEAD_BYTES:
        # What has no line end yet may still be taken back. A longer row names the file as well.
        lines.pop()
    for line in lines:
        if match := _ROW_START.match(line):
            return int(match[1])
    return None


def read(
    path: Path,
    table: Table,
    offset: int = 0,
    *,
    max_rows: int = 500,
    max_bytes: int = _STEP_BYTES,
    final: bool = False,
) -> Chunk:
    """Read rows from `offset` (bytes), at most `max_rows` and about `max_bytes` of them.

    A line longer than `max_bytes` is read whole. With `final` (nobody writes to the file any more)
    what stands behind the last line end is taken as a line too. Raises `OSError`.
    """
    with path.open("rb") as file:
        return read_from(file, table, offset, max_rows=max_rows, max_bytes=max_bytes, final=final)


def read_from(
    file: BinaryIO,
    table: Table,
    offset: int,
    *,
    max_rows: int = 500,
    max_bytes: int = _STEP_BYTES,
    final: bool = False,
) -> Chunk:
    """The same of a file that is open, and stays the one it is whatever happens to its name."""
    file.seek(offset)
    data, cut = file.read(max_bytes), _Cut()
    if data and b"\n" not in data:
        data, cut = _long_line(file, data, max_bytes)
    if final and (data or cut.length) and not data.endswith(b"\n") and not file.read(1):
        data += b"\n"
    chunk = Chunk(next_offset=offset)
    offset += cut.length
    if cut.length or not _take_all(table, chunk, data, max_rows):
        for start, line in _lines(data):
            if len(chunk.rows) >= max_rows:
                break
            _take(table, chunk, offset + start, line, cut)
            chunk.next_offset, cut = offset + start + len(line) + 1, _Cut()
    if final:
        chunk.next_offset = min(chunk.next_offset, os.fstat(file.fileno()).st_size)
    return chunk


@dataclass(frozen=True, slots=True)
class _Cut:
    """What was left out before the rest of a line: so many bytes, which begin with `head`."""

    length: int = 0
    head: bytes = b""


def _long_line(file: BinaryIO, piece: bytes, step: int) -> tuple[bytes, _Cut]:
    """The line that begins with this piece, and whatever comes with its end.

    No row has control characters, but a hole that a crash has left in a file consists of them, and
    may be as large as it likes. So of a line that is large already only what follows them stays.
    """
    pieces: list[bytes] = []
    size, cut = 0, _Cut()
    while piece:
        line, line_end, _ = piece.partition(b"\n")
        size += len(piece)
        if size > _STEP_BYTES and (match := _CONTROL.search(line.removesuffix(b"\r")[::-1])):
            end = len(line.removesuffix(b"\r")) - match.start()
            head = cut.head or b"".join([*pieces, line])[:_HEAD_BYTES]
            cut = _Cut(cut.length + sum(map(len, pieces)) + end, head)
            pieces, piece = [], piece[end:]
        pieces.append(piece)
        if line_end:
            break
        piece = file.read(step)
    return b"".join(pieces), cut


def _take_all(table: Table, chunk: Chunk, data: bytes, max_rows: int) -> bool:
    """Put the lines into the chunk at once; whether that could be done."""
    offset, header = chunk.next_offset, codec.header(table)
    start = end = len(header) if offset == 0 and data.startswith(header) else 0
    ends: list[int] = []
    while len(ends) < max_rows and (line_end := data.find(b"\n", end)) >= 0:
        end = line_end + 1
        ends.append(offset + end)
    rows = decode_lines(table, data[start:end])
    if rows is None:
        return False
    chunk.rows, chunk.row_ends, chunk.next_offset = rows, ends, offset + end
    return True


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Whole lines with the offset at which they start; what follows the last line end waits."""
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        yield start, data[start:end]
        start = end + 1


def _take(table: Table, chunk: Chunk, start: int, line: bytes, cut: _Cut) -> None:
    """Put one line into the chunk: a row, or damage around the rows that can be saved."""
    end = start + len(line) + 1
    line = _bare(line, start)
    reason = "control characters, which no row has; only the beginning is kept"
    if not cut.length:
        if line + b"\n" == codec.header(table):
            # Further down as well: two writers that could not have the lock may both have begun a
            # file.
            return
        try:
            chunk.rows.append(codec.decode(table, line))
            chunk.row_ends.append(end)
        except codec.BadLine as problem:
            reason = str(problem)
        else:
            return
    # A torn row has the next one glued to it, which is whole: the last start from which the rest
    # of the line is a row.
    for match in reversed(list(_ROW_START.finditer(line, 0 if cut.length else 1))):
        try:
            row = codec.decode(table, line[match.start() :])
        except codec.BadLine:
            continue
        glue = start + match.start()
        raw = cut.head or line[: match.start()]
        chunk.bad.append(BadSpan(start - cut.length, glue, f"torn: {reason}", raw))
        chunk.rows.append(row)
        chunk.row_ends.append(end)
        return
    # A header of other columns, or one that is damaged, is no row that anybody has counted.
    is_header = line.startswith(b"id,") and not _ROW_START.search(line)
    if cut.length or (line and not is_header):
        chunk.bad.append(BadSpan(start - cut.length, end, reason, cut.head or line))
