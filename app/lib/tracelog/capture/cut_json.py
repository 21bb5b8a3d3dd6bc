"""Reads JSON that was cut off: everything that was completely there, and nothing that was not.

A member is complete when its key, its value and the comma or bracket behind it are. So no value
can be read whose key was lost, and no half of a value.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Final

from app.lib.tracelog.redaction.parsing import parse
from app.lib.tracelog.redaction.plain import MAX_DEPTH, Plain

_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[{}\[\],:]|[^\s{}\[\],:"]++', re.DOTALL)
"""A string that is not closed reaches to the end."""

_PLAIN: Final = rb'[^",{}\[\]]++|"(?:[^"\\]++|\\.)*+"'
_TO_BRACKET: Final = re.compile(rb"(?:%b|,)*+([{}\[\]])" % _PLAIN, re.DOTALL)
_TO_LAST_COMMA: Final = re.compile(rb"(?:(?:%b)*+,)*+" % _PLAIN, re.DOTALL)
_END: Final = secrets.token_hex(8)
"""Stands where JSON was cut off. Nobody can know it."""

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
    try:
        return _read(body, *_end_of(body))
    except (ValueError, RecursionError):
        pass
    try:
        # Something before the end is no JSON; what comes before that may be.
        return _read(body, *_last_complete(body))
    except (ValueError, RecursionError):
        return None


def _read(body: bytes, end: int, closers: list[bytes]) -> Prefix | None:
    """Raises `ValueError` or `RecursionError`."""
    if end == 0:
        return None
    if not closers:
        return Prefix(parse(body[:end]), [])
    mark = f'"{_END}"' if closers[-1] == b"]" else f'"{_END}":0'
    comma = b"" if body[end - 1] in _CLOSERS else b","
    value = node = parse(b"".join((body[:end], comma, mark.encode(), *reversed(closers))))
    open_nodes: list[dict[str, Plain] | list[Plain]] = []
    last: Plain = None
    for _ in closers:
        if isinstance(node, dict) and node:
            open_nodes.append(node)
            last, node = next(reversed(node.items()))
        elif isinstance(node, list) and node:
            open_nodes.append(node)
            last = node = node[-1]
    if last != _END:
        # A key that comes twice has made another container the last one than the open one.
        return None
    innermost = open_nodes[-1]
    innermost.pop(_END) if isinstance(innermost, dict) else innermost.pop()
    return Prefix(value, open_nodes)


def _end_of(body: bytes) -> tuple[int, list[bytes]]:
    """As `_last_complete`, of JSON that is right but for its end; of other JSON anything."""
    stack: list[bytes] = []
    end = 0
    while (match := _TO_BRACKET.match(body, end)) is not None:
        end = match.end()
        bracket = match[1]
        if (closer := _CLOSERS.get(bracket[0])) is not None:
            if len(stack) >= _MAX_OPEN:
                break
            stack.append(closer)
        elif not stack or stack.pop() != bracket or not stack:
            break
    if stack and (tail := _TO_LAST_COMMA.match(body, end)) and tail[0]:
        end = tail.end() - 1
    return end, stack


def _last_complete(body: bytes) -> tuple[int, list[bytes]]:
    """Where the last complete part ends, and the brackets that are still to be closed there."""
    stack: list[bytes] = []
    complete = 0
    closers: list[bytes] = []
    before = 0
    for match in _TOKEN.finditer(body):
        first = body[match.start()]
        after_comma, before = before == _COMMA, first
        if first in _CLOSERS:
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
