"""The columns of the list of requests, and which of them a URL asks for."""

from typing import Final

from starlette.datastructures import QueryParams

REQUEST: Final = "request"
"""Method and path, which lead to the trace: they are always there."""

CHOICES: Final = ("time", "status", "duration", "user", "ip", "route", "trace")
DEFAULT: Final = ("time", "status", "duration", "user", "trace")
_ORDER: Final = ("time", REQUEST, "status", "duration", "user", "ip", "route", "trace")


def read_columns(parameters: QueryParams) -> tuple[str, ...]:
    """The chosen columns. A form names each by itself, a link all of them at once."""
    sent = parameters.getlist("columns")
    if not sent:
        return DEFAULT
    names = {name for value in sent for name in value.split(".")}
    return tuple(name for name in CHOICES if name in names)


def column_state(columns: tuple[str, ...]) -> dict[str, str]:
    """The choice as it stands in a URL; nothing where it is the usual one."""
    return {} if columns == DEFAULT else {"columns": ".".join(columns) or REQUEST}


def in_order(columns: tuple[str, ...]) -> tuple[str, ...]:
    """All columns to be shown, from left to right."""
    return tuple(name for name in _ORDER if name == REQUEST or name in columns)
