"""Secrets in sentences, commands, SQL and markup: where no `=` or `:` stands before the value."""

import html
import re
from typing import Final

from app.lib.tracelog.plain import MARKER
from app.lib.tracelog.secret_keys import KeyJudge, Rule, looks_random

_STATED: Final = re.compile(
    r"(?i)(?<![a-z])(?P<word>passwords?|passwd|passphrase|passcode|secrets?|tokens?|api[ _\-]?keys?"
    r"|otp|pin|credentials?|identified[ \t]{1,3}by)(?P<link>[ \t]{1,3}(?:(?:is|was)[ \t]{1,3})?)"
    r"(?:'(?P<one>(?:[^'\\\n]++|''|\\.)++)|\"(?P<two>(?:[^\"\\\n]++|\"\"|\\.)++)|`(?P<tick>[^`\n]++)"
    r"|(?P<bare>[^\s'\"`<>()\[\]{},;]{6,}+))"
)
_MESSAGE: Final = re.compile(
    r"(?i)(?:must|should|may|can|does|do|has|have|is|are|was) (?:not|no|be|been|contain|have|match"
    r"|include|required|missing|invalid|incorrect|wrong|expired|empty|too|already)\b"
    r"|(?:string|input|value|field|this field) (?:should|must|is|required)\b"
    r"|(?:not|no longer) (?:found|valid|provided|allowed|set|given|configured)\b"
    r"|too (?:short|long|weak|common|many)\b"
    r"|(?:invalid|incorrect|wrong|expired|missing|required|unknown|revoked|expected|unauthorized)"
    r"(?:[.!]?\s*\Z| (?:or|value|format|length|type|header|token|password|signature|user|at|in)\b)"
)
_FLAG: Final = re.compile(
    r"(?<!\S)(?P<flag>--?[A-Za-z][\w.\-]{1,48})(?P<gap>[ \t]{1,3})"
    r"(?P<value>\"[^\"]*+\"?|'[^']*+'?|[^\s\-][^\s]*+)"
)
_TAG: Final = re.compile(
    r"<(?P<name>[A-Za-z_][\w:.\-]{0,63})(?P<inside>(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)(?P<end>>?)"
)
_ATTRIBUTE: Final = re.compile(
    r"(?P<name>[A-Za-z_][\w:.\-]{0,63})\s{0,8}=\s{0,8}(?:\"(?P<two>[^\"]*+)\"?|'(?P<one>[^']*+)'?"
    r"|(?P<bare>[^\s\"'>]++))"
)
_NAMING: Final = frozenset({"name", "id", "key", "type", "property", "http-equiv"})
_HOLDING: Final = frozenset({"value", "content"})
_FAILING_ROW: Final = re.compile(r"(Failing row contains \()[^\n]*+")


def hide_stated(text: str) -> str:
    """Text without what it states to be a secret: `PASSWORD 'x'`, `the token is 3f9a…`."""
    if "Failing row" in text:
        text = _FAILING_ROW.sub(rf"\g<1>{MARKER}", text)  # PostgreSQL prints all its columns
    return _STATED.sub(_hide_stated, text)


def hide_flags(text: str, judge: KeyJudge) -> str:
    """Text without the values of secret command-line options: `--api-key abc`."""

    def hide(match: re.Match[str]) -> str:
        flag = match["flag"].lstrip("-")
        if judge(flag) is not Rule.HIDE or match["value"] == MARKER:
            return match[0]
        return f"{match['flag']}{match['gap']}{MARKER}"

    return _FLAG.sub(hide, text)


def hide_tags(text: str, judge: KeyJudge) -> str:
    """Markup without the content of secret elements and the values of secret fields."""
    shown: list[str] = []
    end = at = 0
    while match := _TAG.search(text, at):
        at = match.end()
        name = match["name"].rpartition(":")[2]
        attributes = {a["name"].lower(): a for a in _ATTRIBUTE.finditer(match["inside"])}
        named = any(
            judge(html.unescape(_content(attributes[key])[0])) is Rule.HIDE
            for key in _NAMING & attributes.keys()
        )
        if named:
            for key in sorted(_HOLDING & attributes.keys(), key=lambda k: attributes[k].start()):
                _, start, stop = _content(attributes[key])
                offset = match.start("inside")
                if start < stop:
                    shown += [text[end : offset + start], MARKER]
                    end = offset + stop
        holds = judge(name) is Rule.HIDE or (named and name.lower() in {"textarea", "string"})
        if holds and match["end"] and not match["inside"].endswith("/"):
            close = text.find(f"</{match['name']}", at)
            close = close if close >= 0 else len(text)
            if text[at:close].strip():
                shown += [text[end:at], MARKER]
                end = at = close
    return "".join([*shown, text[end:]]) if shown else text


def _content(attribute: re.Match[str]) -> tuple[str, int, int]:
    group = next(name for name in ("two", "one", "bare") if attribute[name] is not None)
    return attribute[group], attribute.start(group), attribute.end(group)


def _hide_stated(match: re.Match[str]) -> str:
    value, start = _stated_value(match)
    if value.startswith(MARKER):
        return match[0]
    if match["bare"]:
        hidden = looks_random(value.rstrip(".!?:"), least=6) or _mixes(value)
    else:
        # "Unexpected token '<'" is what every JavaScript parser says.
        hidden = not match["word"].lower().startswith("token") or looks_random(value, least=6)
    return match[0][: start - match.start()] + MARKER if hidden else match[0]


def _stated_value(match: re.Match[str]) -> tuple[str, int]:
    group = next(name for name in ("one", "two", "tick", "bare") if match[name] is not None)
    return match[group], match.start(group)


def is_message(text: str) -> bool:
    """Whether text goes on as a message about a secret: `must be at least 12 characters`."""
    return _MESSAGE.match(text) is not None and not any(
        _mixes(word) or looks_random(word, least=6) for word in text[:400].split()
    )


def _mixes(value: str) -> bool:
    """Whether letters and digits are mixed as in no word: `hunter2`, but not `sha256`."""
    return (
        "://" not in value
        and any(char.isdigit() for char in value)
        and any(char.isalpha() for char in value)
        and value.lower() not in {"argon2", "argon2id", "sha256", "sha512", "pbkdf2", "base64"}
    )
