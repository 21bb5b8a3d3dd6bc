"""Rows that are items, as lines for the commit. Most need no more than a look to be told as such.

What is looked at is enough, and not all that there is: any other row is read by `ItemRows`, which
says what an item is. So a status or a date is known once a row with it has been read.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import orjson

from app.models.item import DESCRIPTION_LENGTH, TITLE_LENGTH
from app.schemas.item import ItemIn
from app.services.imports.item_rows import ItemRows, Problem

_MOST_KNOWN: Final = 10_000
_WIDE_SPACE: Final = "\u3000"

Known = dict[str, str | None]
"""What a cell says, as it is written in a line."""


class GoodLines:
    """The lines of one file."""

    def __init__(self, rows: ItemRows) -> None:
        self._rows = rows
        self._title = rows.columns["title"]
        self._description = rows.columns.get("description")
        self._status = rows.columns.get("status")
        self._due_on = rows.columns.get("due_on")
        self._statuses: Known = {}
        self._days: Known = {}

    def read(self, cells: Sequence[str]) -> bytes | list[Problem]:
        """The line of a row, or what is wrong with it."""
        return self._plain_line(cells) or self._line(cells)

    def _plain_line(self, cells: Sequence[str]) -> bytes | None:
        """That of a row of which a look tells that it is an item."""
        if len(cells) != self._rows.width:
            return None
        title = " ".join(cells[self._title].split())
        description = _cell(cells, self._description)
        status = _cell(cells, self._status)
        due_on = _cell(cells, self._due_on)
        if (
            status in self._statuses
            and due_on in self._days
            and 0 < len(title) <= TITLE_LENGTH
            and title.isprintable()
            and len(description) <= DESCRIPTION_LENGTH
            and _is_plain(description)
            # Such a one may guard against formulas.
            and not cells[self._title].startswith("'")
            and not description.startswith("'")
        ):
            return line_of(title, description, self._statuses[status], self._days[due_on])
        return None

    def _line(self, cells: Sequence[str]) -> bytes | list[Problem]:
        found = self._rows.read(cells)
        if not isinstance(found, ItemIn):
            return found
        due_on = found.due_on.isoformat() if found.due_on else None
        if len(cells) == self._rows.width:
            for known, at, value in (
                (self._statuses, self._status, found.status),
                (self._days, self._due_on, due_on),
            ):
                if len(known) < _MOST_KNOWN:
                    known[_cell(cells, at)] = value
        return line_of(found.title, found.description, found.status, due_on)


def line_of(title: str, description: str, status: str | None, due_on: str | None) -> bytes:
    """An item as the commit reads it, with what tells the lines of files apart.

    That is 64 bits of a hash of all that they say of an item.
    """
    said = orjson.dumps([title, description, status, due_on])
    key = int.from_bytes(blake2b(said, digest_size=8).digest(), signed=True)
    return b"%b,%d]\n" % (said[:-1], key)


def _cell(cells: Sequence[str], at: int | None) -> str:
    return "" if at is None else cells[at]


def _is_plain(text: str) -> bool:
    """Whether nothing is in it but what can be seen, spaces, and ends of lines."""
    return text.isprintable() or text.replace("\n", "").replace(_WIDE_SPACE, "").isprintable()
