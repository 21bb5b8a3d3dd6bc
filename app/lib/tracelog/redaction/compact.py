"""Tells JSON that is compact already, and so need not be taken apart and written anew."""

from collections.abc import Callable
from functools import cache
from typing import Final

from pydantic_core import SchemaValidator, core_schema

_LEVELS: Final = 3
"""Objects and arrays in each other; each further level makes the pattern four times as large."""

_STRING: Final = r'"[^"\\\x00-\x1f]*"'
_SCALAR: Final = rf"{_STRING}|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|true|false|null"


def is_compact(text: bytes) -> bool:
    """Whether this is an object or array of JSON without blanks, escapes and exponents.

    Deeper than three levels it is not told from other text.
    """
    return _search()(text)


@cache
def _search() -> Callable[[bytes], bool]:
    # Made when it is first asked, since it takes more memory than an app that is idle has to spare.
    schema = core_schema.str_schema(pattern=rf"\A(?:{_containers(_LEVELS)})\z")
    return SchemaValidator(schema).isinstance_python


def _containers(levels: int) -> str:
    value = f"(?:{_SCALAR}|{_containers(levels - 1)})" if levels > 1 else f"(?:{_SCALAR})"
    member = f"{_STRING}:{value}"
    return rf"\{{(?:{member}(?:,{member})*)?\}}|\[(?:{value}(?:,{value})*)?\]"
