"""Reads JSON that was cut off: everything that was completely there, and nothing that was not.

A member is complete when its key, its value and the comma or bracket behind it are. So no value
can be read whose key was lost, and no half of a value.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

from app.lib.tracelog.redaction.parsing import parse
from app.lib.tracelog.redaction.plain import MAX_DEPTH, Plain

_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[{}\[\],:]|[^\s{}\[\],:"]++', re.DOTALL)
_CLOSERS: Final = {0x7B: b"}", 0x5B: b"]"}
_ENDS: Final = b"}]"
_COMMA: Final = 0x2C
_MAX_OPEN: Final = 4 * MAX_DEPTH


@dataclass(frozen=True, slots=True)
class Prefix:
    """What could be read. `open` are the containers whose end was not seen, outermost first."""

    value: Plain
    open: list[dict[str, Plain] | list[Plain]]


def read_prefix(body: bytes) -> Prefix | None:
    """The complete part of JSON in UTF-8; None where there is none or it cannot be told."""
    end, closers = _last_complete(body)
    if end == 0:
        return None
    text = body[:end] + b"".join(reversed(closers))
    try:
        value = parse(text)
        json.loads(text, object_pairs_hook=_refuse_doubles)
    except (ValueError, RecursionError):
        return None
    node, open_nodes = value, []
    for _ in closers:
        if isinstance(node, (dict, list)):
            open_nodes.append(node)
            if node:
                node = node[next(reversed(node))] if isinstance(node, dict) else node[-1]
    return Prefix(value, open_nodes)


def _last_complete(body: bytes) -> tuple[int, list[bytes]]:
    """Where the last complete part ends, and the brackets that are still to be closed there."""
    stack: list[bytes] = []
    complete = 0
    closers: list[bytes] = []
    before = 0
    for match in _TOKEN.finditer(body):
        first = body[match.start()]
        after_comma, before = before == _COMMA, first
        if first == 0x22:
            if not _is_closed(match[0]):
                break
        elif first in _CLOSERS:
            if len(stack) >= _MAX_OPEN:
                break
            stack.append(_CLOSERS[first])
            complete, closers = match.end(), stack.copy()
        elif first == _COMMA:
            if not stack or after_comma:
                break
            complete, closers = match.start(), stack.copy()
        elif first in _ENDS:
            if not stack or after_comma or stack.pop() != match[0]:
                break
            complete, closers = match.end(), stack.copy()
            if not stack:
                break
    return complete, closers


def _refuse_doubles(pairs: list[tuple[str, object]]) -> None:
    """A key that comes twice would make another container the last one than the open one."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key comes twice")


def _is_closed(string: bytes) -> bool:
    if len(string) < 2 or not string.endswith(b'"'):
        return False
    slashes = len(string) - 1 - len(string[:-1].rstrip(b"\\"))
    return slashes % 2 == 0
