"""Text that spreadsheets must not take for a formula: an apostrophe before it keeps them from that.

`unguarded` gives back exactly what `guarded` was given, whatever that was.
"""

import re
from typing import Final

_DIGITS: Final = 16
"""From so many digits on a spreadsheet rounds a number."""

# The wide ones are formulas too where people write Japanese.
_FORMULA: Final = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
# Text that has apostrophes of its own before such a thing gets another one.
_GUARDED: Final = re.compile(rf"'+(?:[=+\-@\t\r\n＝＋－＠]|\d{{{_DIGITS},}}\Z)")
_LONG_NUMBER: Final = re.compile(rf"\d{{{_DIGITS},}}\Z")


def guarded(text: str, *, numbers: bool = False) -> str:
    """`text` as a cell that no spreadsheet works out, nor rounds if `numbers` says so."""
    if _FORMULA.match(text) or _GUARDED.match(text) or (numbers and _LONG_NUMBER.match(text)):
        return f"'{text}"
    return text


def unguarded(text: str) -> str:
    """What stood in a cell before it was guarded."""
    return text[1:] if text.startswith("'") and _GUARDED.match(text) else text
