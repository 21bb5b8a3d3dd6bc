"""Takes secrets out of query strings, paths and URLs and leaves the rest as it was written."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, unquote, unquote_plus

from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.keys.kin import is_kin, is_named_secret
from app.lib.tracelog.redaction.keys.neighbours import NAME_KEYS
from app.lib.tracelog.redaction.keys.other_kinds import is_of_another_kind
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import (
    in_query,
    is_grant,
    is_hidden,
)
from app.lib.tracelog.redaction.keys.words import words
from app.lib.tracelog.redaction.plain import MARKER, Plain
from app.lib.tracelog.redaction.text.logins import hide_link_queries
from app.lib.tracelog.redaction.text.paths import is_token
from app.lib.tracelog.redaction.text.redactor import MAX_TEXT

_READABLE: Final = "[]/:,;@!$()*'~ "
_FILES: Final = words("file filename path ref repo branch commit size url")
"""Beside one of these a `hash` is that of a file."""
_SIGNATURES: Final = words("h hs md5 s sg st")
_TIMES: Final = words("e exp expire expires expiry ts")
"""Beside one of these the others are signatures: `?md5=…&expires=1790000000`."""
_BASE: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]{0,30}://[^/]*+)(.*)", re.DOTALL)


class UrlRedactor:
    """`text` takes secrets out of any piece of a URL once it is decoded."""

    def __init__(self, judge: KeyJudge, text: Callable[[str], str]) -> None:
        self._judge = judge
        self._text = text

    def query(self, query: str) -> str:
        """A query string with secret values replaced; other parts keep their encoding."""
        cut = len(query) > MAX_TEXT
        if cut:
            query = query[:MAX_TEXT].rpartition("&")[0]
        pairs = [self._split(piece) for piece in query.split("&")]
        rules = {rule for _, _, _, rule in pairs}
        if Rule.NAMED in rules:
            fields: dict[str, Plain] = {
                key: unquote_plus(value or "") for _, key, value, _ in pairs
            }
            pairs = [(*p[:3], self._named(p[1], p[3], fields)) for p in pairs]
            names = fields.keys() & NAME_KEYS
            if any(
                key in names and self._judge(unquote_plus(value or "")) is Rule.HIDE
                for _, key, value, _ in pairs
            ):
                pairs = [(*p[:3], Rule.HIDE if p[3] is Rule.NAMED else p[3]) for p in pairs]
        keys = {key for _, key, _, _ in pairs}
        pairs = [(*p[:3], _rule_beside(*p[1:], keys)) for p in pairs]
        shown = "&".join(self._pair(*pair) for pair in pairs)
        return f"{shown}&[cut]" if cut else shown

    def path(self, path: str) -> str:
        """A path without the tokens that can be recognised in it.

        Those are known shapes, long random strings, and what follows a segment such as
        `reset-password`. UUIDs and hashes elsewhere are names of things and stay.
        """
        if "?" in path or "#" in path or "://" in path:
            return self.url(path)
        return f"/[cut: {len(path)} characters]" if len(path) > MAX_TEXT else self._segments(path)

    def url(self, url: str) -> str:
        """A URL, or the end of one from its path on, without passwords and tokens."""
        if len(url) > MAX_TEXT:
            return f"[cut: {len(url)} characters]"
        url, hash_mark, fragment = url.partition("#")
        url, mark, query = url.partition("?")
        if base := _BASE.fullmatch(self._text(url)):
            url = base[1] + self._segments(base[2])
        else:
            url = self._segments(url)
        if query:
            query = self.query(query)
        if fragment:
            fragment = self.query(fragment) if "=" in fragment else self._text(fragment)
        return hide_link_queries(f"{url}{mark}{query}{hash_mark}{fragment}")

    def _segments(self, path: str) -> str:
        segments = (self._text(path) if "hook" in path or "/services/T" in path else path).split(
            "/"
        )
        before = last = ""
        for index, segment in enumerate(segments):
            if not (segment.isalpha() and len(segment) <= 15):
                segments[index] = self._segment(before, segment, last)
            last, before = before, unquote(segment) if "%" in segment else segment
        return "/".join(segments)

    def _split(self, piece: str) -> tuple[str, str, str | None, Rule]:
        """Name as written, key as meant, value as written (None without `=`) and the key's rule."""
        name, equals, value = piece.partition("=")
        key = unquote_plus(name, errors="replace") if "%" in name or "+" in name else name
        # A key in an unknown encoding may say "password" in it.
        rule = Rule.HIDE if "\ufffd" in key else self._judge(key)
        return name, key, value if equals else None, rule

    def _named(self, key: str, rule: Rule, fields: dict[str, Plain]) -> Rule:
        inside = rule is Rule.NAMED and key.endswith("]")
        return Rule.HIDE if inside and is_named_secret(fields, key, self._judge) else rule

    def _pair(self, name: str, key: str, value: str | None, rule: Rule) -> str:
        shown_key = self._text(key)
        if shown_key != key:
            name = quote(shown_key, safe=_READABLE)
        if not value:
            return name if value is None else f"{name}="
        decoded = unquote_plus(value, errors="replace") if "%" in value or "+" in value else value
        if is_hidden(in_query(rule, key), decoded):
            return f"{name}={MARKER}"
        shown = self._text(decoded)
        return f"{name}={value if shown == decoded else quote(shown, safe=_READABLE)}"

    def _segment(self, before: str, segment: str, last: str) -> str:
        decoded = unquote(segment, errors="replace")
        shown = self._text(decoded)
        if shown != decoded:
            return quote(shown, safe=_READABLE + "=&")
        return MARKER if is_token(before, decoded, last, self._judge) else segment


def _rule_beside(key: str, value: str | None, rule: Rule, keys: set[str]) -> Rule:
    """What a key's rule is by the keys beside it."""
    if key == "hash":
        return rule if _FILES.isdisjoint(keys) else Rule.NAMED
    if key in _SIGNATURES and rule is Rule.SHOW and not _TIMES.isdisjoint(keys):
        return Rule.RANDOM
    if rule not in (Rule.CODE, Rule.KIN) and key not in ("pass", "pin"):
        return rule
    decoded = unquote_plus(value or "")
    if rule is Rule.KIN:
        return Rule.HIDE if is_kin(key, decoded, keys) else rule
    if rule is Rule.CODE and is_grant(decoded, keys):
        return Rule.HIDE
    item = int(decoded) if key == "pass" and decoded.isdecimal() else decoded
    return Rule.NAMED if is_of_another_kind(key, item, keys) else rule
