"""Tokens in paths: `/reset/…`, `/s/…`, `/verify/482913`, also of the addresses within a text."""

import re
from typing import Final
from urllib.parse import unquote

from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import is_hidden, looks_chosen, looks_random
from app.lib.tracelog.redaction.keys.words import words
from app.lib.tracelog.redaction.plain import MARKER
from app.lib.tracelog.redaction.text.logins import is_link

_CODE_FOLLOWS: Final = words("2fa activate confirm confirmation mfa verification verify 認証 確認")
_TOKEN_FOLLOWS: Final = _CODE_FOLLOWS | words(
    """
    reset activation invite invites invitation invitations unsubscribe magic join recover recovery
    forgot 招待 再設定 有効化 本人確認
    """
)
_SHARED: Final = words(
    "calendar claim feed feeds gift ical ics private redeem share shared webcal s l r k i m d p"
)
"""What follows them opens what it names to whoever has it, where it looks random."""
_OF_PEOPLE: Final = words(
    """
    2fa account accounts api auth device email join login mail me mfa otp password phone register
    session signin signup sms totp user users v1 v2 v3
    """
)
"""Before `confirm` its digits are a code, and behind `/orders` the number of one."""
_LOGINS: Final = words("login log-in log_in signin sign-in sign_in")
_LEAST_TITLE: Final = 3
"""Hyphens of a title: `/t/how-to-reset-your-password/4829`."""
_LONGEST_ID: Final = 12
_FEED: Final = re.compile(r"\.(?:atom|ics|json|rss|xml)\Z")
_SHOWN_BY_DEVICES: Final = words("activate authorize code device link pair pairing tv")
_ON_DEVICE: Final = re.compile("[A-Z]{4}-[A-Z]{4}|(?=[A-Z]*-?[0-9])[A-Z0-9]{4}-[A-Z0-9]{4}")
"""`/device/WDJB-MJHT`"""
_CODE: Final = re.compile(r"[0-9]{6}")
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_OTHER_WORD: Final = re.compile(
    r"(?:\A|[\-_])(?!account|address|by|change|code|confirm|e?mail|invit|link|login|magic|member|my"
    r"|password|phone|recover|regist|reset|sign|team|token|unsubscribe|user|verif|activat|via|with)"
)
_PATH: Final = re.compile(
    r"(?<![\w.~/%@\-])(?P<host>//[^\s/\"'<>]++|[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,6}(?::[0-9]{1,5})?)?"
    r"(?P<path>(?:/[^\s/\"'`<>?#(){}\[\],;|\\^「」『』、。]{1,512})+)"
)
_LEAST_TOKEN: Final = 32
_TITLED_HASH: Final = re.compile("(?:[A-Za-z]{1,24}-)+[0-9a-f]{32}")
"""`/Meeting-notes-5983378762cf94fdf8782e53db20768a`"""
_DIGIT: Final = re.compile("[0-9]")
_END: Final = re.compile(r"[.:!*]*\Z")


def hide_paths(text: str, judge: KeyJudge) -> str:
    """Text without the tokens in the paths that stand in it."""

    def hide(match: re.Match[str]) -> str:
        if not _DIGIT.search(match["path"]):
            return match[0]
        segments = match["path"].split("/")
        before = last = ""
        for index, segment in enumerate(segments):
            if len(segment) >= 4 and _DIGIT.search(segment):
                bare = segment[: _END.search(segment).start()]  # type: ignore[union-attr]
                if MARKER not in bare and is_token(before, unquote(bare), last, judge):
                    segments[index] = MARKER + segment[len(bare) :]
            last, before = before, unquote(segment) if "%" in segment else segment
        return (match["host"] or "") + "/".join(segments)

    return _PATH.sub(hide, text)


def is_token(before: str, segment: str, last: str, judge: KeyJudge) -> bool:
    """Whether a segment of a path, behind `before` and `last`, is one that is to be hidden."""
    segment = _FEED.sub("", segment)
    judged = judge(before)
    lower = before.lower()
    after_secret = judged is Rule.HIDE and before.count("-") < _LEAST_TITLE
    if after_secret and segment.isdecimal() and len(segment) >= 4:
        return True
    if (after_secret or lower in _TOKEN_FOLLOWS) and (
        looks_random(segment) or looks_chosen(segment)
    ):
        return True
    if lower in _SHOWN_BY_DEVICES and _ON_DEVICE.fullmatch(segment):
        return True
    first, _, of = lower.partition("-")
    if of in _OF_PEOPLE and first in _CODE_FOLLOWS and _CODE.fullmatch(segment):
        return True
    if lower in _CODE_FOLLOWS and (not last or last.lower() in _OF_PEOPLE):
        return _CODE.fullmatch(segment) is not None
    if ("hook" in before or lower in _SHARED) and is_hidden(Rule.KEYED, segment):
        return len(before) > 1 or lower == "k" or _is_mixed(segment)
    if last.lower() in _LOGINS and looks_chosen(segment):
        return True  # /login/hana/…
    if is_link(before) and looks_random(segment):
        # /confirm-email/…, but not the UUID behind /confirm-order
        return not _UUID.fullmatch(segment) or _OTHER_WORD.search(lower) is None
    if is_link(last) and len(before) <= _LONGEST_ID and looks_random(segment):
        return True  # /reset/MQ/…
    if segment.startswith(("private-", "secret-")) and looks_random(segment):
        return True
    if judged in (Rule.RANDOM, Rule.KEYED, Rule.SESSION) and is_hidden(Rule.KEYED, segment):
        return True  # /trigger/door/with/key/…
    if len(segment) < _LEAST_TOKEN or _TITLED_HASH.fullmatch(segment):
        return False
    return _is_mixed(segment) and looks_random(segment)


def _is_mixed(text: str) -> bool:
    """Of capitals, small letters and digits, as no UUID or hash is."""
    return (
        text.isascii()
        and text.replace("-", "").replace("_", "").isalnum()
        and any(char.isdigit() for char in text)
        and not text.islower()
        and not text.isupper()
    )
