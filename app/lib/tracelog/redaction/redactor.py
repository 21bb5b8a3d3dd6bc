"""Takes secrets out of what is recorded: headers, queries, paths, values and text.

The rules stand in two rooms: `keys` tells what is a secret by its key, its neighbours and how it
looks, `text` finds secrets in lines, sentences, commands and code, in a file for each of these.
None of the methods raises: what cannot be understood is hidden.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final

import orjson

from app.lib.tracelog.codec import one_line
from app.lib.tracelog.redaction.data import DataRedactor
from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import is_hidden, looks_random, says_nothing
from app.lib.tracelog.redaction.memo import Memo
from app.lib.tracelog.redaction.plain import MARKER, Plain, clean, plain
from app.lib.tracelog.redaction.text.redactor import MAX_TEXT, TextRedactor
from app.lib.tracelog.redaction.urls import UrlRedactor

MAX_HEADER: Final = 8192
"""Of a longer header value only the size is kept."""

MAX_NAME: Final = 64
_MAX_REMEMBERED: Final = 256
_MAX_PLAIN: Final = 1024
_SHORT_VALUE: Final = 8
"""A value up to this may only say how it is with the secret: `enabled`."""
_URLS: Final = frozenset(
    {"content-location", "hx-current-url", "hx-push-url", "hx-redirect", "location", "referer"}
)
_KEYS_OF_THINGS: Final = re.compile(
    "idempot|cache|surrogate|partition|sort|primary|routing|sec-websocket|object|file|dedup|message"
    "|public|translation|order|group|shard|hash-key|tenant|retry"
)
"""In the names of headers whose key opens nothing."""
_COOKIE_VALUE: Final = re.compile(rb"=[^;]+")
_SAFE_ATTRIBUTES: Final = frozenset(
    {"domain", "expires", "httponly", "max-age", "partitioned", "path", "priority", "samesite"}
    | {"secure"}
)


UNREADABLE: Final = "[unreadable]"
"""Stands for text that made a rule fail; nothing is known to do so."""


class Redactor:
    """Replaces secrets by `[redacted]`. One serves a whole process, from any thread.

    `extra_keys` are further keys whose values are hidden, written in any style; `extra_patterns`
    are regular expressions of what is hidden in text. Raises `ValueError` for a wrong pattern.
    """

    def __init__(
        self, *, extra_keys: Iterable[str] = (), extra_patterns: Iterable[str] = ()
    ) -> None:
        self.judge = KeyJudge(extra_keys)
        self.texts = TextRedactor(self.judge, extra_patterns)
        self.data = DataRedactor(self.judge, self.texts)
        self._urls = UrlRedactor(self.judge, self.data.string)
        self._names = Memo(self._look_at_name, size=512, longest=MAX_NAME)
        self._plain: set[str | bytes] = set()

    def headers(self, raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str | list[str]]:
        """Headers by lower-case name, repeated ones as a list. Cookies keep their names."""
        shown: dict[str, str | list[str]] = orjson.loads(self.headers_json(raw, {}))
        return shown

    def headers_json(self, raw: Iterable[tuple[bytes, bytes]], more: Mapping[str, str]) -> bytes:
        """The same as a JSON object on one line, with `more` members behind them."""
        members: dict[str, bytes] = {}
        names = self._names
        for raw_name, raw_value in raw:
            name, values = names[raw_name]
            if name in members:
                return self._repeated(raw, more)
            members[name] = values[raw_value]
        more_json = one_line(orjson.dumps(more))
        if not members:
            return more_json
        separator = b"," if more else b""
        return b"{" + b",".join(members.values()) + separator + more_json[1:]

    def _repeated(self, raw: Iterable[tuple[bytes, bytes]], more: Mapping[str, str]) -> bytes:
        """`headers_json` for headers of which some come more than once: their values are a list."""
        shown: dict[str, list[str]] = {}
        for raw_name, raw_value in raw:
            [(name, value)] = orjson.loads(self.headers_json([(raw_name, raw_value)], {})).items()
            shown.setdefault(name, []).append(value)
        single = {name: values if len(values) > 1 else values[0] for name, values in shown.items()}
        return one_line(orjson.dumps({**single, **more}))

    def query(self, raw: bytes) -> str:
        """The query string, without its `?`, with secret values replaced."""
        if raw in self._plain:
            return raw.decode()
        try:
            text = raw.decode(errors="replace")
            shown = self._urls.query(text)
            if shown == text and raw.isascii():
                self._remember(raw)
            return shown
        # Whatever a rule may stumble over, a request must not; what is not understood is hidden.
        except Exception:  # noqa: BLE001
            return UNREADABLE

    def path(self, text: str) -> str:
        """A path or a URL without the tokens that can be recognised in it."""
        if text in self._plain:
            return text
        try:
            shown = clean(self._urls.path(text))
            if shown == text:
                self._remember(text)
            return shown
        except Exception:  # noqa: BLE001 # as in query()
            return UNREADABLE

    url = path

    def text(self, text: str) -> str:
        """Free text without secrets; more than `MAX_TEXT` characters are cut off."""
        try:
            return self.data.string(text)
        except Exception:  # noqa: BLE001 # as in query()
            return UNREADABLE

    def ends(self, text: str, limit: int) -> str:
        """The beginning and, seven times as long, the end of a stack trace, without secrets.

        `limit` is in characters, at most `MAX_TEXT // 2`. Secrets go before the middle does.
        """
        if len(text) <= MAX_TEXT:
            first = last = self.text(text)
            if len(first) <= limit:
                return first
        else:
            first = self.texts.cut(text[: MAX_TEXT // 2])
            # What began before this window is in its first half, which is left out.
            last = self.text(text[-MAX_TEXT:])
        head = limit // 8
        return f"{first[:head]}\n…\n{last[-(limit - head - 3) :]}"

    def value(self, value: object) -> Plain:
        """Any object as JSON-ready data without secrets: bounded, sharing nothing with `value`."""
        try:
            return self.data.value(plain(value))
        except Exception:  # noqa: BLE001 # as in query()
            return UNREADABLE

    def _remember(self, plain: str | bytes) -> None:
        """Keep in mind what is shown as it is; nothing else, so no secret stays in memory."""
        if len(plain) <= MAX_NAME:
            if len(self._plain) >= _MAX_PLAIN:
                self._plain.clear()
            self._plain.add(plain)

    def _look_at_name(self, raw: bytes) -> tuple[str, Memo[bytes, bytes]]:
        """How a header is called, and what makes a member of JSON of its value."""
        name = raw.decode("latin-1").lower()
        show: Callable[[bytes], str]
        size = 0
        if name == "cookie":
            show = self._cookies
        elif name == "set-cookie":
            show = self._set_cookie
        elif (rule := self._rule(name)) is Rule.HIDE:
            show = _hide_unless_named
        else:
            show, size = partial(self._header, name, rule), 32
        shown_name = self.data.key(name)
        member = partial(_member, shown_name, show)
        if name == "content-length":
            # There are too many to remember.
            member, size = partial(_number, b'"content-length":"%b"', member), 0
        elif name == "cookie":
            # What is remembered must hold no secret.
            by_names = Memo(member, size=32, longest=_MAX_REMEMBERED)
            member = partial(_cookie_member, by_names, member)
        elif show is _hide_unless_named:
            member = partial(_hidden_member, member(b""), member)
        return shown_name, Memo(member, size=size, longest=_MAX_REMEMBERED)

    def _rule(self, name: str) -> Rule:
        rule = self.judge(name)
        if name == "hx-prompt":
            return Rule.HIDE  # what a page asked for, and it may have been a password
        if name.endswith("-key") and rule in (Rule.SHOW, Rule.KEYED):
            return Rule.SHOW if _KEYS_OF_THINGS.search(name) else Rule.RANDOM
        return rule

    def _header(self, name: str, rule: Rule, raw: bytes) -> str:
        if len(raw) > MAX_HEADER:
            return f"[{len(raw)} bytes]"
        if len(raw) < 8 and raw.isdigit() and rule is Rule.SHOW:
            return raw.decode()
        try:
            value = raw.decode()
        except UnicodeDecodeError:
            value = raw.decode("latin-1")
        if is_hidden(rule, value):
            return MARKER
        if name == "sec-websocket-protocol":
            return self._protocols(value)
        return self.path(value) if name in _URLS else self.text(value)

    def _protocols(self, value: str) -> str:
        """Browsers can send no Authorization with a WebSocket, so tokens come as protocols."""
        shown: list[str] = []
        secret_next = False
        for protocol in map(str.strip, value.split(",")):
            hidden = secret_next or looks_random(protocol)
            secret_next = not hidden and self.judge(protocol) is Rule.HIDE
            shown.append(MARKER if hidden else self.text(protocol))
        return ", ".join(shown)

    def _cookies(self, raw: bytes) -> str:
        if len(raw) > MAX_HEADER:
            return f"[{len(raw)} bytes]"
        shown = []
        for pair in raw.decode("latin-1").split(";"):
            name, equals, value = pair.strip().partition("=")
            if not equals:
                shown.append(MARKER if name else "")
            else:
                shown.append(f"{self.data.key(name)}={MARKER if value else ''}")
        return "; ".join(shown)

    def _set_cookie(self, raw: bytes) -> str:
        cookie, *attributes = raw[:MAX_HEADER].split(b";")
        shown = [self._cookies(cookie)]
        for attribute in attributes:
            name, equals, value = attribute.decode("latin-1").strip().partition("=")
            known = name.lower() in _SAFE_ATTRIBUTES and "=" not in value
            shown.append(
                f"{name if known else MARKER}{equals}{value if known else MARKER * bool(equals)}"
            )
        return "; ".join(shown)


def _hide_unless_named(raw: bytes) -> str:
    """`Bearer $TOKEN` tells what is wrong."""
    value = raw.decode("latin-1")
    return value if len(value) <= MAX_NAME and says_nothing(value) and value else MARKER


def _hidden_member(hidden: bytes, member: Callable[[bytes], bytes], raw: bytes) -> bytes:
    return member(raw) if b"$" in raw or b"<" in raw or len(raw) <= _SHORT_VALUE else hidden


def _number(member: bytes, other: Callable[[bytes], bytes], raw: bytes) -> bytes:
    return member % raw if raw.isdigit() and len(raw) < 13 else other(raw)


def _cookie_member(
    by_names: Mapping[bytes, bytes], member: Callable[[bytes], bytes], raw: bytes
) -> bytes:
    names = _COOKIE_VALUE.sub(b"=*", raw)
    has_only_pairs = names.count(b"=") == names.count(b";") + 1
    return by_names[names] if has_only_pairs and len(raw) <= MAX_HEADER else member(raw)


def _member(name: str, show: Callable[[bytes], str], raw: bytes) -> bytes:
    return one_line(orjson.dumps({name: show(raw)}))[1:-1]
