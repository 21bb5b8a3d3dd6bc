"""Tells from a value and the rule of its key whether it is hidden, and what looks like a secret."""

import base64
import re
from collections.abc import Collection
from typing import Final

from app.lib.tracelog.redaction.keys.neighbours import BESIDE_CODE, BESIDE_GRANT, OF_PEOPLE
from app.lib.tracelog.redaction.keys.rules import Rule

_YES_NO: Final = frozenset({"", "0", "1", "はい", "いいえ"})
_MEASURE: Final = re.compile(
    r"[0-9]{1,3}(?:,[0-9]{3}){1,3}|[+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?(?:/[0-9]{1,9}|%)?|1[0-9]{9}(?:[0-9]{3})?"
    r"|(?:[0-9]{1,6}(?:\.[0-9]{1,6})?(?:ns|us|ms|s|m|h|d|w)){1,5}"
    r"|[0-9]{4}[\-/][0-9]{2}[\-/][0-9]{2}(?:[T ][0-9:.]{5,15} ?(?:Z|UTC|[+-][0-9:]{4,6})?)?"
    r"|20[0-9]{2}[01][0-9][0-3][0-9][0-2][0-9][0-5][0-9][0-5][0-9]"
    r"|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT"
    r"|[0-9]{1,6}(?:日|時間|分|秒|年|週|か月|ヶ月|回|件|個|文字|桁)間?"
)
_PRICE: Final = 0.01
"""Less is what a token costs."""
_EMPTY: Final[tuple[object, ...]] = ({}, [])
_SENTENCE: Final = re.compile(
    r"(?:[A-Z][a-z']{1,16}(?: [A-Za-z'\-]{1,16}){2,16}[.!] ?){1,4}"
    r"|[ぁ-んァ-ヶー一-龠々、]{2,60}(?:。|です|ます|ました|ません|ください)"
)
"""`{"token_expired": "The link has expired."}`"""
_LABEL: Final = re.compile(r"[A-Za-z]{1,5}[\-_]?[0-9]{1,6}")
_TOKEN_KEYS: Final = frozenset(
    {
        "t",
        "tk",
        "tkn",
        "k",
        "tok",
        "rt",
        "verify",
        "hash",
        "invite",
        "magic",
        "appid",
        "sso",
        "sas",
        "ott",
    }
    | {
        "reset",
        "activation",
        "resourcekey",
        "confirm",
        "confirmation",
        "invitation",
        "unsubscribe",
        "recover",
    }
)
_SHORT_KEYS: Final = frozenset({"key", "state", "sig", "sign", "signature", "ticket"})
_TELEGRAM: Final = 5
"""Digits of its codes, but more often of those of places and errors."""
_DIGITS: Final = re.compile(
    r"[0-9０-９]{4}|[0-9０-９]{6,8}|[0-9]{3}[ \-][0-9]{3}|[0-9]{1,2}(?:-[0-9]{1,2}){2,3}"
)
_PIECE: Final = re.compile(r"[^A-Za-z0-9]+")
_CAMEL: Final = re.compile(r"[A-Z]*[a-z]*")


_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")
_MOST_JUDGED: Final = 512

