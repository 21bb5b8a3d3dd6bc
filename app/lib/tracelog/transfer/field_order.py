"""Finds out which field of a CSV line belongs to which column, where the header does not tell.

A logger that writes each dictionary with its own keys under the header of the first one leaves
lines with other columns than the header's. As long as they are in the order of the table's columns,
the values tell which ones they are.
"""

import ast
import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

import orjson

from app.lib.tracelog.schema import STATUSES, Table

_METHOD: Final = re.compile(r"[A-Z]{3,10}")
_INTEGER: Final = re.compile(r"-?\d{1,18}")
_STATUS_CODE: Final = re.compile(r"[1-5]\d\d")
_MOST_LITERAL: Final = 1_000_000


def by_header(header: Sequence[str], fields: Sequence[str], table: Table) -> dict[str, str] | None:
    """The fields by the header's names; None where their number or their values do not fit.

    JSON columns take any text, but of a FAILED step text is taken for its error.
    """
    if len(header) != len(fields):
        return None
    named = dict(zip(header, fields, strict=True))
    has_failed = named.get("status") == "FAILED"
    for column in table.columns:
        text = named.get(column.name)
        is_free = not text or (column.kind == "json" and not has_failed)
        if not is_free and _fitness(column.name, text or "") is None:
            return None
    return named


def by_value(fields: Sequence[str], table: Table) -> dict[str, str] | None:
    """The fields by the columns that they fit best, in the table's order; None where some fit none.

    Of columns that fit equally well the first is taken.
    """
    names = [column.name for column in table.columns[1:]]
    required = {column.name for column in table.columns[1:] if column.required}

    @cache
    def best(field: int, column: int) -> tuple[int, tuple[str, ...]] | None:
        if field == len(fields):
            rest = names[column:]
            return None if required.intersection(rest) else (0, ())
        if len(fields) - field > len(names) - column:
            return None
        name, taken, skipped = names[column], None, None
        fitness = 0 if not fields[field] else _fitness(name, fields[field])
        if fitness is not None and (fields[field] or name not in required):
            taken = best(field + 1, column + 1)
        if name not in required:
            skipped = best(field, column + 1)
        if taken is not None and fitness is not None:
            taken = taken[0] + fitness, (name, *taken[1])
            if skipped is None or taken[0] >= skipped[0]:
                return taken
        return skipped

    found = best(0, 0)
    return None if found is None else dict(zip(found[1], fields, strict=True))


def structure(text: str) -> dict[object, object] | list[object] | None:
    """The dictionary or list that text holds as JSON or as Python's repr; None for any other."""
    if text[:1] not in {"{", "["} or len(text) > _MOST_LITERAL:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            value = ast.literal_eval(text)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
    return value if isinstance(value, (dict, list)) else None


def moment(text: str) -> dt.datetime | None:
    """A time in ISO 8601, with or without its zone."""
    try:
        return dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _fitness(name: str, text: str) -> int | None:
    """How well a value fits a column, from 0; None where it does not."""
    test = _TESTS.get(name)
    return 0 if test is None else test(text)


def _matches(pattern: re.Pattern[str], points: int) -> Callable[[str], int | None]:
    return lambda text: points if pattern.fullmatch(text) else None


def _is_json(text: str) -> int | None:
    return None if structure(text) is None else 2


def _is_address(text: str) -> int | None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return None
    return 2


_TESTS: Final[Mapping[str, Callable[[str], int | None]]] = {
    "method": _matches(_METHOD, 3),
    "endpoint": lambda text: 2 if text.startswith("/") else None,
    "request_header": _is_json,
    "request_body": _is_json,
    "response_status": _matches(_STATUS_CODE, 2),
    "response_body": _is_json,
    "duration_ms": _matches(_INTEGER, 1),
    "ip_address": _is_address,
    "user_id": _matches(_INTEGER, 1),
    "status": lambda text: 3 if text in STATUSES else None,
    "input_data": _is_json,
    "output_data": _is_json,
    "stack_trace": lambda text: 2 if "Traceback" in text else 0,
    "execution_order": _matches(_INTEGER, 1),
    "created_at": lambda text: 3 if moment(text) else None,
}
