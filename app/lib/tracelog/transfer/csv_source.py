"""Rows out of CSV files: those that this logger wrote, and those that others did.

A file with exactly our header, or a piece of one without it, is read as the journal is, ids and
all, but for rows in it that a database has numbered. Those, and any other file, are read by the
header's names: dictionaries as JSON or as Python's repr, times in the zone of whoever wrote them,
what is no column into a JSON column. Such a row gets its id from its time and content, the same
each time, so that the file can be loaded again. Secrets are taken out of it. Only what we wrote
ourselves, and some other program has saved since, stays as it is.
"""

import csv
import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from app.lib.tracelog import codec, ids
from app.lib.tracelog.journal import reader
from app.lib.tracelog.journal.reader import BadSpan
from app.lib.tracelog.recorder import redact_row
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Row, Table
from app.lib.tracelog.transfer.field_order import by_header, by_value, moment, structure
from app.lib.tracelog.transfer.lines import Lines
from app.lib.tracelog.transfer.whole_file import (
    TIME,
    WrongFile,
    check_first_row,
    check_head,
    read_header,
)

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_NUMBER: Final = re.compile(rb"-?[0-9]{1,18},")
_MOST_MOMENTS: Final = 10_000
_MOST_LINE: Final = 1 << 24


class UnknownTable(Exception):
    """Neither its name nor its header tells which table a file belongs to."""


@dataclass(frozen=True, slots=True)
class GoodRow:
    """A row that begins in this line, and whether its columns had to be told by its values.

    `numbered` is the line itself where a database has numbered the row.
    """

    line: int
    row: Row
    guessed: bool = False
    numbered: bytes = b""


@dataclass(frozen=True, slots=True)
class BadRow:
    """Why what begins in this line is no row."""

    line: int
    reason: str


