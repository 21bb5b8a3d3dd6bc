"""Secrets in HTML and XML: what stands in a secret element or in the value of a secret field."""

import html
import re
from typing import Final

from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import is_hidden
from app.lib.tracelog.redaction.plain import MARKER

_TAG: Final = re.compile(
    r"<(?P<name>[A-Za-z_][\w:.\-]{0,63})(?P<inside>(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)"
    r"(?P<end>>?)"
)
_ATTRIBUTE: Final = re.compile(
    r"(?P<name>[A-Za-z_][\w:.\-]{0,63})\s{0,8}=\s{0,8}(?:\"(?P<two>[^\"]*+)\"?|'(?P<one>[^']*+)'?"
    r"|(?P<bare>[^\s\"'>]++))"
)
_PROSE: Final = re.compile(r" [a-z]++(?:[ ][A-Za-z,.']++){2,40}\??\Z")
"""Behind what only looks like a tag: `AUTH <password> called without any password`."""
_QUOTES: Final = ('"', "'", "`")
_NAMING: Final = frozenset({"name", "id", "key", "type", "property", "http-equiv"})
_HOLDING: Final = frozenset({"value", "content"})
_VOID: Final = frozenset(
    {"base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"}
)
_NAMES: Final = frozenset({"name", "key", "property"})
_NAME_TAGS: Final = frozenset({"name", "key", "th", "td", "dt"})


def hide_tags(text: str, judge: KeyJudge) -> str:
    """Markup without the content of secret elements and the values of secret fields."""
    shown: list[str] = []
    end = at = 0
    expected = False
    while match := _TAG.search(text, at):
        at = match.end()
        named, values = _attributes(match, judge)
        for start, stop in values:
            shown += [text[end:start], MARKER]
            end = stop
        name = match["name"].rpartition(":")[2]
        rule = judge(name)
        name = name.lower()
        if name == "th":
            expected = False  # the names of other columns stand beside it
        if match["end"] and not match["inside"].endswith("/") and name not in _VOID:
            whole = named or expected or rule is Rule.HIDE
            close = text.find(f"</{match['name']}" if whole else "<", at)
            close = close if close >= 0 else len(text)
            content = text[at:close].strip()
            holds = named or expected
            if not holds and is_hidden(rule, content):
                holds = close < len(text) or not (
                    _PROSE.match(text, at) or text[at : at + 1] in _QUOTES
                )
            if holds and content:
                shown += [text[end:at], MARKER]
                end = at = close
            # <key>password</key><string>…</string>
            expected = not holds and name in _NAME_TAGS and judge(content[:80]) is Rule.HIDE
    return "".join([*shown, text[end:]]) if shown else text


def without_open_tag(text: str) -> str:
    """Cut-off markup up to a last tag whose end is missing: it may say later what it holds."""
    for match in _TAG.finditer(text):
        if not match["end"] and text[match.end() : match.end() + 1] in ("", '"', "'"):
            return text[: match.start()]
    return text


def _attributes(tag: re.Match[str], judge: KeyJudge) -> tuple[bool, list[tuple[int, int]]]:
    """Whether a tag's content is secret by its name, and where its secret values are."""
    named = content = False
    values = []
    for attribute in _ATTRIBUTE.finditer(tag["inside"]):
        key = attribute["name"].lower()
        group = next(name for name in ("two", "one", "bare") if attribute[name] is not None)
        if key in _NAMING:
            secret = judge(html.unescape(attribute[group])) is Rule.HIDE
            named = named or secret
            content = content or (secret and key in _NAMES)
        elif key in _HOLDING and attribute[group]:
            offset = tag.start("inside")
            values.append((offset + attribute.start(group), offset + attribute.end(group)))
    return content, values if named else []
