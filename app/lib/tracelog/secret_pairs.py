"""Finds `key=value`, `key: value` and `"key": "value"` in text and hides what secret keys hold.

It goes from separator to separator, looks back a bounded way for the key, and where that is
secret, forward for the end of its value. Where the end is in doubt, more is hidden, not less.
"""

import re
from typing import Final

from app.lib.tracelog.plain import MARKER
from app.lib.tracelog.secret_keys import KeyJudge, Rule, is_hidden
from app.lib.tracelog.secret_prose import is_message

_SEPARATOR: Final = re.compile(r"[:=：＝]+>?|(?:は|が|を)?[「『]")
_LOOK_BACK: Final = 96
_KEY_GAP: Final = re.compile(r"[^\w.\-$\[]+")
_KEY_EDGE: Final = " \t\r\n\"'`)]}\\!<>+*」』”’"
_ENCODED_QUOTES: Final = ("&quot;", "&#34;", "&#39;", "&#x27;", "\\u0022", "%22")
_OPENING: Final = re.compile(
    r"\s*+(?:[bBuUrRfF]{0,2}(?P<quote>\\*+[\"'`])"
    r"|(?P<encoded>&quot;|&#34;|&#39;|&#x27;|\\+u0022|%22)|(?P<cjk>[「『“]))"
    r"|[ \t]*+(?P<container>[{\[(])"
)
_CJK_CLOSING: Final = {"「": "」", "『": "』", "“": "”"}
_NEXT: Final = r"[\w.\-\[\]%]{1,64}\\{0,4}[\"']?[:=]"
_BARE: Final = re.compile(
    r"(?:[^\s,;&|\"'`(\[{)\]}><」』]++"
    rf"|[,;&|](?!\s|\Z|[\"'\\]|{_NEXT})"
    r"|[\"'`)\]}>](?![\s,;:)\]}>&\"'`\\」]|\Z)"
    r"|<(?!/)"
    r")++"
)
_BRACKETS: Final = re.compile(
    r"\"(?:[^\"\\]++|\\.)*+\"?|'(?:[^'\\]++|\\.)*+'?|[{\[(]|[}\])]", re.DOTALL
)
_BLANKS: Final = re.compile(r"[ \t]*+")
_BLOCK: Final = re.compile(r"[|>]?[+-]?[ \t]*+(?=\n|\r|\Z)")
_EXCEPTION: Final = re.compile(
    r"(?:^|\.)[A-Z][A-Za-z0-9]*(?:Error|Exception|Warning)\Z"
    r"|(?:^|\.)(?:Invalid|Expired|Missing|Unknown|Wrong|Bad|Weak|Incorrect|Unauthorized|Revoked)"
    r"[A-Z][A-Za-z0-9]*\Z"
    r"|(?:^|\.)[A-Z][A-Za-z0-9]*(?:Expired|Missing|Mismatch|Denied|Failed|Revoked|NotFound|Required)\Z"
)
_NOTHING: Final = frozenset({"none", "null", "nil", "true", "false", "undefined"})
_WHOLE_LINE: Final = frozenset({"authorization", "cookie"})
_LINE_START: Final = " \t>*<-#\"'"


def hide_pairs(text: str, judge: KeyJudge) -> str:
    """Text with the values of secret keys replaced."""
    shown: list[str] = []
    end = at = 0
    while match := _SEPARATOR.search(text, at):
        at = match.end()
        found = _key_before(text, max(end, match.start() - _LOOK_BACK), match, judge)
        if found is None:
            continue
        rule, key_start, whole_line = found
        span = _value(text, at, rule, key_start, whole_line=whole_line)
        if span is None:
            continue
        start, stop = span
        shown += [text[end:start], MARKER]
        end = at = stop
    return "".join([*shown, text[end:]]) if shown else text


def _key_before(
    text: str, low: int, separator: re.Match[str], judge: KeyJudge
) -> tuple[Rule, int, bool] | None:
    """The rule of the key before a separator, where it begins, and whether it owns its line."""
    raw = text[low : separator.start()]
    tail = raw.rstrip(_KEY_EDGE)
    for quote in _ENCODED_QUOTES:
        if tail.endswith(quote):
            tail = tail.removesuffix(quote).rstrip("\\")
    words = _KEY_GAP.split(tail)
    key = words[-1].lstrip("[.-$")
    if not key:
        return None
    rule = _rule(key, tail, judge)
    if rule is not Rule.HIDE and key.lower() in judge.phrase_ends:
        # Two or three words with a space between: "api key: …", "card number=…".
        for count in (2, 3):
            phrase = " ".join(words[-count:])
            if tail.endswith(phrase) and judge(phrase) is Rule.HIDE:
                rule, key = Rule.HIDE, phrase
                break
    if rule is Rule.SHOW or (rule is not Rule.HIDE and separator[0][-1] in _CJK_CLOSING):
        return None
    return rule, low + len(tail) - len(key), _owns_line(low, raw, tail, key, separator[0])


