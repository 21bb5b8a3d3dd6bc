"""Rows to lines of CSV and back.

A row is one physical line with the table's columns and nothing else. NULL is an empty field. What
would break a line is escaped: inside JSON columns as JSON escapes, inside text columns with a
backslash (`\\n`, `\\r`, `\\t`, `\\\\`, `\\uXXXX`), so that `decode(encode(row)) == row`.
"""

import csv
import re
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import orjson

from app.lib.tracelog.ids import MAX_ID, MIN_ID
from app.lib.tracelog.schema import Column, Row, Table, Value

MAX_VALUE_BYTES: Final = 1_000_000
"""No single value is larger: longer text is cut, longer JSON is replaced by a note of its size."""

_LINE_BREAKERS = "\x00-\x1f\x7f\x85\u2028\u2029\ufeff"
_TEXT_ESCAPE = re.compile(f"[\\\\{_LINE_BREAKERS}]")
_TEXT_UNESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|(.))")
_JSON_BREAKER = re.compile(f"[{_LINE_BREAKERS}]")
_CONTROL: Final = bytes([*range(0x0A), *range(0x0B, 0x20), 0x7F])
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHORT_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SHORT_UNESCAPES = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}\Z")
_ID = re.compile(r"[1-9][0-9]{18}\Z")
_INT = re.compile(r"-?[0-9]{1,19}\Z")
_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1


class JsonText(str):
    """Text that is known to be JSON, so that it need not be parsed again to find out."""

    __slots__ = ()


class BadLine(ValueError):
    """A line is no row of its table; the message says why."""


def header(table: Table) -> bytes:
    """The first line of a table's CSV files."""
    return (",".join(table.column_names) + "\n").encode()


def timestamp(seconds: float) -> str:
    """Unix time as `YYYY-MM-DD HH:MM:SS.mmm` in UTC."""
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{_second(whole)}.{milliseconds:03d}"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
    # Some systems write years before 1000 with fewer digits.
    return text.rjust(19, "0")


# --- values ---------------------------------------------------------------------------------


def clean_text(text: str) -> str:
    """Text that every store takes: no lone surrogates, at most `MAX_VALUE_BYTES` of UTF-8."""
    if not text.isascii() and _SURROGATE.search(text):
        text = _SURROGATE.sub("\ufffd", text)
    if len(text) * 4 > MAX_VALUE_BYTES and len(data := text.encode()) > MAX_VALUE_BYTES:
        text = data[: MAX_VALUE_BYTES - 4].decode(errors="ignore") + "…"
    return text


def json_text(value: object) -> str:
    """JSON text on one line; a string that already holds JSON stays what it is."""
    if isinstance(value, JsonText):
        text = str(value)
    elif isinstance(value, str):
        text = _json_of_text(clean_text(value))
    else:
        try:
            text = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        except (TypeError, ValueError, RecursionError):
            # Cycles, integers past 64 bit and lone surrogates end here.
            text = orjson.dumps(clean_text(_shown(value))).decode()
    # What orjson writes has no control characters, so only others are left to look for.
    if not text.isascii() or "\x7f" in text:
        text = _JSON_BREAKER.sub(_escape_json_breaker, text)
    if len(text) * 4 > MAX_VALUE_BYTES and (size := len(text.encode())) > MAX_VALUE_BYTES:
        text = f'{{":cut":{size}}}'
    return text


def _shown(value: object) -> str:
    try:
        return repr(value)
    # It may be foreign code, and Python writes no integer of more than 4,300 digits.
    except Exception:  # noqa: BLE001
        return type(value).__name__


def one_line(text: bytes) -> bytes:
    """JSON in which nothing stands unescaped that some reader takes for the end of a line.

    `text` is as orjson writes it.
    """
    if text.isascii() and b"\x7f" not in text:
        return text
    return _JSON_BREAKER.sub(_escape_json_breaker, text.decode()).encode()


def _json_of_text(text: str) -> str:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return orjson.dumps(text).decode()
    return _JSON_BREAKER.sub(_escape_json_breaker, text)