_RANDOM: Final = (Rule.RANDOM, Rule.CODE, Rule.SESSION, Rule.WORD, Rule.FILE)
PLACEHOLDER: Final = (
    r"(?:<[a-z][a-z _\-]{2,40}>|<base64>"
    r"|[A-Z]{2,12}(?:[_\-][A-Z]{2,12}){0,3}[_\-](?:TOKEN|KEY|SECRET)"
    r"|<[A-Z][A-Z_\-]{2,40}>|\$?\{\{[^{}\n]{1,80}\}\}"
    r"|\$?\{[A-Za-z][A-Za-z_]{1,60}\}|\$\{[A-Za-z][A-Za-z0-9_]{1,60}(?::?\?[^{}\n]{0,40})?\}"
    r"|<%=? ?[A-Za-z_.]{2,40}(?:\[[\"':]?[A-Za-z_]{2,40}[\"']?\])? ?%>"
    r"|\$\{?(?:PASS|PASSWD|PASSWORD|PWD|SECRET|TOKEN|JWT|APIKEY|KEY|AUTH|PIN|OTP)\}?"
    r"|\$[A-Z]{2,20}(?:_[A-Z]{1,20}){1,5}|%s|%\([a-z_0-9]{1,40}\)s"
    r"|(?i:your[ _\-](?:[a-z]{2,12}[ _\-]){0,4}(?:key|token|secret|password|jwt|here)))"
)
"""A pattern of what stands where a secret is to be: `${DB_PASSWORD}`, `your-api-key`."""
_NOTHING: Final = re.compile(
    r"(?i:true|false|yes|no|all|on|off|null|none|undefined|required|optional|enabled|disabled|ok|success"
    r"|granted|denied|accepted|rejected|changed|updated|unchanged|set|unset|empty|present|provided|failed|failure|missing|invalid|expired|basic|bearer|digest|oauth2?|oidc|saml|ldap|kerberos"
    r"|ntlm|noauth|omit|same-origin|include|inherit|read|write|scram-sha-[0-9]{1,3})|~|\.{3}|…"
    r"|(?:(?:required|confirmed|nullable|string|sometimes|(?:min|max|size):[0-9]{1,4})(?:\||\Z))+"
    r"|[~^<>=]{0,2}v?[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,4}"
    r"|<\|?/?[a-z_]{1,24}\|?>|\[(?:PAD|CLS|SEP|MASK|UNK)\]"
    r"|(?i:sha-?[0-9]{1,3}|md5|bcrypt|argon2(?:id|i|d)?|pbkdf2|scrypt|aes-?[0-9]{3}|[rhep]s"
    r"(?:256|384|512)|eddsa)"
    rf"|(?i:(?:bearer|basic|token) )?{PLACEHOLDER}"
    r"|(?:SM|MM|CA|AC|PN|RE|CF|CH|IM|MG|VA|VE|ZS|WS|NO)[0-9a-f]{32}"  # what Twilio calls things by
    r"|arn:aws[a-z\-]{0,10}:[a-z0-9\-]{2,20}:[a-z0-9\-]{0,20}:[0-9]{0,12}:[\w/:.\-]{1,60}"
    r"|[A-Za-z0-9]{0,4}(?:[_\-][a-z]{2,5}[_\-])?[\-_]?[*•●＊]{4,}[\-_]?[A-Za-z0-9]{0,4}"
    r"|[A-Za-z]{2,8}-(?:\.{3}|…)[A-Za-z0-9]{0,4}|[*•●＊]{3,}|x{4,}|X{4,}|(?i:\[(?:filtered|redacted|masked|hidden|secret|protected)\])"
)
"""Said of a secret in its place, or where it is to be: `?pin=false`, `****`, `${DB_PASSWORD}`."""
_ON_DEVICE: Final = re.compile(r"[A-Z0-9]{3,4}(?:-[A-Z0-9]{3,4}){1,2}|[B-DF-HJ-NP-TV-XZ]{8}")
"""What a device shows, to be typed in where one can sign in."""
_PATH: Final = re.compile(r"[/\\]|\.[A-Za-z]{1,5}\Z")
_PLACE: Final = re.compile(r"(?:~|\.\.?)/|/[a-z]{2,16}/")
_BASE64: Final = re.compile(
    "[A-Za-z0-9+/]{20,}={1,2}|(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+/]{40,}"
)
_ASCII: Final = re.compile(r"[!-~]*")
_LONGEST_NOTHING: Final = 90
_MNEMONICS: Final = (12, 15, 18, 21, 24)
_MNEMONIC_WORD: Final = re.compile("(?!and|are|but|for|from|has|his|not|the|was|with)[a-z]{3,8}")
_MARKUP: Final = re.compile(rb"<\??[A-Za-z][\w:.\-]{2,40}(?:[\s>/]|\Z)")
_LEAST_MARKUP: Final = 8
_IN_GROUPS: Final = re.compile(
    "(?=[A-Z-]{0,24}[0-9])(?=[0-9-]{0,24}[A-Z])[A-Z0-9]{4,6}(?:-[A-Z0-9]{4,6}){3,7}"
)
_LEAST_SESSION: Final = 5
_LEAST_WORD: Final = 6
_LEAST_PASS: Final = 8
_SYMBOL: Final = re.compile(r"[!@#$%^&*+=~]")
_NUMBERED: Final = re.compile(
    r"[A-Za-z]+(?:[0-9]{1,2}|(?:19|20)[0-9]{2})|(?:[0-9]{1,2}|(?:19|20)[0-9]{2})[A-Za-z]+"
    r"|[A-Za-z]*[0-9]{1,5}x[0-9]{1,5}|[0-9]{2,8}T[0-9]{2,6}Z?|sha[0-9]{3}"
)
_NUMBERED_NAME: Final = re.compile(r"[A-Z]?[a-z]{2,14}(?:[0-9]{1,2}|(?:19|20)[0-9]{2})")
_LONG_NAME: Final = re.compile(r"(?:[A-Z][a-z]{2,12}){3,7}")
_FIELD: Final = re.compile(
    r"(?i)(?:address|age|arg|cell|city|col|column|email|field|item|line|mail|name|option|page|param"
    r"|pass\w*|phone|pin|question|step|street|tel|text|token|user\w*|value|zip)_?[0-9]{1,2}\Z"
)
"""`["password1", "password2"]`"""
_SHOWING: Final = (Rule.SHOW, Rule.NAMED, Rule.KIN, Rule.TYPED)
_MEASURING: Final = (Rule.FLAG, Rule.COUNT)


