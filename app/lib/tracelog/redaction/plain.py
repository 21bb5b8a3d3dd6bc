"""Any Python object as plain data: what JSON can hold, bounded, and never with an exception.

Fields that an object itself keeps out of its `repr` come as the marker: whoever wrote the class
has said that they are not to be shown.
"""

import dataclasses
import datetime as dt
import math
from collections import deque
from collections.abc import Iterable, Mapping, Set
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import PurePath
from typing import Final, TypeAlias, Union
from uuid import UUID

MARKER: Final = "[redacted]"
"""Stands where a secret was, and says nothing about it."""

CUT_KEY: Final = ":cut"
"""Says that something was left out, and with a number how large the whole was."""

MAX_DEPTH: Final = 40
MAX_COST: Final = 100_000
"""A value costs 1 and each 16 characters of text 1 more; what exceeds the sum is left out."""

Plain: TypeAlias = Union[bool, int, float, str, "list[Plain]", "dict[str, Plain]", None]

_AS_TEXT: Final = (
    UUID,
    Decimal,
    Fraction,
    PurePath,
    IPv4Address,
    IPv6Address,
    IPv4Network,
    IPv6Network,
)
_TIMES: Final = (dt.date, dt.time)
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1


def plain(value: object) -> Plain:
    """Plain data that is the caller's own: nothing in it is shared with `value`.

    Dataclasses, Pydantic and attrs models and named tuples become objects, dates ISO text,
    enumerations their values, sets lists, bytes `{":type", ":size"}`, and what cannot be shown
    (an iterator, a connection, a cycle) the name of its type.
    """
    return _Conversion().convert(value, 0)


def clean(text: str) -> str:
    """Text that can be encoded: lone surrogates become visible escapes."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace").decode()
    return text


class _Conversion:
    """One conversion: what it has cost so far and which containers it stands in."""

    def __init__(self) -> None:
        self._left = MAX_COST
        self._open: set[int] = set()

    def convert(self, value: object, depth: int) -> Plain:
        kind = type(value)
        if kind is str:
            return self._text(value)  # type: ignore[arg-type] # its type has just been compared
        if value is None or kind is bool:
            return value  # type: ignore[return-value]
        try:
            if isinstance(value, Enum):
                value = value.value
            return self._scalar(value) if _is_scalar(value) else self._container(value, depth)
        # Properties, iterators and __str__ of foreign objects may raise whatever they like.
        except Exception:  # noqa: BLE001
            return _type_name(value)

    def _text(self, text: str) -> str:
        self._left -= 1 + len(text) // 16
        return text if self._left > 0 or len(text) <= 16 else f"[{len(text)} characters]"

    def _scalar(self, value: object) -> Plain:
        if isinstance(value, str):
            return self._text("".join(value))
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            value = int(value)
            if _INT_MIN <= value <= _INT_MAX:
                return value
            bits = value.bit_length()
            return str(value) if bits <= 1024 else f"int of {bits} bits"
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else str(float(value))
        if isinstance(value, (bytes, bytearray, memoryview)):
            size = value.nbytes if isinstance(value, memoryview) else len(value)
            return {":type": _type_name(value), ":size": size}
        if isinstance(value, _TIMES):
            return value.isoformat()
        return self._text(str(value))

    def _container(self, value: object, depth: int) -> Plain:
        if depth >= MAX_DEPTH or id(value) in self._open:
            return _type_name(value)
        self._open.add(id(value))
        try:
            if isinstance(value, Mapping):
                return self._object(value.items(), len(value), depth)
            if (fields := _fields(value)) is not None:
                return self._object(fields.items(), len(fields), depth)
            if isinstance(value, (list, tuple, deque, Set)):
                return self._array(value, len(value), depth)
            if isinstance(value, BaseException):
                return self._text(f"{_type_name(value)}: {value}")
            return _type_name(value)
        finally:
            self._open.discard(id(value))

    def _object(self, items: Iterable[tuple[object, object]], size: int, depth: int) -> Plain:
        shown: dict[str, Plain] = {}
        for key, item in items:
            self._left -= 1
            if self._left <= 0:
                shown[CUT_KEY] = size
                break
            shown[self._key(key)] = self.convert(item, depth + 1)
        return shown

    def _array(self, items: Iterable[object], size: int, depth: int) -> Plain:
        shown: list[Plain] = []
        for item in items:
            self._left -= 1
            if self._left <= 0:
                shown.append({CUT_KEY: size})
                break
            shown.append(self.convert(item, depth + 1))
        return shown

    def _key(self, key: object) -> str:
        if type(key) is str:
            return self._text(key)
        if isinstance(key, (bytes, bytearray)):
            return self._text(bytes(key).decode(errors="replace"))
        if isinstance(key, Enum):
            key = key.value
        return str(self._scalar(key)) if _is_scalar(key) else _type_name(key)


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(
        value,
        (str, int, float, bytes, bytearray, memoryview, *_TIMES, dt.timedelta, *_AS_TEXT),
    )


def _fields(value: object) -> dict[str, object] | None:
    """The fields of a dataclass, a Pydantic or attrs model or a named tuple; else None."""
    kind = type(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = [(field.name, field.repr) for field in dataclasses.fields(value)]
    elif isinstance(declared := getattr(kind, "model_fields", None), dict):
        extra = getattr(value, "model_extra", None) or {}
        pairs = [(name, bool(field.repr)) for name, field in declared.items()]
        pairs += [(name, True) for name in extra]
    elif isinstance(attributes := getattr(kind, "__attrs_attrs__", None), tuple):
        pairs = [(field.name, field.repr is not False) for field in attributes]
    elif isinstance(value, tuple) and isinstance(names := getattr(kind, "_fields", None), tuple):
        pairs = [(name, True) for name in names]
    else:
        return None
    return {name: getattr(value, name) if visible else MARKER for name, visible in pairs}


def _type_name(value: object) -> str:
    return type(value).__name__
