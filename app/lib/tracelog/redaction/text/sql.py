"""Secrets in what databases say: rows that failed, and statements with their values in them."""

import re
from typing import Final

from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import is_hidden, looks_chosen
from app.lib.tracelog.redaction.plain import MARKER

_FAILING_ROW: Final = re.compile(r"(Failing row contains \()[^\n]*+")
_INSERT: Final = re.compile(
    r"(?i)\binsert\s{1,8}into\s{1,8}[^\s(]{1,128}\s{0,8}\((?P<columns>[^"
    r"()]{1,4000}+)\)\s{0,8}values"
    r"(?P<values>(?:[^';]++|'(?:[^'\\]++|''|\\.)*+'?)*+)"
)
_SET_PASSWORD: Final = re.compile(
    r"(?i)(\b(?:set\s{1,8}password(?:\s{1,8}for\s{1,8}[^\s=]{1,128})?|pragma\s{1,8}(?:hex|re)?key)"
    r"\s{0,8}=\s{0,8}(?:password\s{0,8}\(\s{0,8})?)"
    r"(?:\"(?:[^\"\n]++|\"\")*+\"?|x?'(?:[^'\\\n]++|''|\\.)*+'?)"
)
_ATTACH: Final = re.compile(
    r"(?i)(\battach\s[^\n;]{1,200}?\bkey\s{1,8})(?:x?'(?:[^'\n]++|'')*+'?|\"[^\"\n]*+\"?)"
)
_SETTING: Final = re.compile(
    r"(?i)(?P<head>\bset\s{1,4}[`\"]?\w{0,24}value[`\"]?\s{0,4}=\s{0,4}')(?:[^'\n]++|'')*+"
    r"(?P<tail>'[^;\n]{0,120}?\b(?:key|name|id)[`\"]?\s{0,4}=\s{0,4}'(?P<name>[\w.\-]{1,64})')"
)
_PROCEDURE: Final = re.compile(
    r"(?i)(\bsp_(?:addlogin|password|adduser)\s{1,4}(?:@\w{1,24}\s?=\s?)?N?'[^'\n]{0,64}',\s{0,4}"
    r"(?:@\w{1,24}\s?=\s?)?N?')[^'\n]++"
)
_DUPLICATE: Final = re.compile(
    r"(Duplicate entry ')(?P<value>(?:[^'\n]|''){1,400}?)(?P<tail>' for key '"
    r"(?P<key>[\w.\-]{1,128})')"
)
_OPEN_DUPLICATE: Final = re.compile(r"Duplicate entry '[^'\n]{0,400}(?:'[^\n]{0,140})?\Z")
_OPEN_SETTING: Final = re.compile(
    r"(?i)(\bset\s{1,4}[`\"]?\w{0,24}value[`\"]?\s{0,4}=\s{0,4}')[^'\n]{1,200}(?:'[^;\n]{0,160})?\Z"
)
_SECRET_TABLE: Final = re.compile(
    r"(?i)(?:\b(?:from|update|into)\s{1,4}[\w.\"`]{0,40}(?:token|session|secret|credential|api_?key|otp)"
    r"|\b(?:token|session|secret|password|key|otp)[\"`]?\s{0,4}=[^;\n]{0,200};\s{0,2}args=)"
    r"[^;\n]{0,400}"
)
_QUOTED: Final = re.compile(r"'([^'\n]{16,256})'")
_BOUND: Final = re.compile(
    r"\[SQL: (?P<statement>(?:(?!\[SQL: )[^]]){1,4000}+)\]\s{0,4}\[parameters: ?\Z"
)
_GIVEN: Final = re.compile(r"(?:[^\[\]\n\\]|\[[^\[\]\n\\]{0,400}\]){1,2000}+(?=\])")
_LONGEST_STATEMENT: Final = 4200
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_WORD: Final = re.compile(r"[^\s'\"(),]+")
_HARMLESS: Final = (
    Rule.SHOW, Rule.NAMED, Rule.KIN, Rule.TYPED, Rule.RANDOM, Rule.KEYED, Rule.FLAG, Rule.COUNT,
    Rule.PHRASE,
)  # fmt: skip
_LITERAL: Final = re.compile(r"'(?:[^'\\]++|''|\\.)*+'?|(?<![\w$:%])[0-9]++")


def hide_rows(text: str, judge: KeyJudge) -> str:
    """Text without the values of rows whose columns, as far as they are named, are secret.

    And without what `SET PASSWORD` and `PRAGMA key` set.
    """
    if "=" in text:
        text = _SET_PASSWORD.sub(rf"\g<1>'{MARKER}'", text)
    if "sp_" in text:
        text = _PROCEDURE.sub(rf"\g<1>{MARKER}", text)
    if "=" in text and ("value" in text or "VALUE" in text):
        text = _SETTING.sub(lambda match: _hide_setting(match, judge), text)
    if "attach" in text or "ATTACH" in text:
        text = _ATTACH.sub(rf"\g<1>'{MARKER}'", text)
    if "Failing row" in text:
        # PostgreSQL prints all columns and names none.
        text = _FAILING_ROW.sub(rf"\g<1>{MARKER}", text)
    if "Duplicate entry" in text:
        text = _DUPLICATE.sub(lambda match: _hide_entry(match, judge), text)
    if "WHERE" in text or "where" in text or "args=" in text or "VALUES" in text:
        text = _SECRET_TABLE.sub(_hide_literals, text)
    if "into" not in text and "INTO" not in text:
        return text

    def hide(match: re.Match[str]) -> str:
        columns = match["columns"].split(",")
        if not any(judge(column.strip(' "`[]\n')) is Rule.HIDE for column in columns):
            return match[0]
        start = match.start("values") - match.start()
        return match[0][:start] + _LITERAL.sub(f"'{MARKER}'", match["values"])

    return _INSERT.sub(hide, text)


def binds_nothing(text: str, at: int, judge: KeyJudge) -> bool:
    """Whether the parameters at `at` are put into a statement that names nothing secret."""
    bound = _BOUND.search(text[max(0, at - _LONGEST_STATEMENT) : at])
    given = _GIVEN.match(text, at)
    if bound is None or given is None:
        return False
    names = [*_NAME.findall(bound["statement"]), *_NAME.findall(given[0])]
    return all(judge(name) in _HARMLESS for name in names) and not any(
        is_hidden(Rule.KEYED, word) or looks_chosen(word) for word in _WORD.findall(given[0])
    )


def _hide_literals(match: re.Match[str]) -> str:
    """What looks random in a statement about secrets, whatever the column is called."""
    return _QUOTED.sub(
        lambda quoted: f"'{MARKER}'" if is_hidden(Rule.KEYED, quoted[1]) else quoted[0], match[0]
    )


def without_open_entry(text: str) -> str:
    """Cut-off text without an entry whose key is missing."""
    return _OPEN_DUPLICATE.sub("", _OPEN_SETTING.sub(r"\g<1>", text))


def _hide_setting(match: re.Match[str], judge: KeyJudge) -> str:
    if judge(match["name"]) is not Rule.HIDE:
        return match[0]
    return f"{match['head']}{MARKER}{match['tail']}"


def _hide_entry(match: re.Match[str], judge: KeyJudge) -> str:
    words = match["key"].lower().replace(".", "_").replace("-", "_").split("_")
    rules = {judge("_".join(words[:end])) for end in range(1, len(words) + 1)}
    named = Rule.HIDE in rules or (rules != {Rule.SHOW} and is_hidden(Rule.KEYED, match["value"]))
    return f"{match[1]}{MARKER}{match['tail']}" if named else match[0]
