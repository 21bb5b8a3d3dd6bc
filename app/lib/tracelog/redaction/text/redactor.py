"""Takes secrets out of free text: messages, stack traces, URLs, plain-text bodies."""

import re
import string
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import unquote_plus

from app.lib.tracelog.redaction.keys.foreign import STATED
from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.look import search
from app.lib.tracelog.redaction.plain import MARKER, clean
from app.lib.tracelog.redaction.text.calls import (
    hide_arguments,
    hide_compared,
    without_open_comparison,
)
from app.lib.tracelog.redaction.text.cards import hide_cards
from app.lib.tracelog.redaction.text.codes import is_code_to_enter
from app.lib.tracelog.redaction.text.commands import hide_commands
from app.lib.tracelog.redaction.text.embedded import structures, without_open_structure
from app.lib.tracelog.redaction.text.lines import hide_aligned, hide_lines, hide_manifests
from app.lib.tracelog.redaction.text.logins import hide_logins
from app.lib.tracelog.redaction.text.markup import hide_tags, without_open_tag
from app.lib.tracelog.redaction.text.named import (
    hide_defaults,
    hide_lists,
    hide_named_values,
    hide_parts,
    hide_quoted,
    hide_values_at,
)
from app.lib.tracelog.redaction.text.pairs import hide_pairs
from app.lib.tracelog.redaction.text.paths import hide_paths
from app.lib.tracelog.redaction.text.prose import (
    hide_bracketed,
    hide_stated,
    without_open_code,
)
from app.lib.tracelog.redaction.text.sentences import (
    hide_stated_in_foreign_words,
    hide_stated_in_other_languages,
    without_open_secret,
)
from app.lib.tracelog.redaction.text.shapes import hide_shapes
from app.lib.tracelog.redaction.text.sql import hide_rows, without_open_entry
from app.lib.tracelog.redaction.text.tables import hide_columns

MAX_TEXT: Final = 65_536
"""Characters of a text that are looked at and kept; a longer one is cut, and says so."""

_MAX_ROUNDS: Final = 3
_SIGN: Final = re.compile(
    "[:=$<|%&\\\\\t：＝﹕「『→⇒０-９\ud800-\udfff]|->|\\([bBrRuU]{0,2}['\"`]|\\[['\"]"
)
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,15}(?:Z|[+-][0-9:]{4,6})?\Z")
_PLAIN_URL: Final = re.compile(
    r"https?://[a-z0-9.\-]{1,60}(?::[0-9]{1,5})?"
    r"(?:/(?:[A-Za-z][A-Za-z0-9]{0,9}|[0-9]{1,9})(?:[_.\-][A-Za-z0-9]{1,10})?)*+/?\Z"
)
_OPENS: Final = re.compile("hook|otp|pin|confirm|verif|activat|2fa|mfa|pass|auth|token|code|pwd")
"""In an address whose numbers may be codes."""
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_RUN: Final = re.compile(r"[A-Za-z0-9_\-]{16}|[0-9]{14}")
_CARD: Final = re.compile(r"[0-9]{4}[^0-9A-Za-z][0-9]{4}")
_STATED: Final = re.compile(STATED)
SEAM: Final = re.compile(r"[ \n(\[]")
"""What stands between a word that says what a secret is and the secret."""
_SLASHED: Final = re.compile(r"/[^\s/@:]{6,64}@[A-Za-z]")
_SEGMENT: Final = re.compile(r"/[^\s/]{1,64}/(?:[^\s/0-9]++[0-9]|[0-9]++[^\s/0-9.,;:)\]])")
_NUMBER: Final = re.compile(rf"(?:{_OPENS.pattern}|認証|確認)[^\s/]{{0,32}}/[0-9]{{4}}")
"""Parts of a path that may be tokens: `/reset/Zq9x2m`, `/verify/482913`."""
_PIN: Final = re.compile("PIN[0-9]{4}")
_ESCAPED: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_TOKEN: Final = re.compile(r"[^\s\"'<>]++")
_PRINTABLE: Final = "".join(sorted(set(string.printable) - set(string.whitespace)))
_VALUE_AT: Final = re.compile("[\"'`] (?:at|in|for|of) ")
_ONE_WORD: Final = re.compile(r"[A-Za-z0-9_\-]++\Z")
_HELD: Final = "\x1a"
_PLACE: Final = re.compile(rf"\{{{_HELD}([0-9]{{1,5}})\}}")
"""Stands for data while the text around it is looked at."""
_CARD_PIECES: Final = string.digits + " -０１２３４５６７８９"


_has_word: Final = search(
    r"(?i)oken|pass|ecret|key|otp|pin|bearer|basic|credential|code|session|cookie|signature"
    r"|identif(?:ied|y )|failing row|insert|cvv|cvc|ssn|iban|psk|pwd|pw |p/w|rootpw|bindpw"
    r"|masterauth|login|log in|logged in|logging in|sign in|authenticat|auth |auth\""
    r"|onfirm with|account n|insurance n|social s|hmac|answer (?:to|for) |[ty] answer|driver"
    r"|seed|mnemonic|y phrase|combination"
    r"|community|crypt\("
    r"|sqlplus|expdp|impdp|rman |bw unlock|net user|setuser|rabbitmqctl|/p:|/user:"
    r"|kennwort|senha|sandi|wachtwoord|heslo|salasana|adgangskode|contrase"
    r"| -|\A-|', b?'|\", \"-|(?s:@.*(?: / |／))"
)


