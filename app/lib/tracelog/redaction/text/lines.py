"""Secrets on a line of their own, below the line that says what they are: `Password`, `Zq9x2m`."""

import re
from typing import Final

from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import looks_chosen, mixes, names_field
from app.lib.tracelog.redaction.plain import MARKER

_LONE_WORD: Final = re.compile(
    r"\n[ \t\u3000>*・•●]{0,16}[\"']?(?P<value>[^\s<>\"']{4,128}+)[\"']?"
    r"[ \t\u3000*]{0,4}(?=\r?\n|\r?\Z)"
)
_ALIGNED: Final = re.compile(
    r"(?m)^(?P<head>[ \t]{0,8}(?P<name>[A-Za-z][\w.\-]{1,40})[ ]{2,40})"
    r"(?P<value>[^\s]{6,128}+)[ ]*\r?$"
)
"""A row of a table whose first column names what stands in the second."""
_MANIFEST: Final = re.compile(r"(?m)^kind:[ \t]*[\"']?Secret[\"']?[ \t]*\r?$")
_HELD: Final = re.compile(
    r"(?m)^(?P<indent>[ \t]*)(?:data|stringData):[ \t]*\r?\n(?P<lines>(?:(?P=indent)[ \t]+[^\n]*"
    r"(?:\n|\Z))++)"
)
_HELD_LINE: Final = re.compile(r"(?m)^([ \t]+[\w.\-]{1,128}:[ \t]+)(?!\[redacted\])[^\s][^\r\n]*")
_PROMPTED: Final = re.compile(
    r"(?P<head>UGFzc3dvcmQ6[^\n]{0,40}\n(?:(?:reply:|S:|<)[^\n]{0,120}\n){0,2}"
    r"(?:C: ?|[>~-]{1,3} ?|send: b?['\"])?)(?P<value>[A-Za-z0-9+/]{4,128}+={0,2})"
)
"""What is sent to `334 UGFzc3dvcmQ6`, which asks for a password."""
_SETTING_NAME: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_DIGITS: Final = re.compile(r"[0-9]{4,8}|[0-9]{3,4}-[0-9]{3,4}")
_SENT: Final = re.compile(
    r"(?:パスワード|パスコード|暗証番号|キー|コード|トークン)(?:は、?|を|[:：]).{0,16}[。:：]?\Z|[:：]\Z"
)
_LABELS: Final = re.compile("(?i)(?:pass(?:word|code|phrase)|パス(?:ワード|コード|フレーズ))[:：]?")
_LONGEST_LABEL: Final = 40
_LONGEST_LINE: Final = 160
_EDGE: Final = " \t\r\u3000■□●○◆◇▼▶※★☆・*#>=-【】[]［］〔〕《》:：。!！"
_BELOW: Final = re.compile(
    r"(?:は|が)?、?(?:(?:以下|次|下記)の?(?:通り|とおり)?)?(?:です|となります|になります"
    r"|でございます)?\Z"
    r"|を(?:お送り|お知らせ|送付|送信|通知|ご連絡|ご案内)(?:いた)?します\Z"
    r"|(?: is| are)(?: below| as follows)?\Z|[（(][^()（）]{0,20}[)）]\Z"
)
_LABEL: Final = re.compile(r"[\w '’\-]++")
_CODE: Final = re.compile(
    r"(?i)\b(?:verification|security|confirmation|login|log-?in|sign-?in|one[ \-]?time|access|sms"
    r"|2fa|mfa|authentication|recovery|reset|your|pin|following|the|this)"
    r"[ \-](?:code|password|passcode|pin)\b"
    r"|(?:(?:暗証|認証)番号|(?:暗証|認証|確認|ログイン|セキュリティー?|復旧)コード"
    r"|ワンタイムパスワード)(?!の)"
)
_OF_DIGITS: Final = re.compile(
    r"(?i)(?:pin|otp|code|passcode|password)s?\Z|(?:暗証番号|認証番号|口座番号|コード|パスワード)\Z"
)


def hide_lines(text: str, judge: KeyJudge) -> str:
    """Text without lone words that look like a secret below a line that announces one.

    A list of them ends where a line is none.
    """
    if "UGFzc3dvcmQ6" in text:
        text = _PROMPTED.sub(rf"\g<head>{MARKER}", text)
    shown: list[str] = []
    end, listed = 0, -1
    for match in _LONE_WORD.finditer(text):
        value = match["value"]
        digits = _DIGITS.fullmatch(value) is not None
        before = _line_before(text, match.start())
        if not digits and (
            not (
                looks_chosen(value)
                or (
                    value.isascii()
                    and mixes(value)
                    and not names_field(value)
                    and _LABELS.fullmatch(before)
                )
                or (
                    mixes(value)
                    and ((match.start() == listed and value.isascii()) or _SENT.search(before))
                )
            )
            or _SETTING_NAME.fullmatch(value)
        ):
            continue
        if match.start() != listed and not _announces(before, judge, digits=digits):
            continue
        listed = match.end()
        shown += [text[end : match.start("value")], MARKER]
        end = match.end("value")
    return "".join([*shown, text[end:]]) if shown else text


def hide_aligned(text: str, judge: KeyJudge) -> str:
    """Text without secrets in the second column of a table, as `vault kv get` prints it."""

    def hide(match: re.Match[str]) -> str:
        hidden = mixes(match["value"]) and judge(match["name"]) is Rule.HIDE
        return match["head"] + MARKER if hidden else match[0]

    return _ALIGNED.sub(hide, text)


def hide_manifests(text: str) -> str:
    """Text without what a Secret of Kubernetes holds, written as YAML."""
    if "Secret" not in text or not _MANIFEST.search(text):
        return text

    def hide(match: re.Match[str]) -> str:
        lines = _HELD_LINE.sub(rf"\g<1>{MARKER}", match["lines"])
        return match[0][: match.start("lines") - match.start()] + lines

    return _HELD.sub(hide, text)


def _line_before(text: str, at: int) -> str:
    """The line that ends at `at`, or where that is empty, the one before."""
    for _ in range(2):
        start = text.rfind("\n", max(0, at - _LONGEST_LINE), at)
        line = text[start + 1 : at] if start >= 0 or at < _LONGEST_LINE else ""
        if line.strip() or start < 0:
            return line.strip(" \t\r\u3000")
        at = start
    return ""


def _announces(line: str, judge: KeyJudge, *, digits: bool) -> bool:
    if digits and _CODE.search(line):
        return True
    label = line.strip(_EDGE)
    label = label[: match.start()] if (match := _BELOW.search(label)) else label
    label = label.strip(_EDGE)
    if digits and not _OF_DIGITS.search(label):
        return False
    if not label.isascii():
        bare = "".join(label.casefold().split())
        return bare.endswith(judge.foreign) and len(bare) <= _LONGEST_LABEL
    if len(label) > _LONGEST_LABEL or not _LABEL.fullmatch(label):
        return False
    words = label.split()
    return any(judge(" ".join(words[-count:])) is Rule.HIDE for count in (1, 2))
