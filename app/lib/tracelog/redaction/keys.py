"""Tells from a key whether its value is a secret.

A key is normalised (NFKC, zero-width characters out), split at its seams (`newPassword`,
`x-api-key`, `user[pin]`, `カード番号`) and judged by its words.
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import Enum
from itertools import pairwise
from typing import Final

from app.lib.tracelog.redaction import foreign
from app.lib.tracelog.redaction import words as words_of
from app.lib.tracelog.redaction.memo import Memo

MAX_KEY: Final = 128
"""Longer keys are judged, but not remembered, so that hostile ones cannot fill the memory."""

MAX_JUDGED: Final = 2048
"""Still longer ones hide their value."""


class Rule(Enum):
    """What is done with the value under a key. `null` and JSON's booleans are always shown."""

    SHOW = "shown, as far as the text rules let it"
    HIDE = "hidden whole, containers too"
    FLAG = "shown where it says yes or no, else hidden"
    COUNT = "shown where it is a number, a duration or a time, else hidden"
    RANDOM = "hidden where it looks random"
    SESSION = "hidden where it looks random, or short and mixed as no name is"
    WORD = "hidden where it looks random, or is more than words and numbers"
    MIXED = "hidden where it is mixed as a password is, and no path"
    CODE = "hidden where it looks random or is 4 to 8 digits as text"
    NAMED = "hidden where a neighbour names a secret: {'name': 'password', 'value': …}"
    KIN = "hidden where a neighbour says what it is a part of: {'kty': 'EC', 'd': …}"


_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
_KATAKANA: Final = re.compile("[ァ-ヺー]")
_FLAT_WORD: Final = re.compile(r"[a-z]+|[0-9]+")
_INVISIBLE: Final = re.compile("[\x00-\x1f\x7f\u00ad\u034f\u180e\u200b-\u200f\u2060-\u2064\ufeff]")


class KeyJudge:
    """Judges keys. `extra` are further secret keys, written in any style (`employee_no`)."""

    def __init__(self, extra: Iterable[str] = ()) -> None:
        phrases = [*words_of.SECRET_PHRASES]
        stems = [*foreign.FOREIGN_STEMS]
        for key in extra:
            normal = _normal(key)
            if not normal.isascii():
                stems.append("".join(normal.casefold().split()))
            elif found := tuple(_split(normal)):
                phrases.append(found)
        self.foreign = tuple(stems)
        self._phrases: dict[str, list[tuple[str, ...]]] = {}
        for phrase in phrases:
            for form in (phrase, (*phrase[:-1], phrase[-1] + "s")):
                self._phrases.setdefault(form[0], []).append(form)
        self.phrases = tuple(form for forms in self._phrases.values() for form in forms)
        self.phrase_ends = foreign.FOREIGN_PHRASE_ENDS | {form[-1] for form in self.phrases}
        self._known = Memo(self._judge, size=4096, longest=MAX_KEY)

    def __call__(self, key: str) -> Rule:
        return self._known[key]

    def _judge(self, key: str) -> Rule:
        if len(key) > MAX_JUDGED:
            return Rule.HIDE
        key = _normal(key)
        if not key.isascii() and (rule := self._foreign_rule(key.casefold())) is not None:
            return rule
        rule = self._words_rule(_split(key if key.isascii() else _latin(key)))
        if rule is not None:
            return rule
        flat = _FLAT_WORD.findall(key.lower())
        return Rule.HIDE if any(_is_secret(word) for word in flat) else Rule.SHOW

    def _words_rule(self, words: list[str]) -> Rule | None:
        while words and words[-1].isdigit():
            words.pop()
        if not words:
            return None
        last = words[-1]
        end = self._last_secret(words)
        if end:
            tail = set(words[end:])
            if tail and tail <= words_of.COUNT_TAIL:
                return Rule.COUNT
            if (
                tail
                and tail <= words_of.COUNT_TAIL | words_of.LABEL_TAIL | {"id", "ids"}
                and (
                    words[end] != "id" or words[end - 1] != "secret"  # Vault's secret_id
                )
            ):
                return Rule.RANDOM
            if words[0] in words_of.FLAG_HEADS:
                return Rule.FLAG
            return Rule.COUNT if words[0] in words_of.COUNT_HEADS else Rule.HIDE
        if any(word.endswith("tokens") for word in words):
            return Rule.COUNT
        if len(words) == 1:
            if last in words_of.VALUE_KEYS:
                return Rule.NAMED
            if last in words_of.RANDOM_ALONE:
                return Rule.RANDOM
            if last in words_of.CODE_ALONE:
                return Rule.CODE
            if last in words_of.KIN_ALONE:
                return Rule.KIN
        elif words in (["input", "value"], ["old", "value"], ["new", "value"]) or (
            words == ["rejected", "value"]
        ):
            return Rule.NAMED
        if last in words_of.SESSION_LAST:
            return Rule.SESSION
        if last in words_of.WORD_LAST:
            return Rule.WORD
        if last == "pass" and words[-2] not in words_of.PASS_OTHERS:
            return Rule.MIXED
        # X-Signature-Ed25519, SignatureValue
        while len(words) > 1 and (words[-1] in words_of.SIGNED_WITH or words[-1].isdigit()):
            words = words[:-1]
        return Rule.RANDOM if words[-1] in words_of.RANDOM_LAST else None

    def _last_secret(self, words: list[str]) -> int:
        """Where the last secret word or phrase ends, as an index behind it; 0 without one."""
        end = 0
        for index, word in enumerate(words):
            if _is_secret(word):
                end = index + 1
            for phrase in self._phrases.get(word, ()):
                if tuple(words[index : index + len(phrase)]) == phrase:
                    end = max(end, index + len(phrase))
        for index, (before, word) in enumerate(pairwise(words)):
            if word == "tokens" and before in words_of.CREDENTIAL_OWNERS:
                end = max(end, index + 2)
        if words[-1] in words_of.SECRET_LAST or words == ["pass"]:
            is_place = words[-1] in ("pin", "pins") and words_of.PIN_PLACES & {*words[-2:-1]}
            return end if is_place else len(words)
        if len(words) > 1 and words[-1] == "pass" and words[-2] in words_of.PASS_OWNERS:
            return len(words)
        return end

    def _foreign_rule(self, key: str) -> Rule | None:
        key = "".join(key.split())
        end = max(
            (at + len(stem) for stem in self.foreign if (at := key.rfind(stem)) >= 0), default=0
        )
        if not end:
            bare = key.rstrip("_-.の:")
            is_pass = bare.endswith("パス") and not _KATAKANA.match(bare[-3:-2])
            return Rule.MIXED if is_pass else None
        tail = key[end:].strip("_-.の:")
        return Rule.COUNT if tail in foreign.FOREIGN_COUNT_TAILS else Rule.HIDE