def parse_json(text: str) -> object:
    """The value of JSON text; None where it is no JSON (or says `null`)."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _escape_json_breaker(match: re.Match[str]) -> str:
    char = match[0]
    # Valid JSON has raw line breaks and tabs between its tokens only, where a space says the same.
    return " " if char in "\n\r\t" else f"\\u{ord(char):04x}"


# --- lines -----------------------------------------------------------------------------------


def _escape_text(match: re.Match[str]) -> str:
    char = match[0]
    return _SHORT_ESCAPES.get(char) or f"\\u{ord(char):04x}"


def _unescape_text(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    if (char := _SHORT_UNESCAPES.get(match[2])) is None:
        raise BadLine(f"unknown escape \\{match[2]}")
    return char


def encode(table: Table, row: Row) -> bytes:
    """One line, with its line end."""
    fields = []
    for column, value in zip(table.columns, row, strict=True):
        if value is None:
            fields.append("")
        elif isinstance(value, int):
            fields.append(str(value))
        else:
            fields.append(text_field(value) if column.kind == "text" else _quoted(value))
    return (",".join(fields) + "\n").encode()


def has_control(data: bytes) -> bool:
    """Whether there are control characters, line ends apart: no row has any, but damage may."""
    return len(data.translate(None, _CONTROL)) != len(data)


def has_breakers(text: str) -> bool:
    """Whether there are characters that stand in no line that we write, but for its end."""
    return _JSON_BREAKER.search(text) is not None


def text_field(text: str) -> str:
    """A value of a text column as it stands in a line."""
    if "\\" in text or not text.isprintable():
        text = _TEXT_ESCAPE.sub(_escape_text, text)
    return _quoted(text)


def _quoted(field: str) -> str:
    if '"' in field:
        return '"' + field.replace('"', '""') + '"'
    return f'"{field}"' if "," in field else field


def decode(table: Table, line: bytes) -> Row:
    """The row of a line (with or without its line end). Raises `BadLine`."""
    if has_control(line):
        raise BadLine("control characters, which no row has")
    try:
        text = line.decode().removesuffix("\n")
    except UnicodeDecodeError as error:
        raise BadLine(f"no UTF-8 at byte {error.start}") from None
    return row_of(table, split_fields(text))


def row_of(table: Table, fields: Sequence[str]) -> Row:
    """The row of a line's fields. Raises `BadLine`."""
    if len(fields) != len(table.columns):
        raise BadLine(f"{len(fields)} fields where {len(table.columns)} belong")
    return tuple(
        _PARSERS[column.kind](column, field)
        for column, field in zip(table.columns, fields, strict=True)
    )


def unescape(text: str) -> str:
    """The text that stands escaped in a text column. Raises `BadLine`."""
    return _TEXT_UNESCAPE.sub(_unescape_text, text) if "\\" in text else text


def split_fields(text: str) -> list[str]:
    """The fields of one line of CSV. Raises `BadLine` for quotes that do not match."""
    if '"' not in text:
        return text.split(",")
    try:
        # A lone quote must not swallow the next line, and 131,072 bytes are too few for a field.
        rows = list(csv.reader([text], strict=True))
    except csv.Error as error:
        raise BadLine(str(error)) from None
    return rows[0] if rows else []


def _parse_id(_: Column, field: str) -> int:
    if not _ID.match(field) or not MIN_ID <= (number := int(field)) <= MAX_ID:
        raise BadLine("the id is no id")
    return number


def _parse_text(column: Column, field: str) -> Value:
    if not field:
        if column.required:
            raise BadLine(f"{column.name} is empty")
        return None
    return unescape(field)


def _parse_json(column: Column, field: str) -> Value:
    if not field:
        return None
    try:
        orjson.loads(field)
    except orjson.JSONDecodeError:
        raise BadLine(f"{column.name} is no JSON") from None
    return field


def _parse_int(column: Column, field: str) -> Value:
    if not field:
        return None
    if not _INT.match(field) or not _MIN_INT <= (number := int(field)) <= _MAX_INT:
        raise BadLine(f"{column.name} is no integer")
    return number


def _parse_time(_: Column, field: str) -> Value:
    if not _TIME.match(field):
        raise BadLine("created_at is no time")
    return field


_PARSERS: Final[dict[str, Callable[[Column, str], Value]]] = {
    "id": _parse_id,
    "text": _parse_text,
    "json": _parse_json,
    "int": _parse_int,
    "time": _parse_time,
}

csv.field_size_limit(max(csv.field_size_limit(), 64 * MAX_VALUE_BYTES))
