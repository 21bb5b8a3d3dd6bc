"""Values whose name stands before them as a value of its own: `name: …` above `value: …`."""

import re
from collections.abc import Callable
from typing import Final

from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.keys.kin import is_login
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import mixes
from app.lib.tracelog.redaction.plain import MARKER

_PART: Final = re.compile(
    r"(?P<head>\bname=\"(?P<name>[\w.\[\]\-]{1,64})\"[ \t]{0,4}\r?\n"
    r"(?:[^\r\n]{1,200}\r?\n){0,3}\r?\n)"
    r"(?!--)[^\r\n]++"
)
_DEFAULT: Final = re.compile(
    r"(?P<head>\bvariable\s{1,4}\"(?P<name>[\w\-]{1,64})\"\s{0,4}\{[^{}]{0,400}?\bdefault\s{0,12}=\s{0,4}\")"
    r"(?:[^\"\\\n]++|\\.)++"
)
_NAMED_INLINE: Final = re.compile(
    r"(?P<head>(?P<mark>[\"']?)\b(?:name|key)(?P=mark)[ ]?[:=][ ]?[\"']"
    r"(?P<name>[\w.\-]{1,64})[\"'],[ ]?"
    r"(?P=mark)value(?P=mark)[ ]?[:=][ ]?[bu]?(?P<quote>[\"']))"
    r"(?P<value>(?:(?!(?P=quote))[^\\\n]|\\.)++)"
)
_NAMED_VALUE: Final = re.compile(
    r"(?m)^(?P<head>[ \t]*+(?:-[ \t]++)?(?:name|key):[ \t]*+[\"']?(?P<name>[\w.\-]{1,64})[\"']?"
    r"[ \t]*+\r?\n[ \t]*+value:[ \t]++)(?P<value>[^\s][^\r\n]*+)"
)
_QUOTED: Final = re.compile(
    r"(?P<head>(?P<mark>[\"'])(?P<name>[A-Za-z][\w \-]{1,32})(?P=mark) (?P<quote>[\"']))"
    r"(?P<value>[^\s\"']{6,128}+)(?=(?P=quote))"
)
"""`got "password" "hunter2x"`"""
_VALUE_AT: Final = re.compile(
    r"(?P<head>(?P<quote>[\"'`]))(?P<value>[^\"'`\n]{4,128}+)"
    r"(?=(?P=quote) (?:at|in|for|of)(?: (?:the )?(?:attribute|column|field|key|parameter|path"
    r"|property))? [\"'`](?P<name>[\w.\-\[\]]{2,64})[\"'`])"
)
"""`got invalid value "hunter2x" at "input.password"`"""
_LIST: Final = re.compile(
    r"(?<![\w\])])(?P<head>\[(?P<quote>[\"'])(?P<name>[\w\-]{2,32})(?P=quote)"
    r"(?:, ?(?P=quote)(?P<between>[^\"'\n\[\]]{0,64})(?P=quote))?, ?(?P=quote))"
    r"(?P<value>[^\"'\n\[\]]{4,128}+)(?=(?P=quote)\]|\Z)"
)
"""`["auth", "hunter2x"] sent`"""


def hide_parts(text: str, judge: KeyJudge) -> str:
    """Text without the secret fields of a multipart form."""
    return _hide_named(_PART, text, judge)


def hide_defaults(text: str, judge: KeyJudge) -> str:
    """Text without what Terraform takes for a secret that nobody gives."""
    return _hide_named(_DEFAULT, text, judge)


def hide_named_values(text: str, judge: KeyJudge) -> str:
    """Text without values behind a name: `Cookie(name='sid', value='…')`, also on the next line."""

    def is_value(match: re.Match[str]) -> bool:
        return not match["value"].startswith(MARKER)

    text = _hide_named(_NAMED_VALUE, text, judge, is_value) if "\n" in text else text
    return _hide_named(_NAMED_INLINE, text, judge, is_value)


def hide_quoted(text: str, judge: KeyJudge) -> str:
    """Text without quoted values right behind the quoted names of secrets."""
    return _hide_named(_QUOTED, text, judge, lambda match: mixes(match["value"]))


def hide_values_at(text: str, judge: KeyJudge) -> str:
    """Text without quoted values before the quoted name of the secret field they were given for."""
    return _hide_named(_VALUE_AT, text, judge, lambda match: mixes(match["value"]))


def hide_lists(text: str, judge: KeyJudge) -> str:
    """Text without what stands behind such a name, or behind a user's, in a list."""

    def hide(match: re.Match[str]) -> str:
        given = [item for item in match.group("name", "between", "value") if item is not None]
        return match["head"] + MARKER if is_login([*given], judge) else match[0]

    return _LIST.sub(hide, text)


def _hide_named(
    pattern: re.Pattern[str],
    text: str,
    judge: KeyJudge,
    is_value: Callable[[re.Match[str]], bool] = bool,
) -> str:
    def hide(match: re.Match[str]) -> str:
        hidden = judge(match["name"]) is Rule.HIDE and is_value(match)
        return f"{match['head']}{MARKER}" if hidden else match[0]

    return pattern.sub(hide, text)
