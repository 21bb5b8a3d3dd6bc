"""Finds where a secret value in text begins and ends. In doubt more is hidden, not less."""

import re
import sys
from typing import Final

from app.lib.tracelog.redaction.keys.containers import DIVISIONS
from app.lib.tracelog.redaction.keys.labels import is_state
from app.lib.tracelog.redaction.keys.neighbours import VALUE_KEYS
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import is_hidden, looks_random, mixes, says_nothing
from app.lib.tracelog.redaction.plain import MARKER
from app.lib.tracelog.redaction.text.in_place import is_no_secret
from app.lib.tracelog.redaction.text.prose import is_message

_OPENING: Final = re.compile(
    r"\s*+(?:string\([0-9]{1,6}\) )?(?:[bBuUrRfF]{0,2}(?P<quote>\\*+(?:\"{3}|'{3}|[\"'`]))"
    r"|(?P<encoded>&quot;|&#34;|&#39;|&#x27;|\\+u0022|%22)|(?P<cjk>[「『“‘«]))"
    r"|[ \t\u00a0\u3000]*+(?P<container>[{\[(])"
)
_CJK_CLOSING: Final = {"「": "」", "『": "』", "“": "”", "‘": "’", "«": "»", "（": "）"}
_NEXT: Final = r"[\w.\-\[\]%]{1,64}\\{0,4}[\"']?[:=]"
_BARE: Final = re.compile(
    r"(?:[^\s,;&|\"'`(\[{)\]}><」』。，、（]++"
    rf"|[,;&|](?!\s|\Z|[\"'\\]|{_NEXT}|(?<=;)[\w]{{1,32}} {_NEXT})"
    r"|[\"'`)\]}>](?![\s,;:)\]}>&\"'`\\」]|\Z)"
    r"|<(?!/)|（(?=[!-~])"
    r")++"
)
_BRACKETS: Final = re.compile(
    r"\"(?:[^\"\\]++|\\.)*+\"?|'(?:[^'\\]++|\\.)*+'?|[{\[(]|[}\])]", re.DOTALL
)
_MORE_DIGITS: Final = re.compile(r"(?:[ \u3000\-][0-9０-９]{1,4})++(?![0-9A-Za-z])")
_MORE_GROUPS: Final = re.compile(
    r"(?=[a-z \-]{0,60}[0-9])(?:[ \-][a-z0-9]{4}){2,15}(?![A-Za-z0-9])"
    r"|(?:[ \-][a-z]{4}){3}(?![ \-]?[A-Za-z0-9])"
    r"|(?:[ \-][a-z0-9]{4}){1,2}(?=(?:[ \-][a-z0-9]{0,3})?\Z)"
)
"""As authenticators take their secret, `abcd ef2h …`, and Google gives passwords to programs."""
_MORE_CODES: Final = re.compile(
    r"(?:[ ,、]{1,3}(?=[A-Za-z\-]{0,16}[0-9])[A-Za-z0-9\-]{6,16}(?![\w.:/]))+"
)
"""The others of several: `backup codes: …`."""
_BLANKS: Final = re.compile(r"[ \t\u00a0\u3000]*+")
_BLOCK: Final = re.compile(
    r"(?:!{1,2}[a-z][\w\-]{0,20}[ \t]{1,4}(?=[|>]))?[|>]?[+-]?[ \t]*+(?=\n|\r|\Z)"
)
_NAMES_OF_SECRETS: Final = re.compile(
    r"(?:\s{0,40}(?:- )?(?:[A-Za-z_\-]{1,40}:?"
    r"|(?:environment|external|file|gid|mode|name|source|target|uid): ?[\w./\-]{1,80})"
    r"[ \t]{0,8}(?:\r?\n|\Z))+"
)
"""Which secrets a service is given: `secrets:`, below it `- db_password`."""
_FIRST_SETTING: Final = re.compile(r"\s{1,40}[\w\-]{1,40}:(?:\s|\Z)")
"""Below `csrf:` stand settings, each with a name of its own, where none may be a secret."""
_QUERY: Final = ("?", "&")
_FILED: Final = re.compile(r"\s{1,40}(?:environment|external|file): ?[\w./\-]{1,80}\s{0,8}")
_CLOSED_TAGS: Final = re.compile(
    r"[ \t]{0,4}</[a-z]{1,8}>[ \t]{0,4}(?:</?[a-z]{1,8} ?/?>[ \t]{0,4}){0,3}(?=[^\s<])"
)
"""Between a label and its value: `<b>Password:</b> …`."""
_UNSET: Final = re.compile(rf"(?P<said>[^\s,;]{{1,40}})[,;] {_NEXT}")
"""`token: null, user: hana`"""
_NEXT_LABEL: Final = re.compile(r"[、，\u3000][ぁ-ヶ一-龠ー]{1,12}[：:]")
"""Ends a value in a line of several: `パスワード：…、ユーザー：hana`."""
_PHRASE: Final = re.compile("(?:[a-z]{3,8} ){11,23}[a-z]{3,8}(?![A-Za-z])")
"""The words that a wallet is recovered with."""
_COMPARED: Final = re.compile(
    r"(?P<of>expected|got|received|want(?:ed)?)[ :]{1,2}(?=\S{0,40}[0-9])\S{4,128}+"
    r"(?:,? (?:but )?(?:expected|got|received|want(?:ed)?)[ :]{1,2}\S{4,128}+)?"
    r"|(?P<old>old|from|previous|before)=[^\s,;]{4,128}+,? (?:new|to|current|after)=[^\s,;]{4,128}+"
)
"""`wrong password: got … want …`, `secret rotated: old=… new=…`"""
_FALLBACK: Final = re.compile(
    r"[ \t]{0,4}(?:\|\||\?\?|\?:|or\b)[ \t]{0,4}(?P<quote>[\"'`])(?:(?!(?P=quote))[^\\\n]|\\.)*+"
    r"(?P=quote)?"
)
"""What is taken where a setting is missing: `process.env.SECRET || 'keyboard cat'`."""
_BECAME: Final = re.compile(r"[\"'][ ]{1,3}[=\-]>[ ]{1,3}(?P<quote>[\"'])")
"""Between what a value was and is: `"old" -> "new"`."""
_BECAME_CJK: Final = re.compile(r"」[ \u3000]?(?:→|⇒|から)[ \u3000]?「(?!\[redacted)")
_QUOTED_HEADER: Final = re.compile(
    r"[ \t]{0,4}(?:[A-Za-z][\w\-]{1,24} [^\s\"'`\\]++"
    r"|(?:[\w.\-]{1,64}=[^\s\"'`;\\]*+(?:; |(?=[\"'])))++)"
    r"(?=(?P<quote>[\"'])(?:[\s,;)\]}]|\Z))"
)
"""A header whose quotes stand around its name, too: `-H 'Authorization: Bearer …' https://…`."""
_STATED_IN_JAPANESE: Final = re.compile(
    r"[ \u3000]?[!-'*-~]{3,}+(?=[ \u3000]?(?:[にでをがはとだ]|から|[、。]"
    r"|[（(][^（）()\n]{0,20}[ぁ-んァ-ヶ一-龠][^（）()\n]{0,20}[）)]))"
)
"""Where a value ends in a sentence: `パスワードを…に変更しました`."""
_NEXT_PAIR: Final = re.compile(r"[\"'`][,;][ ]{0,8}[\"']?[A-Za-z_][\w.\-]{0,40}[\"']?[ ]?[:=]")
_CLOSED: Final = " \t,;.*\\\"'`」』”’»"
"""What alone may stand between a quoted value and the end of its line."""
_DIGIT_GROUP: Final = 4
_MOST_JUDGED: Final = 256


