"""Text made ready for substring search: words cut into grams of three characters.

The text is normalised (NFKC, case folded) and cut into words at white space, punctuation and
control characters. A word gives the three characters from each of its places on, fewer at its end:
"東京都庁" becomes "東京都 京都庁 都庁 庁". So each substring of a word stands in the text of grams,
up to three characters as (the beginning of) a gram, longer ones as whole grams in a row; and two
words are never in a row, because a word's last gram is shorter than three characters.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

GRAM: Final = 3

_MEMO_LENGTH: Final = 12
"""Longer words hardly come back: in Japanese they are whole phrases."""
_PLACES: Final = [slice(start, start + GRAM) for start in range(256)]

_CONTROL: Final = {"Cc", "Cf", "Cs"}


class _Separators(dict[int, int | str]):
    """For `str.translate`: punctuation, white space and control characters become a space."""

    def __missing__(self, code: int) -> int | str:
        category = unicodedata.category(chr(code))
        separates = category[0] in "PZ" or category in _CONTROL or chr(code) in "$+<=>^`|~"
        value: int | str = " " if separates else code
        self[code] = value
        return value


_SEPARATORS = _Separators()


def normalize(text: str) -> str:
    """`text` in the one form in which it is compared."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def sort_key(title: str) -> str:
    """What a title is sorted by, at most 200 characters: NFKC may give more than it got."""
    return normalize(title)[:200]


def words(text: str) -> list[str]:
    """The words of `text`, normalised, in order."""
    return normalize(text).translate(_SEPARATORS).split()


def grams(text: str) -> str:
    """The grams of all words of `text`, in order, with a space between."""
    return " ".join(list_grams(text))


def list_grams(text: str) -> list[str]:
    """The grams of all words of `text`, in order."""
    found: list[str] = []
    for word in words(text):
        found += _known_word(word) if len(word) <= _MEMO_LENGTH else _cut(word)
    return found


def _cut(word: str) -> Iterable[str]:
    length = len(word)
    if length <= len(_PLACES):
        return map(word.__getitem__, _PLACES[:length])
    return [word[start : start + GRAM] for start in range(length)]


@lru_cache(maxsize=2048)
def _known_word(word: str) -> tuple[str, ...]:
    return tuple(_cut(word))


def query_words(query: str) -> list[str]:
    """The words of a query, each once, without those that another one contains."""
    found = sorted(set(words(query)), key=lambda word: (-len(word), word))
    kept: list[str] = []
    for word in found:
        if not any(word in longer for longer in kept):
            kept.append(word)
    return kept


def query_grams(word: str) -> list[str]:
    """The grams that a text must have to contain `word`; one shorter than three is a prefix."""
    if len(word) <= GRAM:
        return [word]
    return list(dict.fromkeys(word[i : i + GRAM] for i in range(len(word) - GRAM + 1)))


def needle(word: str) -> str:
    """The part of a text of grams that is there if and only if its words contain `word`."""
    return " ".join(word[i : i + GRAM] for i in range(max(1, len(word) - GRAM + 1)))
