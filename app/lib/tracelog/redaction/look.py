"""One look over the whole text of a JSON document, for whatever could be a secret in it.

Most documents hold nothing of the kind, and going from string to string to find that out costs many
times as much. The search is done by Rust's regular expressions, which pydantic brings: they try all
alternatives at once, in linear time, at about 2 ns a byte. In doubt a pattern matches: then the
rules themselves look.
"""

import re
from collections.abc import Callable, Collection, Iterable
from enum import IntFlag
from functools import lru_cache
from typing import Final

from pydantic_core import SchemaValidator, core_schema

from app.lib.tracelog.redaction.keys import neighbours, words
from app.lib.tracelog.redaction.keys.foreign import STATED


class Look(IntFlag):
    """What was seen: nothing, or what has to be looked at by the rules."""

    NOTHING = 0
    COLONS = 1
    """Strings with a colon."""
    PROSE = 2
    """Strings with a space, and those that begin with a hyphen."""
    ALL = 4
    """All strings."""


ODD: Final = (
    r"[=$<>|%&\\\x7f\x{85}\x{2028}\x{2029}\x{feff}\x{212a}：＝﹕「『→⇒０-９]|\([bBrRuU]{0,2}['`]|\['"
    rf"|{STATED}"
    r"|[0-9](?:[ \x{3000}\x{ff0d}\x{30fc}\x{2010}-\x{2015}\x{2212}-]*[0-9]){13}"
    r'|"kind":"Secret"|"random_password"|[0-9]{4}[./][0-9]{4}[./][0-9]{4}[./][0-9]{4}'
    r"|/[^ /\"]+/(?:[^ /\"0-9]+[0-9]|[0-9]+[^ /\"0-9.,;:)\]])"
    r"|(?:hook|otp|pin|confirm|verif|activat|2fa|mfa|pass|auth|token|code|pwd|認|確)"
    r"[^ \"]*/[0-9]{4}"
    r"|PIN[0-9]{4}|/[^/@:\" ]{6}[^/@:\" ]*@[A-Za-z]"
)
"""A pattern of what is odd in any string; with `has_long_word` it is all of that."""

_LONG_WORD: Final = 16
_PART_OF_WORD: Final = bytes(
    ord("w") if chr(byte).isascii() and (chr(byte).isalnum() or chr(byte) in "_-") else ord(" ")
    for byte in range(256)
)
_COLON: Final = r'[^"]:|[:,\[{]":'
_STEMS: Final = (
    r"(?i:key|oken|pass|ecret|otp|pin|bearer|basic|credential|identified|identify|rabbitmqctl"
    r"|insert|code|session|cvv|cvc|rootpw|bindpw|masterauth|psk|kennwort|senha|contrase|login"
    r"|authenticat|pwd|p/w|cookie|sqlplus|[ei][xm]pdp|setuser|ssn|iban|signature|seed|mnemonic"
    r"|y phrase|community|combination|account n|insurance n|social s|hmac|[ty] answer"
    r"|answer (?:to|for)|driver|crypt\(|sandi|wachtwoord|heslo|salasana|adgangskode)"
)
_PROSE: Final = (
    r'[ "]-|[0-9]{4} (?i:to) |@[^"]*(?: / |／)|(?i:failing row)|\', b?\''
    r"|(?i:log(?:ged|ging)? in|sign in|auth |pw |rman |bw unlock|net user|onfirm with)"
    rf'|{_STEMS}[^"]*[ (\[]| [^"]*{_STEMS}'
)
"""As `text.redactor.is_prose`."""

WORTH_A_LOOK: Final = f"{_COLON}|{_PROSE}"
"""A pattern of what is odd in some strings alone."""

_PLAIN_VALUE: Final = re.compile(
    rb'"(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
    rb"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,15}(?:Z|[+-][0-9:]{4,6})?)(?=\"[^:])"
)
"""UUIDs and times: harmless, though long or with colons."""

_KEY_PART: Final = "[A-Za-z0-9_-]"
_GAP: Final = "[0-9_-]*"
"""What may stand between the words of a key, and around them."""

