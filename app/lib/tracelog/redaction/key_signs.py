"""One look over all keys of a JSON document, for any that may be more than simply shown.

To go through the data and ask for each key costs three times as much, and most documents have no
key that even resembles a secret one. In doubt the pattern matches: then each key is judged.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final

from app.lib.tracelog.redaction import neighbours, words

_PART: Final = "[A-Za-z0-9_-]"
_GAP: Final = "[0-9_-]*"
"""What may stand between the words of a key, and around them."""

_ANYWHERE: Final = (
    words.SECRET_WORDS
    | {*words.GLUED_ANYWHERE, *words.GLUED_STARTS, *words.GLUED_ENDS}
    | words.RANDOM_ALONE
    | words.CODE_ALONE
)
_LAST: Final = (
    words.SECRET_LAST
    | words.SESSION_LAST
    | words.WORD_LAST
    | words.PHRASE_LAST
    | words.RANDOM_LAST
    | {"pass", "value"}
)
_ALONE: Final = (
    neighbours.VALUE_KEYS
    | neighbours.PART_OWNERS
    | neighbours.TARGET_KEYS
    | {key for key in neighbours.KIN_ALONE if key.isascii()}
)


@lru_cache(maxsize=4)
def key_signs(phrases: tuple[tuple[str, ...], ...]) -> str:
    """A pattern of JSON, as orjson writes it, that may have a key which is not simply shown.

    `phrases` are words that are secret side by side. Keys with an escape in them are left to the
    look at the whole text.
    """
    stems = _shortest(_ANYWHERE)
    stems += _shortest(
        _GAP.join(phrase)
        for phrase in phrases
        if not any(stem in word for stem in stems for word in phrase)
    )
    word = f"{_PART}*(?i:{_any_of(stems)}){_PART}*|{_PART}*(?i:{_any_of(_LAST)}){_GAP}"
    word += (
        f"|{_PART}*(?i:{_any_of(words.RANDOM_LAST)}){_GAP}(?i:{_any_of(words.SIGNED_WITH)}){_PART}*"
    )
    alone = f"{_GAP}(?i:{_any_of(_ALONE)}){_GAP}"
    # There are too many ways to write others, and a long one may be a secret itself.
    hard = f'{_PART}*[^A-Za-z0-9_"-][^"]*|{_PART}{{16}}[^"]*'
    # With what stands before a key the search need not follow the text of values.
    named = f'[a-zA-Z_]{{2,9}}":"{_any_of(neighbours.FIELDS_OF_DATA)}"'
    return f'[{{,]"(?:(?:{word}|{alone}|{hard})":|{named})'


def _shortest(choices: Iterable[str]) -> list[str]:
    """Those that have no other one in them. The search is as fast as its states are few."""
    found: list[str] = []
    for choice in sorted(set(choices), key=lambda text: (len(text), text)):
        if not any(shorter in choice for shorter in found):
            found.append(choice)
    return found


def _any_of(choices: Collection[str]) -> str:
    return f"(?:{'|'.join(sorted(choices))})"
