"""Tells from a key whether its value is a secret.

A key is normalised (NFKC, zero-width characters out), split at its seams (`newPassword`,
`x-api-key`, `user[pin]`, `カード番号`) and judged by its words.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from app.lib.tracelog.redaction.keys import foreign, neighbours
from app.lib.tracelog.redaction.keys import words as words_of
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.memo import Memo

MAX_KEY: Final = 128
"""Longer keys are judged, but not remembered, so that hostile ones cannot fill the memory."""

MAX_JUDGED: Final = 2048
"""Still longer ones hide their value."""


_LEAST_GLUED: Final = 10
"""Shorter phrases end other words, too: no `pincode`, but `bankaccountnumber`."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
_KATAKANA: Final = re.compile("[ァ-ヺー]")
_FILE: Final = re.compile(
    r"[\w\-]+(?:[./][\w\-]+)*\.(?:cc?|cpp|css?|ex|go|html?|java|[cm]?jsx?|kt|md|php|py|rb|rs|scala"
    r"|sql|svelte|swift|tsx?|vue)"
)
"""`{"app/lib/passwords.py": 97.5}`, and before the number of a line."""
_FLAT_WORD: Final = re.compile(r"[a-z]+|[0-9]+")
_INVISIBLE: Final = re.compile("[\x00-\x1f\x7f\u00ad\u034f\u180e\u200b-\u200f\u2060-\u2064\ufeff]")