def value_span(
    text: str, at: int, rule: Rule, key_start: int, *, whole_line: bool
) -> tuple[int, int] | None:
    """Where the value begins and ends that is to be hidden; None where it may be shown."""
    if text[at - 1] in _CJK_CLOSING:
        stop = text.find(_CJK_CLOSING[text[at - 1]], at)
        if stop >= 0 and (became := _BECAME_CJK.match(text, stop)):
            stop = text.find("」", became.end())
        return at, stop if stop >= 0 else len(text)
    if is_no_secret(text, at, key_start):
        return None
    if text[key_start - 1 : key_start] in _QUERY and text[at : at + 1].isspace():
        return None  # GET /items?token= 200
    if (header := _QUOTED_HEADER.match(text, at)) and text[key_start - 1 : key_start] == header[
        "quote"
    ]:
        start = at + len(header[0]) - len(header[0].lstrip())
        return (start, header.end()) if is_hidden(rule, text[start : header.end()]) else None
    if closed := _CLOSED_TAGS.match(text, at):
        return _bare_value(text, closed.end(), rule, key_start, whole_line=False)
    opening = _OPENING.match(text, at)
    if opening is None or (text.startswith(MARKER, opening.start("container"))):
        return _bare_value(text, at, rule, key_start, whole_line=whole_line)
    if opening["container"]:
        if rule is not Rule.HIDE:
            return None
        if text.startswith(("{}", "[]", "()"), opening.start("container")):
            return None
        stop = _after_brackets(text, opening.start("container"))
        return opening.start("container"), _line_end(text, stop) if whole_line else stop
    start = opening.end()
    if opening["quote"]:
        stop = _closing_quote(text, start, opening["quote"])
    else:
        closing = _CJK_CLOSING[opening["cjk"]] if opening["cjk"] else opening["encoded"]
        stop = text.find(closing, start)
        stop = stop if stop >= 0 else len(text)
    became = _BECAME.match(text, stop) if opening["quote"] and rule is Rule.HIDE else None
    if became and stop == start:
        start = became.end()
    if became and not text.startswith(MARKER, became.end()):
        stop = _closing_quote(text, became.end(), became["quote"])
    if stop == start or not is_hidden(rule, text[start:stop]):
        return None
    line_end = max(stop, _line_end(text, start))
    if not whole_line or _NEXT_PAIR.match(text, stop) or not text[stop:line_end].strip(_CLOSED):
        return start, stop
    return start, line_end