def _normal(key: str) -> str:
    if key.isascii() and key.isprintable():
        return key
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", key))


def _latin(key: str) -> str:
    """A key with its letters as they look, where there are Latin ones among them."""
    if not any(char.isascii() and char.isalpha() for char in key):
        return key
    bare = unicodedata.normalize("NFKD", key.translate(foreign.LOOKALIKES))
    return "".join(char for char in bare if not unicodedata.combining(char))


def _split(key: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(key)]


def _is_secret(word: str) -> bool:
    if word in words_of.SECRET_WORDS:
        return True
    if len(word) < 6 and not word.endswith(("otp", "pw", "pwd")):
        return False
    return word not in words_of.NOT_SECRET and (
        word.endswith(words_of.GLUED_ENDS)
        or word.startswith(words_of.GLUED_STARTS)
        or any(stem in word for stem in words_of.GLUED_ANYWHERE)
    )


_YES_NO: Final = frozenset(
    {"", "0", "1", "true", "false", "on", "off", "yes", "no", "null", "none", "はい", "いいえ"}
)
_MEASURE: Final = re.compile(
    r"[+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?(?:/[0-9]{1,9}|%)?"
    r"|(?:[0-9]{1,6}(?:\.[0-9]{1,6})?(?:ns|us|ms|s|m|h|d|w)){1,5}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]{5,15}(?:Z|[+-][0-9:]{4,6})?)?"
)
_LABEL: Final = re.compile(r"[A-Za-z]{1,5}[\-_]?[0-9]{1,6}")
_TOKEN_KEYS: Final = frozenset({"t", "tk", "tkn"})
_PIECE: Final = re.compile(r"[^A-Za-z0-9]+")
_CAMEL: Final = re.compile(r"[A-Z]*[a-z]*")


_RANDOM: Final = (Rule.RANDOM, Rule.CODE, Rule.SESSION, Rule.WORD)
_NOTHING: Final = re.compile(
    r"(?i:true|false|null|none|undefined|required|optional|enabled|disabled)"
    r"|[*•●＊]{3,}|x{4,}|X{4,}|(?i:\[(?:filtered|redacted|masked|hidden|secret|protected)\])"
    r"|<[a-z][a-z \-]{2,40}>|<[A-Z][A-Z_]{2,40}>|\$\{\{[^{}\n]{1,80}\}\}|\$\{[A-Z][A-Z0-9_]{1,60}\}"
    r"|\$[A-Z]{2,20}(?:_[A-Z]{1,20}){1,5}|%s|%\([a-z_0-9]{1,40}\)s|\{\{ ?[a-z_.]{1,40} ?\}\}"
)
"""Said of a secret in its place, or where it is to be: `?pin=false`, `****`, `${DB_PASSWORD}`."""
_PATH: Final = re.compile(r"[/\\]|\.[A-Za-z]{1,5}\Z")
_ASCII: Final = re.compile(r"[!-~]*")
_LONGEST_NOTHING: Final = 90
_LEAST_SESSION: Final = 5
_LEAST_WORD: Final = 6
_SYMBOL: Final = re.compile(r"[!@#$%^&*+=~]")
_NUMBERED: Final = re.compile(
    r"[A-Za-z]+(?:[0-9]{1,2}|(?:19|20)[0-9]{2})|(?:[0-9]{1,2}|(?:19|20)[0-9]{2})[A-Za-z]+"
    r"|[A-Za-z]*[0-9]{1,5}x[0-9]{1,5}|[0-9]{2,8}T[0-9]{2,6}Z?|sha[0-9]{3}"
)
_NUMBERED_NAME: Final = re.compile(r"[A-Z]?[a-z]{2,14}(?:[0-9]{1,2}|(?:19|20)[0-9]{2})")
_LONG_NAME: Final = re.compile(r"(?:[A-Z][a-z]{2,12}){3,7}")
_SHOWING: Final = (Rule.SHOW, Rule.NAMED, Rule.KIN)
_MEASURING: Final = (Rule.FLAG, Rule.COUNT)


