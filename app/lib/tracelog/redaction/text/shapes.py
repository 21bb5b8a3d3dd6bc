"""Secrets that are known by their shape: keys of well-known services, JSON Web Tokens, PEM blocks,
password hashes.

Here and in all rules, patterns run in linear time: what repeats is possessive or bounded, and no
two neighbours can match the same character.
"""

import base64
import json
import re
from typing import Final

from app.lib.tracelog.redaction.keys.values import looks_random
from app.lib.tracelog.redaction.keys.words import words
from app.lib.tracelog.redaction.plain import MARKER
from app.lib.tracelog.redaction.text.cards import hide_accounts
from app.lib.tracelog.redaction.text.services import KEYS

_LONG: Final = re.compile(r"[A-Za-z0-9_\-.+=~]{16}|whsec_")
"""Each key and token is at least as long. Most texts have no such word."""

_LONG_WORDS: Final = re.compile(r"[A-Za-z0-9_\-.+=~$/:|@\[\]]{12,}")
_SK: Final = re.compile(r"(?<![A-Za-z0-9])[sr]k[-_][A-Za-z0-9_\-]{16,}+")  # OpenAI, Stripe
_STRIPE: Final = re.compile("[sr]k_(?:live|test)_[A-Za-z0-9]++")
_JWT: Final = re.compile(r"eyJ[A-Za-z0-9_\-+/=]{13,}+(?:\.[A-Za-z0-9_\-+/=]*+){0,4}")
_HASHES: Final = re.compile(
    r"\$(?:argon2(?:id|i|d)|2[abxy]|apr1|scrypt|y|gy|7|[156]|pbkdf2[a-z0-9\-]{0,16})\$(?:[^\s\"'`,;<>"
    r"()]|,(?=[a-z]=)){8,}+"
    r"|(?<![A-Za-z0-9])(?:pbkdf2[_:][a-z0-9]{3,8}(?::[0-9]{1,8})?|argon2|bcrypt_sha256|bcrypt"
    r"|scrypt(?::[0-9]{1,8}){0,3})\$(?:[^\s\"'`,;<>()]|,(?=[a-z]=)){8,}+"
)
_HOOKS: Final = re.compile(
    r"(hooks\.slack\.com/[a-z]{4,16}/|/api(?:/v[0-9]{1,2})?/(?:webhooks/|interactions/[0-9]{4,24}/)"
    r"|/build_hooks/|/deploy_hooks?/|\.office\.com/webhook(?:b2)?/"
    r"|/hooks/catch/|/hooks?/incoming/|fcm\.googleapis\.com/(?:fcm/send|wp)/"
    r"|/services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/|/wpush/v[0-9]/|web\.push\.apple\.com/"
    r"|/webhooks?/T[A-Z0-9]{3,12}/B[A-Z0-9]{3,12}/|\.infura\.io/(?:ws/)?v3/|\.quiknode\.pro/"
    r"|\.notify\.windows\.com/w/\?token=)[A-Za-z0-9_\-/@:%.]{8,}+"
)
_HOOK_WORDS: Final = (
    "hook", "push", "fcm.", "/interactions/", "/services/T", ".infura.io/", ".quiknode.pro/",
)  # fmt: skip
_SIGNED: Final = re.compile(
    r"(?i)(signature(?:-[0-9]{2,3})?\\?[\"']?[:=] ?\\?[\"']?)(?:t=[0-9]{1,12},)?"
    r"v[0-9][a-z]?[=,][^\s\"'\\]++"
)
"""As webhooks are signed: `t=…,v1=…`."""
_CURSOR: Final = words(
    """
    id ids ts v page offset limit sort order dir direction after before cursor next prev created_at
    createdat updated_at updatedat last_id lastid position index key value date
    """
)
"""What is in a cursor of pages."""
_WIFI: Final = re.compile(r"(\bWIFI:(?:[A-Z]:(?:[^;\\]++|\\.)*+;){0,6}?P:)(?:[^;\\\n]++|\\.)++")
_LDAP_HASH: Final = re.compile(
    r"\{(?:S?SHA(?:256|384|512)?|S?MD5|CRYPT|PBKDF2[A-Z0-9\-]{0,12}|ARGON2)\}[A-Za-z0-9+/=$.,]{16,}+"
)
_MYSQL_HASH: Final = re.compile(r"(?<![\w*])\*[0-9A-F]{40}(?![0-9A-Za-z])")
_AWS_PAIR: Final = re.compile(
    r"(A(?:KIA|SIA)[A-Z0-9]{16}(?:[^A-Za-z0-9+/\n]{1,6}[A-Za-z_]{1,12}){0,3}"
    r"(?: / |[^A-Za-z0-9+/]{1,6}))"
    r"[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])"
)
_MASKED: Final = re.compile(r"(::add-mask::)[^\s]++")
_PUTTY: Final = re.compile(
    r"(Private-Lines: [0-9]{1,4}\s{1,4})(?:[A-Za-z0-9+/=]++\s{0,4}(?![A-Z][a-z]{1,12}-))++"
)
_PIN: Final = re.compile(r"(?<![A-Za-z0-9])(PIN)[0-9]{4,8}(?![0-9A-Za-z])")
_BEGIN: Final = "-----BEGIN "
_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}-----")


