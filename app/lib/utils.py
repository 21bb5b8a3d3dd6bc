"""Small tools that any part of the app may use."""

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def utc_now() -> datetime:
    """Now, in UTC, with microseconds."""
    return datetime.now(UTC)


def moment_of(micros: int) -> datetime:
    """The moment so many microseconds after the beginning of Unix time, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def micros_of(moment: datetime) -> int:
    """What `moment_of` takes."""
    return (moment - _EPOCH) // _MICROSECOND


def half_width(text: str) -> str:
    """Numbers and codes as programs write them, where a Japanese keyboard has made them wide."""
    return unicodedata.normalize("NFKC", text)