def is_hidden(rule: Rule, value: object) -> bool:
    """Whether a value under a key of this rule is hidden; a container, whether it is as a whole."""
    if value is None or value is True or value is False or rule in _SHOWING:
        return False
    if rule is Rule.HIDE:
        return not isinstance(value, str) or not says_nothing(value)
    if isinstance(value, (dict, list)):
        return rule in _MEASURING
    if isinstance(value, str):
        text = value.strip()
        if rule is Rule.FLAG:
            return text.lower() not in _YES_NO
        if rule is Rule.COUNT:
            return text.lower() not in _YES_NO and not _MEASURE.fullmatch(text)
        if rule is Rule.CODE and text.isdecimal() and 4 <= len(text) <= 8:
            return True
        if rule is Rule.SESSION and len(text) >= _LEAST_SESSION and _is_mixed(text):
            return True
        if rule is Rule.WORD and len(text) >= _LEAST_WORD and (mixes(text) or _SYMBOL.search(text)):
            return True
        if rule is Rule.MIXED:
            text = _ASCII.match(text)[0]  # type: ignore[index] # it matches anything
            return len(text) >= _LEAST_WORD and mixes(text) and not _PATH.search(text)
        return rule in _RANDOM and looks_random(text)
    return rule is Rule.FLAG and value not in (0, 1)


def in_query(rule: Rule, key: str) -> Rule:
    """The rule of a key in a query: there `key` is that of an API, maybe short, and `t` a token."""
    if rule is Rule.RANDOM and key.lower() == "key":
        return Rule.SESSION
    return Rule.RANDOM if rule is Rule.SHOW and key in _TOKEN_KEYS else rule


def says_nothing(value: str) -> bool:
    """Whether a value of a secret key only says that there is one, or stands for it."""
    return len(value) <= _LONGEST_NOTHING and _NOTHING.fullmatch(value) is not None


def is_code(value: object) -> bool:
    """Whether the value of a `code` beside OAuth's other fields is one of OAuth's: `x7Kd92`."""
    return isinstance(value, str) and is_hidden(Rule.SESSION, value) and not _LABEL.fullmatch(value)


def looks_random(text: str, *, least: int = 16) -> bool:
    """Whether text is at least `least` characters of what people and programs do not name things.

    `uploads/2026/report.png`, `refresh_token_not_found` and `enterKey` are names; a UUID, a
    hash and `token_urlsafe()` are not.
    """
    if len(text) < least or any(char.isspace() for char in text[:512]):
        return False
    return any(not _is_name(piece) for piece in _PIECE.split(text[:512]))


def _is_mixed(text: str) -> bool:
    """Whether a word is mixed as no name is: `a1b2c3`, `abc123`, but not `day2`, `spring2026`."""
    if not text.isascii() or any(char.isspace() for char in text):
        return False
    return any(
        not (_is_name(piece) if piece.isalpha() else piece.isdigit() or _NUMBERED.fullmatch(piece))
        for piece in _PIECE.split(text)
        if piece
    )


def looks_chosen(word: str) -> bool:
    """Whether a word looks like a password and no name does: `Zq9x2m`, `Hana#26`, not `day2`."""
    return (
        len(word) >= _LEAST_WORD
        and mixes(word)
        and (_is_mixed(word) or _SYMBOL.search(word) is not None)
    )


def _is_name(piece: str) -> bool:
    if piece.isdigit():
        return len(piece) <= 8
    if not piece.isalpha():
        return len(piece) <= 6 or _NUMBERED_NAME.fullmatch(piece) is not None
    if _LONG_NAME.fullmatch(piece):
        return True  # RootManageSharedAccessKey
    if len(piece) > 24:
        return False
    if piece.islower() or piece.isupper() or piece.istitle():
        return len(piece) <= 20
    humps = [hump for hump in _CAMEL.findall(piece) if hump]
    return len(piece) >= 3 * len(humps)


def mixes(value: str) -> bool:
    """Whether letters and digits are mixed as in no word: `hunter2`, but not `sha256`."""
    return (
        "://" not in value
        and any(char.isdigit() for char in value)
        and any(char.isalpha() for char in value)
        and value.lower() not in {"argon2", "argon2id", "sha256", "sha512", "pbkdf2", "base64"}
    )
