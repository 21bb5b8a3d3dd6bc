"""What stands under the key of a secret and is of another kind: a bank's code, a path, a count."""

import re
from collections.abc import Collection
from typing import Final

from app.lib.tracelog.redaction.keys.labels import is_label, is_state
from app.lib.tracelog.redaction.keys.neighbours import OF_PEOPLE
from app.lib.tracelog.redaction.keys.words import FARES, OTHER_CODES, words

_THINGS: Final = words(
    """
    name title label branch price 名称 message msg error errors detail details description hint
    prefecture city country total amount qty quantity sku discount
    """
)
"""Beside one of these a `code` is that of a thing, or of an error."""
_OWNERS_OF_CODES: Final = OTHER_CODES - {"member", "response", "result", "state"}
"""What a `code` within is that of: `{"store": {"code": "0012"}}`."""
_SENT: Final = re.compile(
    r"(?i)\botp\b|\bsent\b|verif|(?:your|the|login) code|one-time|認証|確認|送信"
)
"""Said beside the code of a person: `{"message": "OTP sent", "code": …}`."""
_BESIDE_PASS: Final = words("fail failed failures skip skipped total todo")
"""Beside one of these `pass` is how many tests did."""
_COIN: Final = re.compile("[A-Z]{2,5}")
_PIECE: Final = re.compile(r"[^\s\w]{1,8}|[ #Ġ▁]{0,4}[^\W\d_]{1,15}")
_OF_PIECES: Final = words(
    "logprob logprobs top_logprobs bytes pos lemma start end offset offsets tag dep ner special"
)
"""Beside one of these a `token` is a piece of a text."""
_OF_STATUS: Final = re.compile("[1-5]0[0-9]{4}|[1-5][0-9]{2}[0-9]?00")
_COOKIE: Final = re.compile("[A-Za-z_-]{0,24}(?:csrf|xsrf|session|token|sid|sessionid|auth|jwt)")
"""What one is called: `{"csrf": {"cookie": "csrftoken"}}`."""
_FILE: Final = re.compile(r"(?:[\w\-]{1,40}/){1,8}[\w.\-]{1,80}\.[a-z]{3,4}")
"""Where something is stored: `{"storage_key": "a/b.png"}`."""
_LEAST_NUMBER: Final = 4
_PINS_OF_CHIP: Final = 100
_MOST: Final = 1000
_PAGE: Final = re.compile(
    r"/[a-z][a-z\-]{0,24}(?:/(?:[a-z][a-z\-_]{0,24}|[0-9]{1,6}|:[a-z_]{1,24}|\{[a-z_]{1,24}\})){1,6}/?"
)
"""A page about one: `{"links": {"password": "/users/42/password"}}`."""


def is_of_another_kind(key: str, value: object, keys: Collection[str], owner: str = "") -> bool:
    """Whether what would be hidden is none by its neighbours or place: a bank's code, `$PWD`.

    `owner` is the key that holds them all.
    """
    if key == "pass" and isinstance(value, int):
        return not _BESIDE_PASS.isdisjoint(keys)
    if isinstance(value, int):
        return _counts(key.lower(), value)
    if not isinstance(value, str):
        return False
    if key == "pin" and value in ("0", "1"):
        return True
    if key in ("number", "番号") and value.isdecimal() and len(value) < _LEAST_NUMBER:
        return True  # {"card": {"number": "3"}}
    if key.lower().endswith("key") and _FILE.fullmatch(value):
        return True
    if key == "cookie":
        return _COOKIE.fullmatch(value) is not None
    if key == "pass":
        return value in FARES or value.endswith(" Pass")
    if key in ("code", "コード"):
        if "status" in keys and _OF_STATUS.fullmatch(value) and OF_PEOPLE.isdisjoint(keys):
            return True
        return (
            value.isdecimal()
            and (owner.lower() in _OWNERS_OF_CODES or not _THINGS.isdisjoint(keys))
            and OF_PEOPLE.isdisjoint(keys)
            and not (isinstance(keys, dict) and _SENT.search(str(keys.get("message"))))
        )
    if key == "token" and (
        _COIN.fullmatch(value) or (_PIECE.fullmatch(value) and not _OF_PIECES.isdisjoint(keys))
    ):
        return True
    if key in ("PWD", "OLDPWD"):
        return value.startswith(("/", "~"))
    return is_label(key, value) or is_state(value) or _PAGE.fullmatch(value) is not None


def _counts(key: str, value: int) -> bool:
    """How many there are, and which of a chip: `{"api_keys": 10}`, `{"pin": 17}`."""
    if key == "number":
        return 0 <= value < _MOST  # {"card": {"number": 3}}
    counted = key.endswith("s") and not key.endswith("pass")
    return 0 <= value < (_PINS_OF_CHIP if key in ("pin", "pins") else _MOST if counted else 0)