class TextRedactor:
    """Replaces secrets in text. `patterns` are further regular expressions of what is secret.

    Raises `ValueError` for a pattern that is no regular expression or matches the empty text.
    """

    def __init__(self, judge: KeyJudge, patterns: Iterable[str] = ()) -> None:
        self._judge = judge
        self._patterns = [_compiled(pattern) for pattern in patterns]
        self.has_patterns = bool(self._patterns)

        self.held: Callable[[str, object, int], str] = lambda text, value, nested: self.alone(text)
        """What is done with data that stands in text; `nested` is how deep that is in others."""

    def __call__(self, text: str, nested: int = 0) -> str:
        if self.is_harmless(text):
            return text
        if len(text) > MAX_TEXT:
            return f"{self.cut(text[:MAX_TEXT])} [cut: {len(text)} characters]"
        return self._around(clean(text), nested)

    def cut(self, text: str) -> str:
        """The beginning of a longer text. Its last word goes too: it may be half of a secret."""
        text = clean(without_open_structure(without_open_tag(text)))
        if not self.is_harmless(text):
            text = self._around(text, 0)
        text = text.rstrip(_PRINTABLE).rstrip(_CARD_PIECES)
        text = without_open_entry(without_open_comparison(text))
        return without_open_secret(without_open_code(text))

    def _around(self, text: str, nested: int) -> str:
        """Text without secrets; data that stands in it, by the rules of data."""
        for pattern in self._patterns:
            text = pattern.sub(MARKER, text)
        if _HELD in text or not (found := list(structures(text))):
            return self.alone(text)
        rest: list[str] = []
        end = 0
        for number, (start, stop, _) in enumerate(found):
            rest += [text[end:start], f"{{{_HELD}{number}}}"]
            end = stop
        shown = self.alone("".join([*rest, text[end:]]))

        def put_back(place: re.Match[str]) -> str:
            start, stop, value = found[int(place[1])]
            return self.held(text[start:stop], value, nested)

        return _PLACE.sub(put_back, shown)

    def is_harmless(self, text: str) -> bool:
        """A quick look: whether text is so plain that no rule can find anything in it."""
        if self._patterns or len(text) > MAX_TEXT:
            return False
        if _SIGN.search(text) is not None:
            return _TIME.match(text) is not None or (
                _PLAIN_URL.match(text) is not None and _OPENS.search(text) is None
            )
        return (len(text) < 8 and "PIN" not in text) or not (
            (_RUN.search(text) is not None and _UUID.match(text) is None)
            or _CARD.search(text) is not None
            or ("@" in text and _SLASHED.search(text) is not None)
            or ("/" in text and (_SEGMENT.search(text) or _NUMBER.search(text)) is not None)
            or (SEAM.search(text) is not None and is_prose(text))
            or ("PIN" in text and _PIN.search(text) is not None)
            or (not text.isascii() and ("\n" in text or _STATED.search(text) is not None))
        )

    def alone(self, text: str, depth: int = 0) -> str:
        """Text without secrets, whatever data may stand in it."""
        for _ in range(_MAX_ROUNDS):
            # What stood next to a secret may be one too, once that is gone: 4111…Bearer abc.
            before, text = text, self._round(text, depth)
            if text == before:
                break
        return text

    def _round(self, text: str, depth: int) -> str:
        for pattern in self._patterns:
            text = pattern.sub(MARKER, text)
        if "%" in text and depth < 3 and _ESCAPED.search(text):
            text = _TOKEN.sub(lambda token: self._unescaped(token[0], depth), text)
        text = hide_cards(hide_logins(hide_shapes(text)))
        if _ONE_WORD.match(text):
            return text  # of which the rules below make nothing
        if "/" in text:
            text = hide_paths(text, self._judge)
        if "<" in text:
            text = hide_tags(text, self._judge)
        if "\n" in text:
            text = hide_lines(hide_manifests(hide_columns(text, self._judge)), self._judge)
            text = hide_aligned(text, self._judge) if "  " in text else text
            text = hide_parts(text, self._judge) if 'name="' in text else text
        if "value" in text:
            text = hide_named_values(text, self._judge)
        if 'variable "' in text:
            text = hide_defaults(text, self._judge)
        text = hide_pairs(text, self._judge)
        if "' '" in text or '" "' in text:
            text = hide_quoted(text, self._judge)
        if _VALUE_AT.search(text):
            text = hide_values_at(text, self._judge)
        if '["' in text or "['" in text:
            text = hide_lists(text, self._judge)
        if "==" in text or "!=" in text:
            text = hide_compared(text, self._judge)
        if "(" in text or "fill" in text or "args" in text:
            text = hide_arguments(text)
        if not text.isascii():
            text = hide_stated_in_other_languages(text)
        if " " not in text:
            return hide_bracketed(text, text.lower()) if "(" in text or "[" in text else text
        if is_prose(text):
            text = hide_rows(text, self._judge)
            text = hide_stated_in_foreign_words(hide_stated(text))
            text = hide_commands(text, self._judge)
        return text

    def _unescaped(self, token: str, depth: int) -> str:
        """A percent-encoded piece of text, decoded where that brings a secret to light."""
        if "%" not in token:
            return token
        decoded = clean(unquote_plus(token, errors="replace"))
        shown = self.alone(decoded, depth + 1)
        return token if shown == decoded else shown


def is_prose(text: str) -> bool:
    """Whether text holds one of the words that the rules without `=` and `:` go by."""
    return _has_word(text) or (" to " in text.lower() and is_code_to_enter(text))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    if compiled.search("") is not None:
        raise ValueError(f"{pattern!r} matches the empty text")
    return compiled