def _rule(key: str, tail: str, judge: KeyJudge) -> Rule:
    # Pydantic's `input_value='…'` and SQLAlchemy's `[parameters: (…)]` may hold anything.
    if key == "input_value" or tail.endswith("[parameters"):
        return Rule.HIDE
    rule = judge(key)
    if rule is Rule.NAMED:
        return Rule.SHOW
    # What follows the name of an exception is its message.
    return Rule.RANDOM if rule is Rule.HIDE and _EXCEPTION.search(key) else rule


def _owns_line(low: int, raw: str, tail: str, key: str, separator: str) -> bool:
    """Whether all of the line is the value: headers, and `key: value` at the start of a line."""
    if "=" in separator or (":" not in separator and "：" not in separator):
        return False
    if len(raw) - len(raw.rstrip(" \t")) != len(raw) - len(tail):
        return False  # the key is quoted, so its value ends with its own quote
    if key.lower().split("-")[-1] in _WHOLE_LINE:
        return True
    before = tail[: len(tail) - len(key)]
    line = before.rpartition("\n")[2]
    if "\n" not in before and low > 0:
        return False
    return not line.strip(_LINE_START)


def _value(
    text: str, at: int, rule: Rule, key_start: int, *, whole_line: bool
) -> tuple[int, int] | None:
    """Where the value begins and ends that is to be hidden; None where it may be shown."""
    if text[at - 1] in _CJK_CLOSING:
        stop = text.find(_CJK_CLOSING[text[at - 1]], at)
        return at, stop if stop >= 0 else len(text)
    opening = _OPENING.match(text, at)
    if opening is None or (text.startswith(MARKER, opening.start("container"))):
        return _bare_value(text, at, rule, key_start, whole_line=whole_line)
    if opening["container"]:
        stop = _after_brackets(text, opening.start("container"))
        if rule is not Rule.HIDE:
            return None
        return opening.start("container"), _line_end(text, stop) if whole_line else stop
    start = opening.end()
    if opening["quote"]:
        stop = _closing_quote(text, start, opening["quote"])
    else:
        closing = _CJK_CLOSING[opening["cjk"]] if opening["cjk"] else opening["encoded"]
        stop = text.find(closing, start)
        stop = stop if stop >= 0 else len(text)
    if stop == start or not is_hidden(rule, text[start:stop]):
        return None
    return start, max(stop, _line_end(text, start)) if whole_line else stop


def _bare_value(
    text: str, at: int, rule: Rule, key_start: int, *, whole_line: bool
) -> tuple[int, int] | None:
    blanks = _BLANKS.match(text, at)
    start = blanks.end() if blanks else at
    if whole_line and rule is Rule.HIDE and (block := _BLOCK.match(text, start)):
        stop = _block_end(text, block.end(), key_start)
        return (start, stop) if text[block.end() : stop].strip() else None
    stop = _line_end(text, start) if whole_line and rule is Rule.HIDE else _bare_end(text, start)
    value = text[start:stop]
    if not value or value == MARKER or value.lower() in _NOTHING or not is_hidden(rule, value):
        return None
    if start > at and is_message(text[start : _line_end(text, start)]):
        return None
    return start, stop


def _bare_end(text: str, start: int) -> int:
    """The end of a value without quotes; brackets in it are followed to their ends."""
    at = start
    while at < len(text):
        if text.startswith(MARKER, at):
            at += len(MARKER)
        elif text[at] in "([{" and at > start:
            at = _after_brackets(text, at)
        elif bare := _BARE.match(text, at):
            at = bare.end()
        else:
            break
    return at


def _after_brackets(text: str, at: int) -> int:
    """The index behind the bracket that closes the one at `at`; the end of the text without one."""
    depth = 0
    for match in _BRACKETS.finditer(text, at):
        if match[0] in "{[(":
            depth += 1
        elif match[0] in "}])":
            depth -= 1
            if depth == 0:
                return match.end()
    return len(text)


def _closing_quote(text: str, at: int, quote: str) -> int:
    """Where a quoted value ends. In JSON within JSON, quotes carry backslashes: `\\"`."""
    mark, level = quote[-1], len(quote) - 1
    while (found := text.find(mark, at)) >= 0:
        slashes = 0
        while found - slashes > at and text[found - slashes - 1] == "\\":
            slashes += 1
        if slashes < level:
            return found - slashes
        if slashes % (2 * (level + 1)) == level:
            if level or text[found + 1 : found + 2] != mark:
                return found - level
            found += 1  # '' within '…' is SQL's and YAML's way to write a quote
        at = found + 1
    return len(text)


def _line_end(text: str, at: int) -> int:
    stop = text.find("\n", at)
    stop = stop if stop >= 0 else len(text)
    return stop - 1 if stop > at and text[stop - 1] == "\r" else stop


def _block_end(text: str, at: int, key_start: int) -> int:
    """The end of the lines below a YAML key that are indented further than the key."""
    indent = key_start - (text.rfind("\n", 0, key_start) + 1)
    stop = at
    while stop < len(text):
        line_start = text.find("\n", stop) + 1
        line_stop = _line_end(text, line_start)
        line = text[line_start:line_stop]
        if line_start == 0 or (line.strip() and len(line) - len(line.lstrip()) <= indent):
            break
        stop = max(line_stop, line_start)
    return stop