_ANYWHERE: Final = (
    words.SECRET_WORDS
    | {*words.GLUED_ANYWHERE, *words.GLUED_STARTS, *words.GLUED_ENDS}
    | words.RANDOM_ALONE
    | words.KEY_LAST
    | {"passport", "license", "licence"}
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
    | {"api"}
)


def look_at(text: bytes) -> Look:
    """What can be seen in the strings of JSON as orjson writes it, without blanks between tokens.

    Its keys, and what they make of their values, are for the rules themselves.
    """
    if not _is_odd(text) and not _is_worth_a_look(text):
        return Look.NOTHING
    rest = without_plain_values(text)
    if _is_odd(rest):
        return Look.ALL
    seen = Look.COLONS if _has_colon(rest) else Look.NOTHING
    return seen | Look.PROSE if _is_prose(rest) else seen


def without_plain_values(text: bytes) -> bytes:
    """The text without its UUIDs and times; keys are left in it."""
    return _PLAIN_VALUE.sub(b'"', text)


def has_long_word(text: bytes) -> bool:
    """Whether there is a word of 16 characters, in keys too. As a part of a pattern beside others
    it would have these search for all its beginnings.
    """
    return b"w" * _LONG_WORD in text.translate(_PART_OF_WORD)


def search(pattern: str) -> Callable[[bytes | str], bool]:
    """What tells whether text, or UTF-8, has a match of a pattern in it."""
    return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python


@lru_cache(maxsize=4)
def key_signs(phrases: tuple[tuple[str, ...], ...], *, hard: bool = True) -> str:
    """A pattern of JSON, as orjson writes it, that may have a key which is not simply shown.

    To go through the data and ask for each key costs three times as much, and most documents have
    no key that even resembles a secret one. In doubt the pattern matches: then each key is judged.
    `phrases` are words that are secret side by side. Without `hard` it is for one key alone that is
    of ASCII letters, digits, hyphens and underscores, however long. Keys with an escape in them are
    left to the look at the whole text.
    """
    stems = _shortest(_ANYWHERE)
    stems += _shortest(
        _GAP.join(phrase)
        for phrase in (*phrases, *(phrase.split() for phrase in words.RANDOM_PHRASES))
        if not any(stem in word for stem in stems for word in phrase)
    )
    word = f"{_KEY_PART}*(?i:{_any_of(stems)}){_KEY_PART}*|{_KEY_PART}*(?i:{_any_of(_LAST)}){_GAP}"
    signed = f"(?i:{_any_of(words.RANDOM_LAST)}){_GAP}(?i:{_any_of(words.SIGNED_WITH)})"
    word += f"|{_KEY_PART}*{signed}{_KEY_PART}*"
    alone = f"{_GAP}(?i:{_any_of(_ALONE)}){_GAP}"
    if not hard:
        typed = f"{_GAP}(?i:{_any_of(neighbours.TYPED_KEYS)}){_GAP}"
        return f"^(?:{word}|{alone}|{typed})$"
    # There are too many ways to write others, and a long one may be a secret itself.
    others = f'{_KEY_PART}*[^A-Za-z0-9_"-][^"]*|{_KEY_PART}{{16}}[^"]*'
    # With what stands before a key the search need not follow the text of values.
    named = f'[a-zA-Z_]{{2,9}}":"{_any_of(neighbours.FIELDS_OF_DATA)}"'
    return f'[{{,]"(?:(?:{word}|{alone}|{others})":|{named})'


def _shortest(choices: Iterable[str]) -> list[str]:
    """Those that have no other one in them. The search is as fast as its states are few."""
    found: list[str] = []
    for choice in sorted(set(choices), key=lambda text: (len(text), text)):
        if not any(shorter in choice for shorter in found):
            found.append(choice)
    return found


def _any_of(choices: Collection[str]) -> str:
    return f"(?:{'|'.join(sorted(choices))})"


# Apart, since together they have so many states that the search would lose its speed.
_is_odd: Final = search(rf'{ODD}|[A-Za-z0-9_-]{{{_LONG_WORD}}}[^"]*"(?:[^:]|$)')
_is_worth_a_look: Final = search(WORTH_A_LOOK)
_has_colon: Final = search(_COLON)
_is_prose: Final = search(_PROSE)
