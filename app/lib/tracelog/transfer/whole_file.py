"""What is wrong with a file as a whole, told once and before any of its rows is taken."""

import csv
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

Fault = Literal["pipe", "empty", "packed", "encoding", "separator", "header", "twice", "rounded"]
"""`pipe`: what comes out of it can be read only once. `packed`: also a workbook. `separator`: its
fields are not separated by commas. `header`: it names no column `created_at`, so no row has a time.
`twice`: two columns have the same name. `rounded`: a spreadsheet has written ids as `1.53E+18`.
"""

TIME: Final = "created_at"

_HEAD_BYTES: Final = 64 * 1024
_PACKED: Final = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_ROUNDED: Final = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?18", re.IGNORECASE)
_SEPARATORS: Final = (";", "\t", "|")


class WrongFile(Exception):
    """None of the file can be imported. `what` is the separator or the column at fault."""

    def __init__(self, path: Path, fault: Fault, what: str = "") -> None:
        super().__init__(f"{path}: {fault} {what}")
        self.path = path
        self.fault: Fault = fault
        self.what = what


def check_head(path: Path) -> None:
    """Raise `WrongFile` for what is no text in UTF-8, by its beginning; or `OSError`."""
    if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
        raise WrongFile(path, "pipe")
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise WrongFile(path, "empty")
    if head.startswith(_PACKED):
        raise WrongFile(path, "packed")
    # Names of columns have NULs in UTF-16 and UTF-32.
    if b"\0" in head.partition(b"\n")[0] or _is_other_text(head):
        raise WrongFile(path, "encoding")


def read_header(path: Path, first_line: bytes) -> list[str]:
    """The names of the columns. Raises `WrongFile`."""
    text = first_line.decode("utf-8-sig", errors="replace")
    names = _names(text, ",")
    for separator in _SEPARATORS:
        # A single column has none.
        if TIME not in names and TIME in _names(text, separator):
            raise WrongFile(path, "separator", separator)
    for name in names:
        if name and names.count(name) > 1:
            raise WrongFile(path, "twice", name)
    return names


def check_first_row(path: Path, header: Sequence[str], line: bytes) -> None:
    """Raise `WrongFile` where ids cannot be read any more: all rows would seem to be new."""
    fields = _names(line.decode(errors="replace"), ",")
    if (
        "id" in header
        and len(fields) == len(header)
        and _ROUNDED.fullmatch(fields[header.index("id")])
    ):
        raise WrongFile(path, "rounded")


def _names(text: str, separator: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([text], delimiter=separator), [])]
    except csv.Error:
        return []


def _is_other_text(head: bytes) -> bool:
    """Whether it is in another encoding: none of several lines that are no ASCII is UTF-8."""
    if not head.decode(errors="ignore").isascii():
        return False
    return sum(not line.isascii() for line in head.split(b"\n")) > 1