class KeyJudge:
    """Judges keys. `extra` are further secret keys, written in any style (`employee_no`)."""

    def __init__(self, extra: Iterable[str] = ()) -> None:
        extra = tuple(extra)
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
        glued = {"".join(form) for form in self.phrases}
        self._glued = frozenset(glued)
        self._glued_ends = tuple(word for word in glued if len(word) >= _LEAST_GLUED)
        self.phrase_ends = foreign.FOREIGN_PHRASE_ENDS | {form[-1] for form in self.phrases}
        self._known = Memo(self._judge, size=4096, longest=MAX_KEY)
        self._added = tuple(flat for key in extra if (flat := _flat(key)))

    def __call__(self, key: str) -> Rule:
        return self._known[key]

    def is_added(self, key: str) -> bool:
        """Whether a secret key is one by `extra`: then nothing under it is known to be harmless."""
        return bool(self._added) and any(added in _flat(key) for added in self._added)

    def _judge(self, key: str) -> Rule:
        if len(key) > MAX_JUDGED:
            return Rule.HIDE
        key = _normal(key)
        if key.lower() in words_of.OTHER_NAMES or _FILE.fullmatch(key):
            return Rule.SHOW
        if not key.isascii() and (rule := self._foreign_rule(key.casefold())) is not None:
            return rule
        rule = self._words_rule(_split(key if key.isascii() else _latin(key)))
        if rule is not None:
            return rule
        flat = _FLAT_WORD.findall(key.lower())
        if any(
            _is_secret(word) or word in self._glued or word.endswith(self._glued_ends)
            for word in flat
        ):
            return Rule.HIDE
        if flat and flat[-1].endswith("signature"):
            return Rule.RANDOM
        if flat and flat[-1].endswith("key") and flat[-1][:-3] not in {*words_of.OTHER_KEYS, ""}:
            return Rule.KEYED
        inside = key.rpartition("[")[2] if key.endswith("]") else ""
        return Rule.NAMED if inside[:-1].lower() in neighbours.VALUE_KEYS else Rule.SHOW

    def _words_rule(self, words: list[str]) -> Rule | None:
        if words == ["2", "fa"]:
            return Rule.CODE
        while words and words[-1].isdigit():
            words.pop()
        if not words:
            return None
        if words[0] == "x" and words[-1] in words_of.RANDOM_ALONE and len(words) == 2:
            return Rule.RANDOM  # a header's
        if " ".join(words[-2:]) in words_of.RANDOM_PHRASES:
            return Rule.RANDOM
        if words[-2:] in (["existing", "secret"], ["application", "credentials"]):
            return Rule.FILE
        if words[:2] == ["publickey", "credentials"]:
            return Rule.SHOW  # what a page may do
        if (
            words[-2:-1] == ["secret"]
            and words[-1] in words_of.SECRET_OTHERS
            and "answer" not in words
        ):
            return Rule.SHOW
        last = words[-1]
        if last == "token" and not words_of.PAGE_OWNERS.isdisjoint(words[-2:-1]):
            of_secret = words[2:] and self._last_secret(words[:-2])  # password_sync_token
            return Rule.HIDE if of_secret else Rule.SHOW
        end = self._last_secret(words)
        if end:
            tail = set(words[end:])
            if last == "code" and words[-2] in ("error", "status"):
                return Rule.RANDOM  # token_error_code
            if tail and last in words_of.MEASURE_TAIL:
                return Rule.COUNT
            if tail and tail - {"reset"} <= words_of.COUNT_TAIL and last in words_of.COUNT_TAIL:
                return Rule.COUNT
            if tail == {"reset"}:
                return Rule.COUNT if words[0] == "last" else Rule.FLAG
            if tail and tail <= words_of.COUNT_TAIL | words_of.LABEL_TAIL | words_of.FILE_TAIL:
                return Rule.RANDOM if tail.isdisjoint(words_of.FILE_TAIL) else Rule.FILE
            if last in words_of.FILE_TAIL and tail <= words_of.FILE_TAIL | words_of.KEY_LAST:
                return Rule.FILE
            if (
                tail
                and tail <= words_of.KEY_TAIL | words_of.LABEL_TAIL
                and words[end - 1] in words_of.KEY_TAILED
            ):
                return Rule.KEYED if last in ("id", "ids") else Rule.RANDOM
            if tail and tail <= words_of.CHECK_TAIL and words[end - 1] in words_of.CHECKED:
                return Rule.CODE
            if words[0] in words_of.FLAG_HEADS or words[end - 2] in words_of.FLAGS_INSIDE:
                return Rule.FLAG
            return Rule.COUNT if words[0] in words_of.COUNT_HEADS else Rule.HIDE
        if any(word.endswith("tokens") for word in words):
            return Rule.COUNT
        if len(words) == 1:
            if last in neighbours.VALUE_KEYS:
                return Rule.NAMED
            if last in words_of.RANDOM_ALONE:
                return Rule.RANDOM
            if last in ("api", "key", "keys", "license", "licence"):
                return Rule.KEYED
            if last in words_of.CODE_ALONE:
                return Rule.CODE
            if last in neighbours.KIN_ALONE:
                return Rule.KIN
            if last in neighbours.TYPED_KEYS:
                return Rule.TYPED
        elif last == "value" and len(words) == 2 and words[0] in neighbours.VALUE_OWNERS:
            return Rule.NAMED
        elif last in words_of.KEY_LAST and words[-2] not in words_of.OTHER_KEYS:
            return Rule.KEYED
        elif last == "code" and words[-2] in words_of.GRANT_OWNERS:
            return Rule.GRANT
        if last in words_of.SESSION_LAST:
            return Rule.SESSION
        if last in words_of.PHRASE_LAST:
            return Rule.PHRASE
        if last in words_of.WORD_LAST:
            return Rule.WORD
        if last == "pass" and not words[-2].isascii():
            return None if words_of.PASS_JAPANESE.search(words[-2]) else Rule.HIDE
        if last == "pass":
            return Rule.SHOW if words[-2] in words_of.PASS_OTHERS else Rule.MIXED
        if words == ["passport"]:
            return Rule.MIXED
        # X-Signature-Ed25519, SignatureValue, keys_base64
        while len(words) > 1 and (words[-1] in words_of.SIGNED_WITH or words[-1].isdigit()):
            words = words[:-1]
        if words[-1] in words_of.KEY_LAST and last in ("base", "hex"):
            return None if words_of.OTHER_KEYS & {*words[-2:-1]} else Rule.KEYED
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
        if words[-1] in words_of.SECRET_LAST or words == ["pass"]:
            is_place = words[-1] in ("pin", "pins") and words_of.PIN_PLACES & {*words[-2:-1]}
            return end if is_place else len(words)
        if len(words) > 1 and words[-1] == "pass" and words[-2] in words_of.PASS_OWNERS:
            return len(words)
        return end

    def _foreign_rule(self, key: str) -> Rule | None:
        key = "".join(key.split())
        if key == "コード":
            return Rule.CODE
        if key in ("キー", "鍵"):
            return Rule.KEYED
        end = max(
            (at + len(stem) for stem in self.foreign if (at := key.rfind(stem)) >= 0), default=0
        )
        if not end:
            bare = key.rstrip("_-.の:")
            is_pass = bare.endswith("パス") and not _KATAKANA.match(bare[-3:-2])
            return Rule.MIXED if is_pass else None
        tail = key[end:].strip("_-.の:")
        if tail.endswith(foreign.FOREIGN_SENTENCE_ENDS):
            return Rule.MIXED
        if (
            tail.endswith(foreign.FOREIGN_COUNT_ENDS)
            or tail in foreign.FOREIGN_COUNT_TAILS
            or key.startswith(foreign.FOREIGN_COUNT_HEADS)
        ):
            return Rule.COUNT
        if tail in foreign.FOREIGN_ACTION_TAILS:
            return Rule.FILE
        return Rule.RANDOM if tail in foreign.FOREIGN_LABEL_TAILS else Rule.HIDE


def _normal(key: str) -> str:
    if key.isascii() and key.isprintable():
        return key
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", key))


def _flat(key: str) -> str:
    return "".join(filter(str.isalnum, _normal(key).casefold()))


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
