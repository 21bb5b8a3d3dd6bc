"""One look over the whole text of a JSON document, for whatever could be a secret in it.

Most documents hold nothing of the kind, and going from string to string to find that out costs many
times as much. The search is done by Rust's regular expressions, which pydantic brings: they try all
alternatives at once, in linear time, at about 2 ns a byte. In doubt a pattern matches: then the
rules themselves look.
"""

import re
from collections.abc import Callable, Iterable
from enum import IntFlag
from functools import lru_cache
from typing import Final

from pydantic_core import SchemaValidator, core_schema

from app.lib.tracelog.redaction import words
from app.lib.tracelog.redaction.keys import KeyJudge


class Look(IntFlag):
    """What was seen: nothing, or what has to be looked at by the rules."""

    NOTHING = 0
    KEYS = 1
    """Keys, or strings that stand where a name may stand."""
    COLONS = 2
    """Strings with a colon."""
    PROSE = 4
    """Strings with a space, and those that begin with a hyphen."""
    ALL = 8
    """All strings."""


_ODD: Final = (
    r"[=$<>|%&\\\x7f\x{85}\x{2028}\x{2029}\x{feff}\x{212a}：＝﹕「『→⇒０-９]"
    r"|[ドン号語証鍵葉ーD](?:[はがを（]|[ \x{3000}])[ \x{3000}]?[A-Za-z0-9]"
    r"|[0-9](?:[ \x{3000}\x{ff0d}\x{30fc}\x{2010}-\x{2015}\x{2212}-]*[0-9]){13}"
    r'|[A-Za-z0-9_-]{16}[^"]*"(?:[^:]|$)'
)
_COLON: Final = r'[^"]:|[:,\[{]":'
_STEMS: Final = (
    r"(?i:key|oken|pass|ecret|otp|pin|bearer|basic|credential|identified|insert|code|"
    r"session|cvv|cvc|rootpw|bindpw|masterauth)"
)
_PROSE: Final = rf'[ "]-|(?i:failing row)|\', b?\'|{_STEMS}[^"]* | [^"]*{_STEMS}'
"""As `text.is_prose`."""

_PLAIN_VALUE: Final = re.compile(
    rb'"(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
    rb"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,15}(?:Z|[+-][0-9:]{4,6})?)(?=\"[^:])"
)
"""UUIDs and times: harmless, though long or with colons."""

_SEAM: Final = r'[^A-Za-z0-9"]*'
_SINGLE: Final = words.VALUE_KEYS | {"key", "state", "access", "refresh", "oauth", "code", "mfa"}
_LAST: Final = words.SECRET_LAST | words.RANDOM_LAST
_ANYWHERE: Final = words.SECRET_WORDS | {
    *words.GLUED_ANYWHERE,
    *words.GLUED_STARTS,
    *words.GLUED_ENDS,
}
_BEYOND_ASCII: Final = r'[^\x20-\x7e"]'
_NOT_JAPANESE: Final = r'[^\x20-\x7eぁ-ゖァ-ヺー一-鿿"]'


class JsonLook:
    """Looks at JSON with the eyes of a judge of keys."""

    def __init__(self, judge: KeyJudge) -> None:
        keys = _keys(judge)
        self._anything = _search("|".join((_ODD, _COLON, _PROSE, keys)))
        self._odd = _search(_ODD)
        self._colon = _search(_COLON)
        self._prose = _search(_PROSE)
        self._keys = _search(keys)

    def at(self, text: bytes) -> Look:
        """What can be seen in JSON as orjson writes it, without blanks between tokens."""
        if not self._anything(text):
            return Look.NOTHING
        rest = _PLAIN_VALUE.sub(b'"', text)
        if self._odd(rest):
            return Look.ALL
        seen = Look.KEYS if self._keys(rest) else Look.NOTHING
        if self._colon(rest):
            seen |= Look.COLONS
        if self._prose(rest):
            seen |= Look.PROSE
        return seen


@lru_cache(maxsize=64)
def _search(pattern: str) -> Callable[[bytes], bool]:
    """Whether UTF-8 has a match of a pattern in it."""
    return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python


def _keys(judge: KeyJudge) -> str:
    """What matches each key that `judge` does not simply show, and others."""
    phrases = (_SEAM.join(map(re.escape, phrase)) for phrase in judge.phrases)
    anywhere = _any([*map(re.escape, _shortest(_ANYWHERE)), *phrases])
    key = "|".join(
        (
            rf'[^"]*(?:{anywhere}|{_any(map(re.escape, judge.foreign))})[^"]*',
            rf'[^"]*(?:{_any(_LAST)})[^A-Za-z"]*',
            rf'[^A-Za-z"]*(?:{_any(_SINGLE)})[^A-Za-z"]*',
            rf'[^A-Za-z"]*(?i:input|old|new|rejected){_SEAM}(?i:value)[^A-Za-z"]*',
            _any(words.PART_OWNERS),
            rf'[^"]*{_NOT_JAPANESE}[^"]*',
            rf'[^"]*(?:{_BEYOND_ASCII}[^"]* | [^"]*{_BEYOND_ASCII})[^"]*',
            r'[^"]*[A-Za-z0-9_-]{16}[^"]*',
        )
    )
    return rf'"(?:{key})":|\["(?:{key})",'


def _any(patterns: Iterable[str]) -> str:
    return f"(?i:{'|'.join(sorted(patterns))})"


def _shortest(texts: Iterable[str]) -> list[str]:
    """Those in which no other one is found."""
    texts = list(texts)
    return [text for text in texts if not any(t != text and t in text for t in texts)]