def _are_settings(held: str) -> bool:
    return _FIRST_SETTING.match(held) is not None and not any(
        word.lower().removesuffix(":") in VALUE_KEYS
        if word.endswith(":")
        else (mixes(word) or looks_random(word)) and not says_nothing(word)
        for word in held.split()
    )


def _bare_value(
    text: str, at: int, rule: Rule, key_start: int, *, whole_line: bool
) -> tuple[int, int] | None:
    blanks = _BLANKS.match(text, at)
    start = blanks.end() if blanks else at
    if whole_line and rule is Rule.HIDE and (block := _BLOCK.match(text, start)):
        stop = _block_end(text, block.end(), key_start)
        if not text[block.end() : stop].strip():
            stop = _lone_word_end(text, block.end())
        held = text[block.end() : stop]
        names = _NAMES_OF_SECRETS if text[key_start:at].endswith("ecrets:") else _FILED
        is_division = text[key_start:at].rstrip(" :").lower() in DIVISIONS
        if names.fullmatch(held) or (is_division and _are_settings(held)):
            return None
        return (start, stop) if held else None
    if rule is Rule.HIDE and (stated := _STATED_IN_JAPANESE.match(text, at)):
        stop = stated.end()
    elif rule is Rule.HIDE and (phrase := _PHRASE.match(text, start)):
        stop = phrase.end()
    elif rule is Rule.HIDE and (compared := _COMPARED.match(text, start)):
        return start, compared.end()
    elif whole_line and rule is Rule.HIDE:
        stop = _line_end(text, start)
        if (pair := _UNSET.match(text, start, stop)) and says_nothing(pair["said"]):
            return None
        if label := _NEXT_LABEL.search(text, start, stop):
            stop = label.start()
    else:
        # Whether such a value is hidden shows at its beginning; if not, the next key is in it.
        stop = _bare_end(text, start, min(len(text), start + _MOST_JUDGED))
        if stop == start + _MOST_JUDGED and is_hidden(rule, text[start:stop]):
            stop = _bare_end(text, start, len(text))
    value = text[start:stop]
    if not value or value == MARKER or value.lower() == "nil" or not is_hidden(rule, value):
        return None
    if is_state(value):
        return None
    if start > at and is_message(text[start : _line_end(text, start)]):
        return None
    if (
        value.isdecimal()
        and len(value) <= _DIGIT_GROUP
        and (more := _MORE_DIGITS.match(text, stop))
    ):
        stop = more.end()
    if len(value) == _DIGIT_GROUP and (more := _MORE_GROUPS.match(text, stop)):
        stop = more.end()
    if text[key_start:at].rstrip(" :：=").endswith("odes") and (
        more := _MORE_CODES.match(text, stop)
    ):
        stop = more.end()
    while fallback := _FALLBACK.match(text, stop):
        stop = fallback.end()
    return start, stop


def _bare_end(text: str, start: int, end: int) -> int:
    """The end of a value without quotes; brackets in it are followed to their ends."""
    at = start + text.startswith("（", start)
    while at < end:
        if text.startswith(MARKER, at):
            at += len(MARKER)
        elif text[at] in "([{" and at > start:
            at = _after_brackets(text, at, end)
        elif bare := _BARE.match(text, at, end):
            at = bare.end()
        else:
            break
    return min(at, end)


def _after_brackets(text: str, at: int, end: int = sys.maxsize) -> int:
    """The index behind the bracket that closes the one at `at`; the end of the text without one."""
    depth = 0
    for match in _BRACKETS.finditer(text, at, end):
        if match[0] in "{[(":
            depth += 1
        elif match[0] in "}])":
            depth -= 1
            if depth == 0:
                return match.end()
    return min(len(text), end)


def _closing_quote(text: str, at: int, quote: str) -> int:
    """Where a quoted value ends. In JSON within JSON, quotes carry backslashes: `\\"`."""
    if quote.endswith(('"""', "'''")):
        stop = text.find(quote, at)
        return stop if stop >= 0 else len(text)
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


def _lone_word_end(text: str, at: int) -> int:
    """The end of the next line where that is one word that may be a secret; else `at`."""
    start = text.find("\n", at) + 1
    stop = _line_end(text, start)
    word = text[start:stop].strip()
    return stop if start > 0 and len(word) >= 6 and " " not in word and mixes(word) else at
