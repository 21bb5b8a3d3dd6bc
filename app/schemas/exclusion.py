"""What a search leaves out: `-/api/health -status:404` in the field for the path."""

import re
from typing import Final, NamedTuple

from app.lib.utils import half_width

EXCLUDABLE: Final = ("path", "route", "method", "status", "user", "ip")
MOST: Final = 20
"""So many things are left out at most."""

_WORD: Final = r'(?:[^\s:"：]+[:：])?(?:"[^"]*"?|\S+)'
_COLON: Final = re.compile("[:：]")
_WORDS: Final = re.compile(_WORD)
_LEFT_OUT: Final = re.compile(rf"(?:^|(?<=\s))[-－](?:({_WORD})|$)")


class Exclusion(NamedTuple):
    """A filter whose requests are left out. `name` is one of `EXCLUDABLE`."""

    name: str
    value: str

    def __str__(self) -> str:
        value = self.value if self.value.split() == [self.value] else f'"{self.value}"'
        return value if self.name == "path" and value.startswith("/") else f"{self.name}:{value}"


def exclusions(text: str) -> tuple[Exclusion, ...]:
    """What `text` names, each once; a word without a name is a path. Nothing is left unsaid.

    What somebody has only begun to write, as `status:`, is nothing yet.
    """
    found = (_exclusion(word) for word in _WORDS.findall(text))
    return tuple(dict.fromkeys(one for one in found if one.value))


def without_exclusions(search: str) -> tuple[str, str]:
    """A search without its words behind a minus sign, and those words."""
    words = " ".join(word for word in _LEFT_OUT.findall(search) if word)
    return _LEFT_OUT.sub("", search).strip(), words


def _exclusion(word: str) -> Exclusion:
    name, *rest = _COLON.split(word, maxsplit=1)
    name = half_width(name).lower()
    if not rest or name not in EXCLUDABLE:
        name, rest = "path", [word]
    value = rest[0].strip('"').strip()
    return Exclusion(name, value if name in {"path", "route"} else half_width(value).strip())