def is_hidden(rule: Rule, value: object) -> bool:
    """Whether a value under a key of this rule is hidden; a container, whether it is as a whole."""
    if value is None or value is True or value is False or rule in _SHOWING:
        return False
    if rule is Rule.HIDE:
        if not isinstance(value, str):
            return value not in _EMPTY and not (isinstance(value, float) and 0 < value < _PRICE)
        return not says_nothing(value.strip(" "))
    if isinstance(value, (dict, list)):
        return rule in _MEASURING and not _holds_numbers(value)
    if isinstance(value, str):
        text = value.strip()[:_MOST_JUDGED]
        if rule is Rule.FLAG:
            return text not in _YES_NO and not says_nothing(text)
        if rule is Rule.COUNT:
            return not (
                text in _YES_NO
                or says_nothing(text)
                or _MEASURE.fullmatch(text)
                or _SENTENCE.fullmatch(text)
            )
        if rule is Rule.CODE and _DIGITS.fullmatch(text):
            return True
        if rule is Rule.KEYED:
            is_path = _PATH.search(text) and not _BASE64.fullmatch(text)
            is_name = is_path or _UUID.match(text)
            return (not is_name and looks_random(text)) or _is_in_groups(text)
        if rule is Rule.SESSION and len(text) >= _LEAST_SESSION and _is_mixed(text):
            return True
        if rule is Rule.WORD and len(text) >= _LEAST_WORD and (mixes(text) or _SYMBOL.search(text)):
            return True
        if rule is Rule.PHRASE:
            return is_mnemonic(text)
        if rule is Rule.GRANT:
            return is_code(text) or _ON_DEVICE.fullmatch(text) is not None
        if rule is Rule.FILE and _PLACE.match(text):
            return False
        if rule is Rule.MIXED or (rule is Rule.FILE and not looks_random(text)):
            text = _ASCII.match(text)[0]  # type: ignore[index] # it matches anything
            is_one = mixes(text) or (rule is Rule.MIXED and looks_random(text, least=_LEAST_PASS))
            return len(text) >= _LEAST_WORD and is_one and not _PATH.search(text)
        if rule not in _RANDOM or len(text) < _LEAST_MARKUP or text.startswith("arn:aws"):
            return False
        return looks_random(text) or _holds_markup(text) or _is_in_groups(text)
    return rule is Rule.FLAG and value not in (0, 1)


def is_mnemonic(text: str) -> bool:
    """Whether text is the words that a wallet is recovered with, of which none is a short one."""
    found = text.split()
    return len(found) in _MNEMONICS and all(map(_MNEMONIC_WORD.fullmatch, found))


def _holds_markup(text: str) -> bool:
    """Whether it is XML in base64, as SAML's assertions are."""
    if text[:1] != "P" or text[:2] not in ("PD", "PE", "PF", "PG", "PH"):
        return False
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return False
    return _MARKUP.match(decoded) is not None


