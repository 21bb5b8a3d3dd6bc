"""Digits that sentences say to be a code: `Your code is 482913`, `expected code 482913, got …`."""

import re
from typing import Final

from app.lib.tracelog.redaction.keys.words import OTHER_CODES
from app.lib.tracelog.redaction.plain import MARKER

_STEMS: Final = ("code", "otp", "pin", "cv", " key", "one-time", "one time", "confirm with")
_CODE: Final = re.compile(
    r"(?i)(\b(?:(?:(?:verif(?:ication|y)|security|confirmation|login|sign-?in|one[ \-]?time|access"
    r"|sms|2fa|mfa|two[ \-]factor|two[ \-]step|authentication|recovery|backup|reset|door|gate|alarm"
    r"|entry|lockbox|keypad"
    r"|garage|unlock|lock|locker|safe|building|wifi)"
    r"[ \-](?:code|password|pin)"
    r"|(?<!/)(?:otp ?/ ?)?(?:otp|pin|passcode|cvv2?|cvc2?)(?: (?:code|number))?(?: to(?= ))?)"
    r"(?: is| was| mismatch:? expected|(?: has been| was| is)? (?:re)?(?:set|changed) to)?"
    r"|(?:your|id)(?: (?-i:[A-Z][a-z]{2,16}))? code is)"
    r"(?: [\-–—])?:?(?:[ \t]{1,3}[\"'`(\[]?|(?:\s{0,3}<[a-z/][^<>\n]{0,120}>){1,4}\s{0,3}))"
    r"(?:[A-Z]{1,3}-)?[0-9](?:[ \-]?[0-9]){2,9}+"
    r"|(?<!error )(?<!status )(?<!area )(?<!zip )(\bcode:? )[0-9]{3}-[0-9]{3}(?![\-0-9])"
    r"|(\benter (?:the |this )?code )[A-Z0-9]{4}-[A-Z0-9]{4}(?= (?:at|on) (?:https?:|your )| to )"
)
_CODE_LAST: Final = re.compile(
    r"(?i)(\b(?:otp|pin|passcode|(?:access|door|gate|alarm) code"
    r"|one[ \-]time (?:password|passcode|pin|code)"
    r"|(?:reset|recovery|unlock|verification|2fa|mfa|login|sms"
    r"|sign-?in|security|confirmation|auth(?:entication)?) code)(?: code)?"
    r" (?:sent )?(?:for|to) [^\n]{1,80}?(?: is:?|:) )[0-9]{4,8}\b"
)
_CODE_FIRST: Final = re.compile(
    r"(?i)\b(?:[0-9]{4,8}|[0-9]{3}[ \-][0-9]{3})(?= (?:is|as|[\-–—]) (?:your|the)"
    r" (?:[\w\-]{1,24} ){0,3}"
    r"(?:code|otp|pin|password|passcode)\b)"
)
_IN_GROUPS: Final = re.compile(
    r"(?i)((?:\b(?:recovery|backup|scratch|reset|verification|security|access|one-time|device"
    r"|activation|licen[sc]e|gift card) (?:code|key)s?|\b(?:product|serial) keys?)"
    r"(?: (?:is|are|was))?:?(?:[ \t]{1,3}|\n)[\"'`]?)"
    r"(?=[a-z\-]{0,40}[0-9])(?=[0-9\-]{0,40}[a-z])[a-z0-9]{3,8}(?:-[a-z0-9]{3,8}){1,7}\b"
    r"(?:(?:, ?| and | )(?=[a-z\-]{0,40}[0-9])[a-z0-9]{3,8}(?:-[a-z0-9]{3,8}){1,7}\b){0,15}"
)
"""`recovery code 9f3k-2m4p-7x1q`"""
_OTHERS: Final = "|".join(sorted(OTHER_CODES))
_COMBINATION: Final = re.compile(
    r"(?i)(\bcombination\b[^\n0-9]{0,40}(?: is|:|=)?[ \t]{0,4})[0-9]{1,2}(?:[\- ][0-9]{1,2}){2,3}\b"
)
_ENTERED: Final = re.compile(
    r"(?i)(\b(?:(?:enter|use|type|with) (?:this|the|your|following|it)[^\n:0-9]{0,24}\bcode\b"
    r"[^\n:0-9]{0,40}:"
    r"|confirm with:?"
    r"|(?<!error )(?<!status )\b(?:code|otp|pin) you (?:entered|typed|gave|submitted|provided)"
    r"(?: was| is)?:?(?: ?[(\"'])?"
    r"|\b(?:reset|changed?|set|updated?) (?:(?:the|your|his|her) )?(?:pin|passcode) (?:for|of)"
    r"(?! gpio) [^\n]{1,60}? to|(?:\A|\n|[.,!;:] |\b(?:the|this|my) )code is"
    rf"|\b(?:changed?|set|updated?) (?:the )?(?!(?:{_OTHERS}) )[a-z0-9\-]{{2,16}} (?:code|password)"
    r" to"
    r"|\b(?:invalid|wrong|incorrect|expired) (?:code|otp|pin)"
    r"|\b(?:sent|generated|issued) (?:[a-z]{1,12} ){0,2}code|\bcode:(?=\s{0,3}<)"
    r")[ \t]{0,3}(?:<[a-z]{1,8}>){0,3})[0-9]{4,8}\b(?![.,][0-9])"
    r"|(\bcode )[0-9]{6}\b(?= (?:was |has been )?(?:sent|mailed|texted)\b)"
)
_FIVE: Final = re.compile(rf"(?i)(\b(?!(?:{_OTHERS}) )[a-z]{{3,16}} code: )[0-9]{{5}}\b")
_SIX: Final = re.compile(r"\b[0-9]{6}\b")
_COMPARED_CODES: Final = re.compile(
    r"(?i)\b(?:code|t?otp|pin|passcode)\b[^\n0-9]{0,24}(?:[0-9]{6}|\[redacted\]) ?"
    r"(?:[!=]=|,? (?:but )?(?:got|received|was|vs|expected))"
    r" ?[0-9]{6}\b"
)
_CODE_TO_ENTER: Final = re.compile(
    r"(?i)(\b(?:(?:enter|type(?: in)?|submit|reply(?: with)?)[ \t]{1,3}(?:(?:the )?(?:code|pin) )?"
    r"|use[ \t]{1,3}(?:(?:the )?(?:code|pin) |(?=(?:[A-Z]{1,3}-)?[0-9]{5})))"
    r"(?:[A-Z]{1,3}-)?)[0-9]{4,8}"
    r"(?= to (?:verify|confirm|sign|log|log-?in|reset|activate|authori[sz]e|authenticate|unlock"
    r"|approve|prove|continue|proceed)\b)"
)
_OPEN_CODE: Final = re.compile(
    r"(?i)\b(?:[0-9]{3}[ \-][0-9]{1,3}|[0-9]{4,8})"
    r"(?: (?:is|as?|[\-–—])(?: your| the)?(?: [\w\-]{0,24}){0,4}"
    r"| t(?:o(?: \w{0,12})?)?)?\s{0,8}\Z"
)
_OPEN_COMPARED: Final = re.compile(
    r"(?i)(\b(?:code|t?otp|pin)\b[^\n0-9]{0,24})[0-9]{4,8}[^\n]{0,24}\Z"
)


