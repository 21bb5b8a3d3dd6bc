"""Finds JSON, and what Python prints of a dict, within other text: `got {"user": …} from …`."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Final

_OPENING: Final = re.compile(r"\{\s{0,40}(?P<quote>[\"'])|\[\s{0,40}[\[{]\s{0,40}(?P<inner>[\"'])")
_BRACKET: Final = re.compile(r"'(?:[^'\\\n]++|\\.)*+'|\"(?:[^\"\\\n]++|\\.)*+\"|[{\[(}\])]")
_PRINTED: Final = re.compile(
    r"(?:'(?:[^'\\\n]|\\[\\'nrtxuU])*+'|\"(?:[^\"\\\n]|\\[\\nrtxuU])*+\"|[{}\[\](), :]"
    r"|-?[0-9]++(?:\.[0-9]++)?(?:e[+\-]?[0-9]++)?(?![0-9A-Za-z_.])|(?:True|False|None)(?!\w)"
    r"|b(?=['\"]))++"
)
"""Of anything else the compiler might complain on standard error."""
_MOST_FAILURES: Final = 8
"""Each costs a reading up to the end of the text."""
_LONGEST_REPR: Final = 4096
_DEEPEST_REPR: Final = 20
_DECODER: Final = json.JSONDecoder(strict=False)


def structures(text: str) -> Iterator[tuple[int, int, object]]:
    """Where such a piece of text begins and ends; and its value, None for JSON."""
    at = failures = 0
    while failures < _MOST_FAILURES and (opening := _OPENING.search(text, at)):
        start, value = opening.start(), None
        if (opening["quote"] or opening["inner"]) == '"':
            stop = _json_end(text, start)
        else:
            stop = _repr_end(text, start)
            value = _evaluated(text[start:stop])
            stop = stop if value is not None else 0
        if stop:
            yield start, stop, value
            at = stop
        else:
            failures += 1
            at = opening.end()


def without_open_structure(text: str) -> str:
    """Cut-off text without the last such piece where its end is missing.

    Of a piece that is most of the text, only its last part goes.
    """
    at = 0
    while opening := _OPENING.search(text, at):
        start = opening.start()
        opened: list[int] = []
        for match in _BRACKET.finditer(text, start):
            if match[0] in "{[(":
                opened.append(match.start())
            elif match[0] in "}])":
                opened.pop()
                at = match.end()
            if not opened:
                break
        if opened:
            return text[: start if start * 2 > len(text) else opened[-1]]
    return text


def _json_end(text: str, start: int) -> int:
    try:
        return _DECODER.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return 0


def _repr_end(text: str, start: int) -> int:
    depth = 0
    for match in _BRACKET.finditer(text, start, start + _LONGEST_REPR):
        depth += (match[0] in "{[(") - (match[0] in "}])")
        if depth > _DEEPEST_REPR:
            break
        if depth == 0:
            return match.end()
    return start


def _evaluated(text: str) -> object:
    """The value of what Python printed; None where it is code, or written in another way."""
    if not _PRINTED.fullmatch(text):
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value if repr(value) == text else None
