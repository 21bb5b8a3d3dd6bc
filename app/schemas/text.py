"""Text as people type it: validators for `Annotated`, to stand behind the length limits."""

import re
import unicodedata

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

# All but tab and line feed; databases refuse NUL, and nobody means the others.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def _no_control_characters(value: str) -> str:
    if _CONTROL.search(value):
        raise PydanticCustomError("control_character", "Control characters are not allowed")
    return value


def _visible(value: str) -> str:
    if value and all(unicodedata.category(sign) in {"Cf", "Zs"} for sign in value):
        raise PydanticCustomError("string_too_short", "Nothing of it can be seen")
    return value


def _one_line(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


def _line_feeds(value: object) -> object:
    """Browsers send CR LF from a text area and count it as one character."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n")
    return value


one_line = BeforeValidator(_one_line)
"""Runs of white space become one space, none stays at the ends."""

line_feeds = BeforeValidator(_line_feeds)
"""Each line ends with a line feed."""

no_control_characters = AfterValidator(_no_control_characters)
"""Refuses what cannot be seen, with the error `control_character`."""

visible = AfterValidator(_visible)
"""Refuses what is there and looks empty, such as zero-width spaces, as if it were empty."""