class CSVSource:
    """One CSV file. `zone` is that of its times where they have none; None is this machine's.

    Raises `WrongFile`, `UnknownTable`, and `OSError`.
    """

    def __init__(
        self,
        path: Path,
        redactor: Redactor,
        *,
        table: Table | None = None,
        zone: dt.tzinfo | None = None,
    ) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.position = 0
        """How many bytes of the file have been read."""
        self._redactor = redactor
        self._zone = zone
        check_head(path)
        with path.open("rb") as file:
            first_line, second_line = file.readline(_MOST_LINE), file.readline(_MOST_LINE)
        self._is_ours = [table for table in TABLES.values() if _is_of(table, first_line)]
        self._header: Sequence[str]
        if self._is_ours:
            self.table = self._is_ours[0]
            self._header = self.table.column_names
        else:
            self._header = read_header(path, first_line)
            self.table = table or _table_of(path, self._header)
            if TIME not in self._header:
                raise WrongFile(path, "header")
            check_first_row(path, self._header, second_line)
        if list(self._header) == list(self.table.column_names):
            self._zone = dt.UTC
        self._moments: dict[int, int] = {}

    def __iter__(self) -> Iterator[GoodRow | BadRow]:
        return self._own_rows() if self._is_ours else self._other_rows()

    # --- files of this logger ----------------------------------------------------------------

    def _own_rows(self) -> Iterator[GoodRow | BadRow]:
        self.position, line = 0, 1
        with self.path.open("rb") as file:
            while self.position < self.size:
                chunk = reader.read(self.path, self.table, self.position, final=True)
                if chunk.next_offset == self.position:
                    return
                found: list[tuple[int, Row | BadSpan]] = [(span.start, span) for span in chunk.bad]
                found += [
                    (end - 1, row) for row, end in zip(chunk.rows, chunk.row_ends, strict=True)
                ]
                for place, what in sorted(found, key=lambda each: each[0]):
                    line += file.read(place - self.position).count(b"\n")
                    self.position = place
                    if isinstance(what, BadSpan):
                        yield self._numbered_row(line, what.raw) or BadRow(line, what.reason)
                    else:
                        yield GoodRow(line, what)
                line += file.read(chunk.next_offset - self.position).count(b"\n")
                self.position = chunk.next_offset

    def _numbered_row(self, line: int, raw: bytes) -> GoodRow | BadRow | None:
        """A row that some database has numbered, as AUTOINCREMENT does; None where it is none."""
        if not _NUMBER.match(raw):
            return None
        try:
            texts = codec.split_fields(raw.decode())
            fields = [
                codec.unescape(text) if column.kind == "text" else text
                for column, text in zip(self.table.columns, texts, strict=True)
            ]
        except ValueError:
            return None
        found = self._other_row(line, fields)
        return replace(found, numbered=raw) if isinstance(found, GoodRow) else found

    # --- other files -------------------------------------------------------------------------

    def _other_rows(self) -> Iterator[GoodRow | BadRow]:
        self._moments.clear()
        with self.path.open("rb") as raw:
            lines = Lines(raw)
            while True:
                found = self._next_row(lines)
                self.position = lines.position
                if found is None:
                    return
                if isinstance(found, (GoodRow, BadRow)):
                    yield found

    def _next_row(self, lines: Lines) -> GoodRow | BadRow | Literal["none"] | None:
        """What begins in the next line, "none" for a header or an empty one; None at the end."""
        line = lines.number + 1
        lines.keep_from(line)
        try:
            fields = next(csv.reader(lines, strict=True))
        except StopIteration:
            return None
        except csv.Error as error:
            # The quote of a row that was cut off has no partner, and takes the rows that follow
            # for its own, and of one of them the end.
            lines.go_back_to(line + 1)
            return BadRow(line, str(error))
        # Two that began a file at once have both written a header.
        if line == 1 or not any(fields) or fields == self._header:
            return "none"
        return self._other_row(line, fields)

    def _other_row(self, line: int, fields: Sequence[str]) -> GoodRow | BadRow:
        if not "".join(fields).isprintable() and any(
            "\udc80" <= c <= "\udcff" for f in fields for c in f
        ):
            return BadRow(line, "it is no UTF-8")
        if ours := self._own_row(fields):
            return GoodRow(line, ours)
        named = by_header(self._header, fields, self.table)
        guessed = False
        if named is None and (named := by_value(fields, self.table)) is not None:
            guessed = True
        if named is None:
            if len(fields) != len(self._header):
                return BadRow(line, f"{len(fields)} fields where {len(self._header)} belong")
            named = dict(zip(self._header, fields, strict=True))
        at = moment(named.get("created_at", ""))
        if at is None:
            return BadRow(line, "created_at is no time")
        try:
            at = (at if at.tzinfo else at.replace(tzinfo=self._zone)).astimezone(dt.UTC)
            return GoodRow(line, self._make(named, at), guessed)
        except (OverflowError, ValueError):
            return BadRow(line, "created_at is out of range")

    def _own_row(self, fields: Sequence[str]) -> Row | None:
        """A row that we have written, as another program has saved it."""
        if len(fields) != len(self._header) or codec.has_breakers("".join(fields)):
            return None
        named = dict(zip(self._header, fields, strict=True))
        try:
            return codec.row_of(self.table, [named[name] for name in self.table.column_names])
        except (KeyError, codec.BadLine):
            return None

    def _make(self, named: Mapping[str, str], at: dt.datetime) -> Row:
        """Raises `OverflowError` for a time that has no id."""
        plain = {column.name for column in self.table.columns if column.kind != "json"}
        data: dict[str, object] = {}
        for name, text in named.items():
            if text:
                data[name or "?"] = text if name in plain else structure(text) or text
        own_id = _own_id(named.get("id", ""))
        if own_id is None and "id" in data:
            data["old_id"] = data["id"]
        data.pop("id", None)
        data["created_at"] = at
        clean = redact_row(self._redactor, self.table, data)
        digest = hashlib.sha256(repr(sorted(clean.items())).encode(errors="replace")).digest()
        return make_row(
            self.table,
            clean,
            row_id=own_id or self._new_id(at, digest),
            trace_id=str(uuid.UUID(bytes=digest[:16], version=4)),
            now=at.timestamp(),
        )

    def _new_id(self, at: dt.datetime, digest: bytes) -> int:
        """An id of that time: rows of one millisecond keep the order that they have here."""
        milliseconds = (at - _EPOCH) // _MILLISECOND
        if len(self._moments) > _MOST_MOMENTS:
            self._moments.clear()
        number = self._moments.get(milliseconds, 0)
        self._moments[milliseconds] = number + 1
        rounds, microseconds = divmod(number, 1000)
        microseconds += milliseconds * 1000 - ids.EPOCH_US
        node = (int.from_bytes(digest[16:18]) + rounds) % ids.NODES
        row_id = (microseconds << ids.NODE_BITS) | node
        if row_id < ids.MIN_ID:
            # Ids have 19 digits since 2022; what is older comes before all others.
            return ids.MIN_ID + int.from_bytes(digest[16:21])
        if row_id > ids.MAX_ID:
            raise OverflowError
        return row_id


def _is_of(table: Table, line: bytes) -> bool:
    """Whether a file that begins with this line is one that we have written, or a piece of it."""
    if line == codec.header(table):
        return True
    try:
        codec.decode(table, line)
    except codec.BadLine:
        return False
    return True


def _table_of(path: Path, header: Sequence[str]) -> Table:
    for table in TABLES.values():
        if path.name.startswith(table.name):
            return table
    for name, telling in ((API_LOGS, "endpoint"), (TASK_PROGRESS_LOGS, "step_name")):
        if telling in header:
            return TABLES[name]
    raise UnknownTable(path.name)


def _own_id(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) == 19:
        number = int(text)
        return number if ids.MIN_ID <= number <= ids.MAX_ID else None
    return None
