"""Secrets in HTML and XML: what stands in a secret element or in the value of a secret field."""

import html
import re
from typing import Final

from app.lib.tracelog.plain import MARKER
from app.lib.tracelog.secret_keys import KeyJudge, Rule

_TAG: Final = re.compile(
    r"<(?P<name>[A-Za-z_][\w:.\-]{0,63})(?P<inside>(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)(?P<end>>?)"
)
_ATTRIBUTE: Final = re.compile(
    r"(?P<name>[A-Za-z_][\w:.\-]{0,63})\s{0,8}=\s{0,8}(?:\"(?P<two>[^\"]*+)\"?|'(?P<one>[^']*+)'?"
    r"|(?P<bare>[^\s\"'>]++))"
)
_NAMING: Final = frozenset({"name", "id", "key", "type", "property", "http-equiv"})
_HOLDING: Final = frozenset({"value", "content"})
_HOLDING_TAGS: Final = frozenset({"textarea", "string", "value"})


def hide_tags(text: str, judge: KeyJudge) -> str:
    """Markup without the content of secret elements and the values of secret fields."""
    shown: list[str] = []
    end = at = 0
    while match := _TAG.search(text, at):
        at = match.end()
        named, values = _attributes(match, judge)
        for start, stop in values:
            shown += [text[end:start], MARKER]
            end = stop
        name = match["name"].rpartition(":")[2]
        holds = judge(name) is Rule.HIDE or (named and name.lower() in _HOLDING_TAGS)
        if holds and match["end"] and not match["inside"].endswith("/"):
            close = text.find(f"</{match['name']}", at)
            close = close if close >= 0 else len(text)
            if text[at:close].strip():
                shown += [text[end:at], MARKER]
                end = at = close
    return "".join([*shown, text[end:]]) if shown else text


def without_open_tag(text: str) -> str:
    """Cut-off markup up to a last tag whose end is missing: it may say later what it holds."""
    for match in _TAG.finditer(text):
        if not match["end"] and text[match.end() : match.end() + 1] in ("", '"', "'"):
            return text[: match.start()]
    return text


def _attributes(tag: re.Match[str], judge: KeyJudge) -> tuple[bool, list[tuple[int, int]]]:
    """Whether a tag is named after a secret, and where the values are that it then holds."""
    named = False
    values = []
    for attribute in _ATTRIBUTE.finditer(tag["inside"]):
        key = attribute["name"].lower()
        group = next(name for name in ("two", "one", "bare") if attribute[name] is not None)
        if key in _NAMING:
            named = named or judge(html.unescape(attribute[group])) is Rule.HIDE
        elif key in _HOLDING and attribute[group]:
            offset = tag.start("inside")
            values.append((offset + attribute.start(group), offset + attribute.end(group)))
    return named, values if named else []
