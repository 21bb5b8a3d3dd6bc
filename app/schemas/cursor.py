"""Cursors: a place in a sorted list, in a form that a URL can carry."""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, Literal, Self

import orjson

from app.models.item import STATUSES, TITLE_LENGTH, Status

Sort = Literal["created", "updated", "title", "status", "due"]
Direction = Literal["asc", "desc"]
Key = datetime | date | str | None

NO_DUE_DATE: Final = date(9999, 12, 31)
"""Where items without a due date stand: behind all others."""

_MAX_LENGTH: Final = 2000
_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]+")


class InvalidCursor(ValueError):
    """It was cut short, tampered with, or belongs to a list that is sorted in another way."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of an item: its key in the sort, then its id.

    The key's type follows the sort: none for `created` (ids are given in that order), a datetime
    for `updated`, text for `title`, a status for `status`, a date for `due`.
    """

    sort: Sort
    direction: Direction
    key: Key
    item_id: int

    def encode(self) -> str:
        """Characters that need no escaping in a URL."""
        key = self.key.isoformat() if isinstance(self.key, date) else self.key
        raw = orjson.dumps([self.sort, self.direction, key, self.item_id])
        return urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, sort: Sort, direction: Direction) -> Self:
        """Read `text`, which must belong to `sort` and `direction`. Raises `InvalidCursor`."""
        if len(text) > _MAX_LENGTH or not _ALPHABET.fullmatch(text):
            raise InvalidCursor("not a cursor")
        try:
            values = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (binascii.Error, orjson.JSONDecodeError):
            raise InvalidCursor("not a cursor") from None
        match values:
            case [str(a), str(b), key, int(item_id)] if (a, b) == (sort, direction):
                pass
            case _:
                raise InvalidCursor("a cursor of another list")
        if isinstance(item_id, bool) or not 0 <= item_id < 1 << 62:
            raise InvalidCursor("not an id")
        return cls(sort, direction, _parse_key(sort, key), item_id)


def _parse_key(sort: Sort, key: object) -> Key:
    try:
        match sort, key:
            case "created", None:
                return None
            case "updated", str():
                moment = datetime.fromisoformat(key)
                if moment.utcoffset() is not None:
                    return moment.astimezone(UTC)
            case "title", str() if len(key) <= TITLE_LENGTH and "\0" not in key:
                return key
            case "status", str() if key in STATUSES:
                return key
            case "due", str():
                return date.fromisoformat(key)
            case _:
                pass
    except (ValueError, OverflowError):
        pass
    raise InvalidCursor("not a key of this sort")


def status_key(cursor: Cursor) -> Status:
    """The key of a cursor that is sorted by status."""
    return next(status for status in STATUSES if status == cursor.key)
