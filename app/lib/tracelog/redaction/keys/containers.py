"""Objects and arrays in the place of a secret: what in them is none, such as names and times.

`{"tokens": [{"id": 1, "name": "ci", "token": …}]}` tells which tokens there are. In doubt a part
is hidden, and where all parts are, the whole.
"""

import re
from typing import Final

from app.lib.tracelog.redaction.keys.labels import is_label
from app.lib.tracelog.redaction.keys.neighbours import VALUE_KEYS
from app.lib.tracelog.redaction.keys.values import looks_chosen, looks_random, mixes, says_nothing
from app.lib.tracelog.redaction.keys.words import words
from app.lib.tracelog.redaction.plain import MARKER, MAX_DEPTH, Plain

_ABOUT: Final = words(
    """
    type kind name title label description format pattern scheme in flows bearerformat provider
    providers method methods strategy grant flow via scope scopes permissions roles status
    created_at createdat created_by createdby updated_at updatedat expires_at expiresat expires
    last_used_at lastusedat
    revoked_at revokedat prefix algorithm alg file external environment source target required
    enum region subject message msg error reason loc field placeholder color spacing domain path
    samesite role header mode plan level realm brand funding network policies displayname symbol
    secretname complexity strength
    """
)
"""Keys of what is said about a secret, where it is no word that may be one."""
DIVISIONS: Final = words("auth authentication csrf xsrf jwt")
"""Under these stand settings or texts as often as secrets, which have names of their own."""
_NUMBERS: Final = words(
    """
    id x y z lat lng lon latitude longitude top left width height row column minlength maxlength
    minimum maximum count total mode uid gid user_id userid expires_in expiresin alg start end line
    offset pos index length digits period amount window min max version gpio
    maxage minage ttl lease_duration duration timeout port attempts max_attempts exp_month exp_year
    decimals price
    """
)
_SPANS: Final = frozenset({"ttl", "timeout", "duration", "count", "length", "attempts", "days"})
_PIECE: Final = re.compile(r"(?: {1,4}|[^\x00-\x7f])?[A-Za-z]{1,12}|\W{1,3}|[^\x00-\x7f]{1,12}")
_NAME_OF_SECRET: Final = re.compile(r"[A-Za-z]{1,20}(?:[_\-./][A-Za-z]{1,20}){1,6}")
_ITEMS: Final = {
    "tokens": _PIECE,
    "secrets": _NAME_OF_SECRET,
    "cookies": re.compile("[a-z]{4,16}"),
    "pins": re.compile("[A-Z]{0,3}[0-9]{1,2}"),
}
"""The pieces of a text, and which secrets a service is given."""
_REMARK: Final = re.compile(
    r"(?:\A| )(?:required|must|[Tt]oo|contain|characters|match|blank|empty|invalid|incorrect"
    r"|expired|missing"
    r"|valid|wrong|common|least|numeric|similar)\b|\A(?i:required|invalid)\b"
    r"|ください|下さい|必須|ありません|できません|短すぎ|長すぎ|一致し|文字以[上内]"
)
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]{5,15}(?:Z|[+-][0-9:]{4,6})?)?")
_COUNTED: Final = re.compile(
    r"\b[0-9]{1,3} (?:characters|chars|days|digits|hours|letters|minutes|seconds)\b"
)
_SIZE: Final = re.compile(
    r"[0-9]{0,4}(?:\.[0-9]{1,4})?(?:px|r?em|pt|%|m?s|v[hw]|[mhdw])|#[0-9a-fA-F]{3,8}"
)
_LONGEST: Final = 200
_LAST: Final = 4
_MOST_MESSAGES: Final = 16


def shown_part(key: str, node: Plain, owner: str = "", depth: int = 0) -> Plain:
    """What may be shown of what stands under a secret key; the marker where nothing may.

    `owner` is the outermost key.
    """
    if node is None or isinstance(node, bool):
        return node
    lower = key.lower()
    owner = owner or lower
    if isinstance(node, str):
        return node if depth and _is_said(lower, node, owner) else MARKER
    if isinstance(node, (int, float)):
        return node if lower in _NUMBERS or lower.rpartition("_")[2] in _SPANS else MARKER
    if not node or depth > MAX_DEPTH:
        return MARKER if node else node
    if isinstance(node, dict):
        parts = {name: shown_part(name, item, owner, depth + 1) for name, item in node.items()}
        return MARKER if all(part == MARKER for part in parts.values()) else parts
    if (pattern := _ITEMS.get(lower)) and all(
        isinstance(item, str) and pattern.fullmatch(item) for item in node
    ):
        return node
    if len(node) <= _MOST_MESSAGES and all(map(_is_remark, node)):
        return node
    items = [shown_part(key, item, f"{owner}[]", depth + 1) for item in node]
    return MARKER if all(item == MARKER for item in items) else items


def _is_said(key: str, text: str, owner: str) -> bool:
    if says_nothing(text) or is_label(owner, text):
        return True
    if key.endswith(("_at", "_on", "date", "time")) and _TIME.fullmatch(text):
        return True
    if key in ("last4", "last_four") and text.isdecimal() and len(text) == _LAST:
        return True
    if key == "pattern" and text[:1] == "^":
        return True
    if owner == "tokens[]" and _PIECE.fullmatch(text):
        return True
    return (
        (key in _ABOUT or (owner in DIVISIONS and key not in VALUE_KEYS))
        and len(text) <= _LONGEST
        and not any(map(_may_be_one, _COUNTED.sub("", text).split()))
    )


def _may_be_one(word: str) -> bool:
    if _TIME.fullmatch(word) or _SIZE.fullmatch(word) or says_nothing(word):
        return False
    return mixes(word) or looks_random(word) or word.isdecimal()


def _is_remark(item: object) -> bool:
    """`This password is too short.`: what a form answers, field by field."""
    if not isinstance(item, str) or len(item) > _LONGEST or not _REMARK.search(item):
        return False
    return not any(looks_chosen(word.strip("\"'.,")) for word in item.split())
