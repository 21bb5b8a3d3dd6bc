"""Text as people type it."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

# All but tab and line feed; databases refuse NUL, and nobody means the others.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def _no_control_characters(value: str) -> str:
    if _CONTROL.search(value):
        raise PydanticCustomError("control_character", "Control characters are not allowed")
    return value


def _one_line(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


def _line_feeds(value: object) -> object:
    """Browsers send CR LF from a text area and count it as one character."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n")
    return value


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True),
    BeforeValidator(_one_line),
    AfterValidator(_no_control_characters),
]
"""One line: runs of white space become one space."""

Paragraphs = Annotated[str, BeforeValidator(_line_feeds), AfterValidator(_no_control_characters)]
"""Several lines, each ended by a line feed."""