def hide_codes(text: str, lower: str) -> str:
    """Text without such digits."""
    if "combination" in lower:
        text = _COMBINATION.sub(rf"\g<1>{MARKER}", text)
    if " to " in lower:
        text = _CODE_TO_ENTER.sub(rf"\g<1>{MARKER}", text)
    if not any(stem in lower for stem in _STEMS):
        return text
    text = _IN_GROUPS.sub(rf"\g<1>{MARKER}", text) if "-" in text else text
    text = _FIVE.sub(rf"\g<1>{MARKER}", _ENTERED.sub(rf"\g<1>\g<2>{MARKER}", text))
    text = _COMPARED_CODES.sub(lambda match: _SIX.sub(MARKER, match[0]), text)
    text = _CODE_FIRST.sub(MARKER, _CODE.sub(rf"\g<1>\g<2>\g<3>{MARKER}", text))
    if " for " in lower or " to " in lower:
        text = _CODE_LAST.sub(rf"\g<1>{MARKER}", text)
    return text


def is_code_to_enter(text: str) -> bool:
    return _CODE_TO_ENTER.search(text) is not None


def without_open_digits(text: str) -> str:
    """Cut-off text without digits that the rest may have called a code."""
    return _OPEN_CODE.sub("", _OPEN_COMPARED.sub(r"\g<1>", text))