def _is_in_groups(text: str) -> bool:
    """Whether it is as keys of programs are printed: `7K2QD-9XMTR-…`."""
    return text[4:7].find("-") >= 0 and _IN_GROUPS.fullmatch(text) is not None


def _holds_numbers(value: object) -> bool:
    """`{"input": 12, "output": 7}` under `tokens`."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(items) and all(item is None or isinstance(item, (int, float)) for item in items)


def in_query(rule: Rule, key: str) -> Rule:
    """The rule of a key in a query: there `key` and `state` may be short, and `t` a token."""
    if rule in (Rule.RANDOM, Rule.KEYED) and key.lower() in _SHORT_KEYS:
        return Rule.HIDE if key == "sig" else Rule.SESSION
    return Rule.RANDOM if rule in (Rule.SHOW, Rule.KIN) and key in _TOKEN_KEYS else rule


def says_nothing(value: str) -> bool:
    """Whether a value of a secret key only says that there is one, or stands for it."""
    return len(value) <= _LONGEST_NOTHING and _NOTHING.fullmatch(value) is not None


def is_code(value: object) -> bool:
    """Whether the value of a `code` beside OAuth's other fields is one of OAuth's: `x7Kd92`."""
    return isinstance(value, str) and is_hidden(Rule.SESSION, value) and not _LABEL.fullmatch(value)


def is_grant(value: object, keys: Collection[str]) -> bool:
    """Whether a `code` is one of OAuth's by what stands beside it: `code_verifier`, `state`."""
    if isinstance(value, str) and len(value) == _TELEGRAM and value.isdecimal():
        return len(keys) == 1 or not OF_PEOPLE.isdisjoint(keys)
    if not BESIDE_GRANT.isdisjoint(keys):
        return isinstance(value, str) and value != "" and " " not in value
    return is_code(value) and not BESIDE_CODE.isdisjoint(keys)


def looks_random(text: str, *, least: int = 16) -> bool:
    """Whether text is at least `least` characters of what people and programs do not name things.

    `uploads/2026/report.png`, `refresh_token_not_found` and `enterKey` are names; a UUID, a
    hash and `token_urlsafe()` are not.
    """
    text, size = text[:512], len(text)
    return size >= least and _is_one_word(text) and not all(map(_is_name, _PIECE.split(text)))


def _is_mixed(text: str) -> bool:
    """Whether a word is mixed as no name is: `a1b2c3`, `abc123`, but not `day2`, `spring2026`."""
    if not text.isascii() or not _is_one_word(text):
        return False
    return any(
        not (_is_name(piece) if piece.isalpha() else piece.isdigit() or _NUMBERED.fullmatch(piece))
        for piece in _PIECE.split(text)
        if piece
    )


def looks_chosen(word: str) -> bool:
    """Whether a word looks like a password and no name does: `Zq9x2m`, `Hana#26`, not `day2`."""
    return (
        len(word) >= _LEAST_WORD
        and mixes(word)
        and (_is_mixed(word) or _SYMBOL.search(word) is not None)
    )


def _is_one_word(text: str) -> bool:
    return text.split() == [text]


def _is_name(piece: str) -> bool:
    if piece.isdigit():
        return len(piece) <= 8
    if not piece.isalpha():
        return len(piece) <= 6 or _NUMBERED_NAME.fullmatch(piece) is not None
    if piece.islower() or piece.isupper() or piece.istitle():
        return len(piece) <= 20
    if _LONG_NAME.fullmatch(piece):
        return True  # RootManageSharedAccessKey
    if len(piece) > 24:
        return False
    humps = [hump for hump in _CAMEL.findall(piece) if hump]
    return len(piece) >= 3 * len(humps)


def names_field(word: str) -> bool:
    """Whether it is what a form calls one of several fields: `password2`."""
    return _FIELD.match(word) is not None


def mixes(value: str) -> bool:
    """Whether letters and digits are mixed as in no word: `hunter2`, but not `sha256`."""
    return (
        "://" not in value
        and any(char.isdigit() for char in value)
        and any(char.isalpha() for char in value)
        and value.lower() not in {"argon2", "argon2id", "sha256", "sha512", "pbkdf2", "base64"}
    )
