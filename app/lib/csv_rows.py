"""Rows of CSV files in the encodings that people have here."""

import csv
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final, TextIO

from app.lib.table_problems import Row, TableProblem

_MOST_CHARACTERS: Final = 1_000_000
"""Of a row. Without an end to it, a file in one line would be read into memory."""

_MOST_EMPTY_ROWS: Final = 1_048_576
"""What a spreadsheet has below a table, at most. Lines without content could go on for hours."""

_DELIMITERS: Final = (",", "\t", ";")
# Bytes that CP932 has no character for and that Python gives one nevertheless.
_NO_CHARACTERS: Final = re.compile("[\x80\uf8f0-\uf8f3]")
_CHUNK: Final = 1 << 20
_LOOKED_AT: Final = 8192


def find_encoding(path: Path) -> str:
    """The encoding in which all of a file is text. Raises `TableProblem`."""
    with path.open("rb") as file:
        beginning = file.read(_LOOKED_AT)
    if beginning.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif beginning.startswith(BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif b"\0" in beginning:
        raise TableProblem("not_a_table")
    else:
        # What is UTF-8 from end to end is nothing else; bytes of UTF-8 may pass for CP932.
        candidates = ["utf-8", "cp932"]
    for encoding in candidates:
        if _is_text(path, encoding):
            return encoding
    raise TableProblem("encoding")


def find_delimiter(path: Path, encoding: str) -> str:
    """What separates the cells of the first line."""
    with path.open(encoding=encoding, newline="") as file:
        line = file.readline(_LOOKED_AT)
    return max(_DELIMITERS, key=line.count)


def csv_rows(path: Path, encoding: str, delimiter: str, most_columns: int) -> Generator[Row]:
    """All rows that have any content. Raises `TableProblem`."""
    with path.open(encoding=encoding, newline="", buffering=_CHUNK) as file:
        yield from _rows(_Lines(file), delimiter, most_columns)


def _rows(lines: "_Lines", delimiter: str, most_columns: int) -> Iterator[Row]:
    # A quote that stands wrong makes rows of cells, and cells of rows: then nothing is sure.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = empty = 0
    while True:
        lines.characters = 0
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # How long a cell may be is a setting of the whole process.
            code = "row_too_long" if "field limit" in str(error) else "quotes"
            raise TableProblem(code, row=number + 1) from None
        except UnicodeError:
            raise TableProblem("encoding") from None
        except RowTooLong:
            raise TableProblem("row_too_long", row=number + 1) from None
        if cells is None:
            return
        number += 1
        if len(cells) > most_columns:
            raise TableProblem("too_many_columns", row=number, limit=most_columns)
        if any(cells):
            yield number, cells
        elif (empty := empty + 1) > _MOST_EMPTY_ROWS:
            raise TableProblem("too_many_rows", limit=_MOST_EMPTY_ROWS)


class RowTooLong(Exception):
    """A row has no end in sight."""


class _Lines(Iterator[str]):
    """The lines of a file, as they end there. The reader sets `characters` to 0 at each row."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.characters = 0

    def __next__(self) -> str:
        line = self._file.readline(_MOST_CHARACTERS + 1)
        if not line:
            raise StopIteration
        self.characters += len(line)
        if self.characters > _MOST_CHARACTERS:
            raise RowTooLong
        return line


def _is_text(path: Path, encoding: str) -> bool:
    decoder = getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                text = decoder.decode(chunk)
                if encoding == "cp932" and _NO_CHARACTERS.search(text):
                    return False
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True
