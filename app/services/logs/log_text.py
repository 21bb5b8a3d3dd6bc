"""Logged text made readable: JSON laid out, what cannot be seen made visible, frames told apart."""

import json
import re
from dataclasses import dataclass
from typing import Final, Literal

from app.lib.tracelog.rollup.frames import frame_of
from app.schemas.log import Payload

# Control characters but tab and line feed; what turns the writing direction; line ends of Unicode.
# The joiners of scripts and emoji stay.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


def visible(text: str) -> str:
    """`text` with characters that cannot be seen, or that turn others round, as `\\uXXXX`."""
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def payload(value: object, limit: int, column: str = "", row_id: int = 0) -> Payload | None:
    """A logged value as a person reads it: JSON over several lines, anything else as it is.

    Text of more than `limit` characters is cut, and then is no JSON any more. `column` and
    `row_id` are handed on.
    """
    if value is None:
        return None
    text, is_json, cut = str(value), False, False
    if len(text) > limit:
        text, cut = text[:limit], True
    else:
        text, is_json = _laid_out(text)
    return Payload(visible(text), is_json, cut, column, row_id)


def _laid_out(text: str) -> tuple[str, bool]:
    try:
        parsed = json.loads(text)
        if isinstance(parsed, str):
            return parsed, False
        return json.dumps(parsed, ensure_ascii=False, indent=2), True
    except (ValueError, RecursionError):
        return text, False


@dataclass(frozen=True, slots=True)
class StackPart:
    """Lines of a stack trace that belong together: one frame, or what stands between frames."""

    kind: Literal["own", "foreign", "error", "note"]
    text: str


_NO_ERRORS: Final = (
    "Traceback ",
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
    "…",
)
"""So begin lines between frames that are not the error."""


def stack_parts(stack_trace: str) -> list[StackPart]:
    """The parts of Python's stack trace, in order. `own` frames are of the project itself."""
    parts: list[StackPart] = []
    for line in visible(stack_trace).rstrip().split("\n"):
        if frame := frame_of(line):
            parts.append(StackPart("own" if frame.own else "foreign", line))
        elif parts and parts[-1].kind in {"own", "foreign"} and line.startswith("    "):
            parts[-1] = StackPart(parts[-1].kind, f"{parts[-1].text}\n{line}")
        elif line and not line[0].isspace() and not line.startswith(_NO_ERRORS):
            parts.append(StackPart("error", line))
        else:
            parts.append(StackPart("note", line))
    return parts