def hide_shapes(text: str) -> str:
    """Text with everything replaced that looks like a known kind of secret."""
    if _BEGIN in text:
        text = _hide_pem(text)
    if "Private-Lines" in text:
        text = _PUTTY.sub(rf"\g<1>{MARKER}", text)
    if _LONG.search(text):
        if "eyJ" in text:
            text = _JWT.sub(_hide_jwt, text)
        if "AKIA" in text or "ASIA" in text:
            text = _AWS_PAIR.sub(rf"\g<1>{MARKER}", text)
        long = " ".join(_LONG_WORDS.findall(text))
        for needle, pattern in KEYS:
            if needle in long:
                text = pattern.sub(MARKER, text)
        text = hide_accounts(text)
        if "k-" in text or "k_" in text:
            text = _SK.sub(_hide_sk, text)
        if "ignature" in text:
            text = _SIGNED.sub(rf"\g<1>{MARKER}", text)
    if "$" in text:
        text = _HASHES.sub(MARKER, text)
    if "}" in text:
        text = _LDAP_HASH.sub(MARKER, text)
    if "*" in text:
        text = _MYSQL_HASH.sub(MARKER, text)
    if any(word in text for word in _HOOK_WORDS):
        text = _HOOKS.sub(rf"\g<1>{MARKER}", text)
    if "add-mask" in text:
        text = _MASKED.sub(rf"\g<1>{MARKER}", text)
    if "PIN" in text:
        text = _PIN.sub(rf"\g<1>{MARKER}", text)
    if "WIFI:" in text:
        text = _WIFI.sub(rf"\g<1>{MARKER}", text)  # what a QR code says
    return text


def _hide_pem(text: str) -> str:
    shown, end = [], 0
    while (start := text.find(_BEGIN, end)) >= 0:
        label = text[start + len(_BEGIN) : start + len(_BEGIN) + 60]
        if "PRIVATE KEY" not in label.split("-----", 1)[0]:
            shown.append(text[end : start + len(_BEGIN)])
            end = start + len(_BEGIN)
            continue
        shown += [text[end:start], MARKER]
        close = _END.search(text, start)
        end = close.end() if close else len(text)
    return "".join([*shown, text[end:]])


def _hide_jwt(match: re.Match[str]) -> str:
    """Hides what begins as JSON Web Tokens do, but not where a list goes on: `{"id":100}`."""
    if "." in match[0]:
        return MARKER
    try:
        where = json.loads(base64.urlsafe_b64decode(match[0].rstrip("=") + "==="))
    except (ValueError, RecursionError):
        return MARKER
    if not isinstance(where, dict) or not _CURSOR.issuperset(map(str.lower, where)):
        return MARKER
    told = all(
        item is None or isinstance(item, (bool, int, float, str)) for item in where.values()
    ) and not any(looks_random(str(item)) for item in where.values())
    return match[0] if told else MARKER


def _hide_sk(match: re.Match[str]) -> str:
    # These letters also begin what people write: sk-learn-pipelines.
    return MARKER if _STRIPE.fullmatch(match[0]) or looks_random(match[0]) else match[0]
