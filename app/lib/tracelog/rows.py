"""Rows out of dictionaries: every value becomes one of a type that its column takes."""

import datetime as dt
import math
from collections.abc import Callable, Mapping
from typing import Final

import orjson

from app.lib.tracelog.codec import clean_text, json_text, timestamp
from app.lib.tracelog.redaction.plain import plain
from app.lib.tracelog.schema import (
    API_LOGS,
    STATUSES,
    TABLES,
    TASK_PROGRESS_LOGS,
    Row,
    Table,
    Value,
)

_FIRST_SECOND, _END_SECOND = -62_135_596_800, 253_402_300_800
_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1


def make_row(
    table: Table, data: Mapping[str, object], *, row_id: int, trace_id: str, now: float
) -> Row:
    """A row out of a dictionary, with every value of a type that its column takes.

    Nothing is refused: what a column cannot hold, and keys that are no column, go into a JSON
    column under `":extra"`. `trace_id` and `now` (Unix seconds) stand in where `data` has none.
    """
    extra: dict[str, object] = {}
    values: list[Value] = []
    known = 0
    for column in table.columns:
        name, kind = column.name, column.kind
        value = data.get(name)
        if value is None:
            known += name in data
            converted: Value = time_text(None, now) if kind == "time" else None
        else:
            known += 1
            converted = _CONVERT[kind](value, now)
            if converted is None and value != "":
                extra[name] = plain(value)
        values.append(converted)
    values[0] = row_id
    values[1] = values[1] or trace_id
    if known < len(data):
        extra |= {str(k): v for k, v in data.items() if k not in table.column_names}
    if table.name == API_LOGS:
        json_index = _REQUEST_HEADER
    else:
        json_index = _OUTPUT_DATA
        status = str(values[_STATUS] or "IN_PROGRESS").upper()
        if status not in STATUSES:
            extra["status"] = values[_STATUS]
            status = "IN_PROGRESS"
        values[_STATUS] = status
        values[_EXECUTION_ORDER] = values[_EXECUTION_ORDER] or 0
    if extra:
        values[json_index] = _with_extra(values[json_index], extra)
    for index in _REQUIRED[table.name]:
        values[index] = values[index] or "-"
    return tuple(values)


def _with_extra(current: Value, extra: Mapping[str, object]) -> str:
    held = orjson.loads(current) if isinstance(current, str) else {}
    if not isinstance(held, dict):
        held = {":value": held}
    return json_text({**held, ":extra": extra})


# --- values by the kinds of columns ------------------------------------------------------------


def _to_text(value: object, now: float) -> Value:
    return clean_text(value if isinstance(value, str) else str(value)) or None


def _to_json(value: object, now: float) -> Value:
    return None if value == "" else json_text(value)


def _to_int(value: object, now: float) -> Value:
    return value if type(value) is int and -(2**53) < value < 2**53 else _int_or_none(value)


def _to_nothing(value: object, now: float) -> Value:
    """An id is made here and never taken from outside."""
    return 0


def time_text(value: object, now: float) -> str:
    """A time as the tables hold it, from text, a datetime or Unix seconds; else `now`."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            # NaN is in no range.
            return timestamp(value) if _FIRST_SECOND <= value < _END_SECOND else timestamp(now)
        if isinstance(value, str):
            value = dt.datetime.fromisoformat(value)
        if isinstance(value, dt.datetime):
            if value.tzinfo is not None:
                value = value.astimezone(dt.UTC).replace(tzinfo=None)
            return value.isoformat(" ", "milliseconds")
    except (ValueError, OverflowError):
        # No time, or one that in UTC is before the year 1 or after 9999.
        return timestamp(now)
    return timestamp(now)


def _int_or_none(value: object) -> int | None:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (int, float, str)):
        try:
            number = int(value)
        except ValueError:
            return None
        return number if _MIN_INT <= number <= _MAX_INT else None
    return None


_CONVERT: Final[dict[str, Callable[[object, float], Value]]] = {
    "id": _to_nothing,
    "text": _to_text,
    "json": _to_json,
    "int": _to_int,
    "time": time_text,
}
_REQUIRED: Final = {
    table.name: [i for i, column in enumerate(table.columns) if column.required]
    for table in TABLES.values()
}
_REQUEST_HEADER: Final = TABLES[API_LOGS].column_names.index("request_header")
_TASK_NAMES: Final = TABLES[TASK_PROGRESS_LOGS].column_names
_OUTPUT_DATA: Final = _TASK_NAMES.index("output_data")
_STATUS: Final = _TASK_NAMES.index("status")
_EXECUTION_ORDER: Final = _TASK_NAMES.index("execution_order")
