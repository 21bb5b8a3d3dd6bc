"""Tables that somebody sends: the rows of CSV and `.xlsx` files, as text.

Nothing here believes what a file says of itself, and nothing holds more of it than some rows.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from app.lib.csv_rows import csv_rows, find_delimiter, find_encoding
from app.lib.table_problems import Row, TableLimits, TableProblem
from app.lib.xlsx_archive import Look
from app.lib.xlsx_rows import xlsx_rows

SourceKind = Literal["csv", "xlsx"]


@dataclass(frozen=True, slots=True)
class TableShape:
    """How a file is to be read. Encoding and delimiter are for CSV."""

    kind: SourceKind
    encoding: str = "utf-8"
    delimiter: str = ","


_ZIP: Final = b"PK\x03\x04"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def inspect(path: Path) -> TableShape:
    """Find out how a file is to be read, from its content alone: all of it, as far as it is text.

    Raises `TableProblem`.
    """
    with path.open("rb") as file:
        beginning = file.read(8)
    if not beginning:
        raise TableProblem("empty")
    if beginning.startswith(_ZIP):
        return TableShape("xlsx")
    if beginning == _OLD_EXCEL:
        raise TableProblem("old_excel")
    encoding = find_encoding(path)
    return TableShape("csv", encoding, find_delimiter(path, encoding))


def _nobody_looks() -> None:
    pass


@contextmanager
def open_rows(
    path: Path, shape: TableShape, limits: TableLimits, look: Look = _nobody_looks
) -> Iterator[Iterator[Row]]:
    """All rows that have any content. Raises `TableProblem`, also in the middle.

    A workbook may be long without having any: `look` is called meanwhile, and ends it by raising.
    """
    rows = (
        xlsx_rows(path, limits, look)
        if shape.kind == "xlsx"
        else csv_rows(path, shape.encoding, shape.delimiter, limits.columns)
    )
    with closing(rows):
        yield _limited(rows, limits)


def _limited(rows: Iterator[Row], limits: TableLimits) -> Iterator[Row]:
    for count, row in enumerate(rows):
        if count > limits.rows:  # one more for the names of columns
            raise TableProblem("too_many_rows", limit=limits.rows)
        yield row
