"""Rows as a file for others: CSV, CSV for Excel, JSON lines, and workbooks of Excel.

Nothing here holds more than the rows that it is given at a time.
"""

import csv
import io
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self, TypeGuard, get_args

import orjson

from app.lib.formula_guard import guarded

Text = Literal["csv", "excel", "jsonl"]
"""Files of text. `excel` is CSV that Excel reads as Japanese."""

Kind = Text | Literal["xlsx"]

TYPES: Final[Mapping[Kind, str]] = {
    "csv": "text/csv; charset=utf-8",
    "excel": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""What each kind is to browsers."""

Value = str | int | date | datetime | None
Record = Mapping[str, Value]

_BOM: Final = b"\xef\xbb\xbf"
_SHEET_ROWS: Final = 1_048_576
_WIDTHS: Final[Mapping[type, int]] = {date: 12, datetime: 20}


def is_text(kind: str) -> TypeGuard[Text]:
    """Whether there is such a kind of file of text."""
    return kind in get_args(Text)


def file_name(subject: str, kind: Kind, now: datetime) -> str:
    """A name for a download, such as `items-20261105-123456.csv`."""
    return f"{subject}-{now:%Y%m%d-%H%M%S}.{'csv' if kind == 'excel' else kind}"


class TextTable:
    """Makes the bytes of a text file: `head` first, then `body` of some rows at a time.

    Moments are in UTC. In CSV, text that a spreadsheet would take for a formula has an apostrophe
    before it, for Excel also a number that it would round: see `app.lib.formula_guard`.
    """

    def __init__(self, kind: Text, columns: Sequence[str], *, exact: bool = False) -> None:
        """`exact`: `csv` has each value as it is, for readers that are no spreadsheets."""
        self._kind = kind
        self._columns = columns
        self._exact = exact and kind == "csv"

    def head(self) -> bytes:
        """The names of the columns, where the kind has such a line."""
        if self._kind == "jsonl":
            return b""
        return (_BOM if self._kind == "excel" else b"") + _csv([self._columns])

    def body(self, records: Iterable[Record]) -> bytes:
        if self._kind == "jsonl":
            return b"".join(
                orjson.dumps({name: _in_utc(record[name]) for name in self._columns}, option=_JSON)
                for record in records
            )
        return _csv([[self._cell(record[name]) for name in self._columns] for record in records])

    def _cell(self, value: Value) -> str | int | None:
        if isinstance(value, str):
            return value if self._exact else guarded(value, numbers=self._kind == "excel")
        if isinstance(value, datetime):
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        return value.isoformat() if isinstance(value, date) else value


class TextFile(TextTable):
    """Writes a text file row by row. Raises `OSError`."""

    def __init__(self, path: Path, kind: Text, columns: Sequence[str]) -> None:
        super().__init__(kind, columns)
        self._file = path.open("wb")
        self._file.write(self.head())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, records: Iterable[Record]) -> None:
        self._file.write(self.body(records))


class Workbook:
    """Writes an `.xlsx` file row by row. What is not fit for one sheet goes on in a next one.

    All text is text, whatever it looks like: nothing becomes a formula, a link or a number.
    Moments are in UTC. The file is there after `with`, unless that ends by an exception. Raises
    `OSError`.
    """

    def __init__(self, path: Path, columns: Mapping[str, type]) -> None:
        """`columns`: their names, each with the type of its values."""
        self._columns = columns
        # Its name is known, so that what a killed process has left goes with the next attempt.
        self._scratch = path.with_name(f"{path.name}.scratch")
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir()
        import xlsxwriter  # only now: few processes write one

        self._book = xlsxwriter.Workbook(
            path,
            {
                "constant_memory": True,
                "tmpdir": str(self._scratch),
                "default_date_format": _DAY,
            },
        )
        self._book.use_zip64()
        self._moment = self._book.add_format({"num_format": _MOMENT})
        self._bold = self._book.add_format({"bold": True})
        self._add_sheet()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._close()
        finally:
            self._let_go()
            shutil.rmtree(self._scratch, ignore_errors=True)

    def add(self, records: Iterable[Record]) -> None:
        for record in records:
            if self._row == _SHEET_ROWS:
                self._add_sheet()
            for column, name in enumerate(self._columns):
                self._write(self._row, column, record[name])
            self._row += 1

    def _write(self, row: int, column: int, value: Value) -> None:
        match value:
            case None:
                pass
            case str():
                self._sheet.write_string(row, column, value)
            case int():
                self._sheet.write_number(row, column, value)
            case datetime():
                in_utc = value.astimezone(UTC).replace(tzinfo=None)
                self._sheet.write_datetime(row, column, in_utc, self._moment)
            case date():
                # As a moment, which its types want, 1900-01-01 would be a time without a day.
                self._sheet.write_datetime(row, column, value)  # type: ignore[call-overload]

    def _add_sheet(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        for column, (name, kind) in enumerate(self._columns.items()):
            self._sheet.set_column(column, column, _WIDTHS.get(kind))
            self._sheet.write_string(0, column, name, self._bold)
        self._row = 1

    def _let_go(self) -> None:
        """Close what the library leaves open of a book that is given up."""
        for sheet in self._book.worksheets():
            with suppress(OSError):
                sheet._opt_close()

    def _close(self) -> None:
        from xlsxwriter.exceptions import XlsxFileError

        try:
            self._book.close()
        except XlsxFileError as error:
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def open_table(kind: Kind, path: Path, columns: Mapping[str, type]) -> TextFile | Workbook:
    """A file of any kind, to be written row by row."""
    if kind == "xlsx":
        return Workbook(path, columns)
    return TextFile(path, kind, list(columns))


_DAY: Final = "yyyy-mm-dd"
_MOMENT: Final = "yyyy-mm-dd hh:mm:ss"
_JSON: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z


def _in_utc(value: Value) -> Value:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _csv(rows: Iterable[Sequence[object]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()
