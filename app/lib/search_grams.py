"""Text made ready for substring search: words cut into grams of three characters.

The text is normalised (NFKC, case folded) and cut into words at white space, punctuation and
control characters. A word gives the three characters from each of its places on, fewer at its end:
"東京都庁" becomes "東京都 京都庁 都庁 庁". So each substring of a word stands in the text of grams,
up to three characters as (the beginning of) a gram, longer ones as whole grams in a row; and two
words are never in a row, because a word's last gram is shorter than three characters.

Where no index is built of it, a text is stored as its words are, a third as long: "|東京都庁|地図".
Neither what is looked for in grams can stand in words, nor a longer word in grams: so both may be
looked for in either.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

GRAM: Final = 3
SORTED: Final = 200

_MARK: Final = "|"
"""Before each word that is stored as a whole. It is punctuation, so no word has it."""
_PLACES: Final = [slice(start, start + GRAM) for start in range(256)]

_CONTROL: Final = {"Cc", "Cf", "Cs"}


_VARIANTS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
"""They follow a character and say how it is drawn, in names above all; nobody types them."""


def _separates(sign: str) -> bool:
    """Whether words end at it: at punctuation, white space and control characters."""
    category = unicodedata.category(sign)
    return category[0] in "PZ" or category in _CONTROL or sign in "$+<=>^`|~"


class _Separators(dict[int, int | str]):
    """For `str.translate`: what separates becomes a space.

    What only says how a character is drawn goes.
    """

    def __missing__(self, code: int) -> int | str:
        value: int | str = " " if _separates(chr(code)) else code
        if any(code in variants for variants in _VARIANTS):
            value = ""
        self[code] = value
        return value


_SEPARATORS: Final = _Separators()
_ASCII_SEPARATORS: Final = bytes(
    ord(" ") if _separates(chr(code)) else code for code in range(128)
).ljust(256)
_SPECIAL: Final = re.compile("[\ufe00-\ufe0f\U00010000-\U0010ffff]")


@cache
def _word() -> re.Pattern[str]:
    """What a word looks like where nothing is `_SPECIAL`. It takes some ms to find out."""
    separators = "".join(filter(_separates, map(chr, range(0x10000))))
    return re.compile(f"[^{re.escape(separators)}]+")


def normalize(text: str) -> str:
    """`text` in the one form in which it is compared."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def sort_key(title: str) -> str:
    """What a title is sorted by, at most `SORTED` characters: NFKC may give more than it got."""
    return normalize(title)[:SORTED]


def words(text: str) -> list[str]:
    """The words of `text`, normalised, in order."""
    return _split(normalize(text))


def title_and_words(title: str, description: str) -> tuple[str, list[str]]:
    """The `sort_key` of a title, which is one line, and the `words` of both, in less time."""
    text = normalize(f"{title}\n{description}")
    return text.partition("\n")[0][:SORTED], _split(text)


def grams(text: str) -> str:
    """The grams of all words of `text`, in order, with a space between."""
    return joined_grams(joined_words(words(text)))


def joined_words(found: Iterable[str]) -> str:
    """These words as they are stored where no index is built of them."""
    return f"{_MARK}{_MARK.join(found)}"


def joined_grams(stored: str) -> str:
    """What is stored, of whichever kind, as a text of grams."""
    return " ".join(stored_grams(stored)) if stored.startswith(_MARK) else stored


def stored_grams(stored: str) -> list[str]:
    """The grams that are stored, in order, as words or as what they are."""
    if not stored.startswith(_MARK):
        return stored.split()
    return [gram for word in stored.split(_MARK) for gram in word_grams(word)]


def word_grams(word: str) -> Iterable[str]:
    """The grams of one word, in order."""
    length = len(word)
    if length <= len(_PLACES):
        return map(word.__getitem__, _PLACES[:length])
    return [word[start : start + GRAM] for start in range(length)]


def _split(normalized: str) -> list[str]:
    # The last way would do for all, and takes three times as long.
    if normalized.isascii():
        return normalized.encode().translate(_ASCII_SEPARATORS).decode().split()
    if not _SPECIAL.search(normalized):
        return _word().findall(normalized)
    return normalized.translate(_SEPARATORS).split()


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
