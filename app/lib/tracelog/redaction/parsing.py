"""JSON as plain data, with what orjson alone refuses or would round."""

import json
from typing import Final

import orjson

from app.lib.tracelog.redaction.plain import Plain, plain

_DIGITS: Final = bytes(ord("0") if 0x30 <= byte <= 0x39 else ord(" ") for byte in range(256))
_MORE_THAN_64_BITS: Final = b"0" * 20


def loads(text: bytes) -> Plain:
    """As `orjson.loads`, but integers of more than 64 bits are text that has all their digits.

    Raises `orjson.JSONDecodeError`.
    """
    parsed: Plain = orjson.loads(text)
    if _MORE_THAN_64_BITS in text.translate(_DIGITS):
        try:
            return plain(json.loads(text))
        except (ValueError, RecursionError):  # thousands of digits, or of brackets
            return parsed
    return parsed


def parse(text: bytes) -> Plain:
    """The same, also of what orjson refuses: NaN, a byte order mark, lone surrogates.

    Raises `ValueError` or `RecursionError`.
    """
    try:
        return loads(text)
    except orjson.JSONDecodeError:
        return plain(json.loads(text))
