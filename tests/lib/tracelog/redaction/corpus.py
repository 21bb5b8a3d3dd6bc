"""The redaction corpus: what goes in, what must not come out, and what must still be seen.

The cases stand in `cases/*.toml`, a file an area. Their secrets are random, so that a
plain search finds them. A broken bar (¦) within a well-known kind of key is taken out on loading:
it keeps secret scanners from taking the corpus for a leak.

A test takes the cases of an area at a time, since pytest takes longer for a test than most cases.
"""

import base64
import json
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest

FOLDER = Path(__file__).parent / "cases"
_WINDOW = 6


@dataclass(frozen=True)
class Case:
    """One case. `kind` says which call it is for: headers, query, path, text, body or cuts."""

    area: str
    name: str
    kind: str
    input: Any
    secrets: list[str]
    visible: list[str] = field(default_factory=list)
    content_type: str = ""
    content_encoding: str = ""
    charset: str = "utf-8"
    html: bool = False

    @property
    def id(self) -> str:
        return f"{self.area}: {self.name}"


def cases(*kinds: str) -> list[Case]:
    """All cases of these kinds."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        loaded = tomllib.loads(path.read_text(encoding="utf-8"))
        for values in json.loads(json.dumps(loaded["case"], ensure_ascii=False).replace("¦", "")):
            case = Case(area=path.stem, **values)
            if not kinds or case.kind in kinds:
                found.append(case)
    return found


def of_each_area(*kinds: str) -> pytest.MarkDecorator:
    """Hands a test all cases of these kinds that an area has, as `corpus`."""
    areas: dict[str, list[Case]] = {}
    for case in cases(*kinds):
        areas.setdefault(case.area, []).append(case)
    return pytest.mark.parametrize("corpus", areas.values(), ids=areas)


def assert_each(corpus: list[Case], check: Callable[[Case], None]) -> None:
    """Fails with the names of all cases that fail a check, and what it says of them."""
    failing = []
    for case in corpus:
        try:
            check(case)
        except AssertionError as error:
            failing.append(f"{case.id}: {error}")
        except Exception as error:
            error.add_note(case.id)
            raise
    assert not failing, "\n\n".join(failing)


def leaked(secrets: list[str], output: str) -> list[str]:
    """The pieces of secrets that are in an output, also in other cases and encodings."""
    shown = "\n".join(_readings(output)).lower()
    return [piece for secret in secrets for piece in _pieces(secret) if piece in shown]


def not_shown(visible: list[str], output: str) -> list[str]:
    """The texts that an output should show and does not."""
    shown = list(_readings(output))
    return [text for text in visible if not any(text in reading for reading in shown)]


@cache
def _pieces(secret: str) -> Sequence[str]:
    """Runs of six characters of a secret, forwards and backwards, and what base64 makes of it.

    All in small letters.
    """
    if len(secret) <= _WINDOW:
        return [secret.lower()]
    runs = [secret[start : start + _WINDOW] for start in range(len(secret) - _WINDOW + 1)]
    encoded = [
        base64.b64encode(b" " * shift + secret.encode())[4:-4].decode() for shift in range(3)
    ]
    pieces = [*runs, *(run[::-1] for run in runs), *(text for text in encoded if len(text) >= 8)]
    return [piece.lower() for piece in pieces]


def _readings(output: str) -> Iterator[str]:
    """An output as it stands, percent-decoded, and each string of its JSON, also within strings."""
    yield output
    yield unquote_plus(output)
    try:
        parsed = json.loads(output)
    except (ValueError, RecursionError):
        return
    for text in _strings(parsed):
        yield unquote_plus(text)
        if text != output:
            yield from _readings(text)


def _strings(data: object) -> Iterator[str]:
    # By a list, for it may be nested deeper than Python calls.
    nodes = [data]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            yield from node
            nodes.extend(node.values())
        elif isinstance(node, list):
            nodes.extend(node)
        elif isinstance(node, str):
            yield node
