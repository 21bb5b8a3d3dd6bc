"""Secrets in lines of code: what calls are given, and what is compared with a secret."""

import re
from typing import Final

from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import looks_random
from app.lib.tracelog.redaction.plain import MARKER

_REST: Final = r"(?:[^\\\n\"'`]++|\\.|(?!(?P={quote}))[\"'`])++"
_FIRST_ARGUMENT: Final = (
    rf"\([ \t]{{0,4}}[bBrRuU]{{0,2}}(?P<quote>[\"'`])(?!\*\*\*)){_REST.format(quote='quote')}"
)
_ARGUMENT: Final = re.compile(
    r"(?i)((?:\.|\b(?:set|change|update|reset|check|verify|hash|use|with|add|new|encrypt"
    r"|generate|make)_?"
    r"(?:[a-z]{1,16}_)?)(?:password|passwd|passphrase|passcode|pwd|secret|token|api_?key|pin)"
    r"(?:_?hash)?"
    rf"{_FIRST_ARGUMENT}"
)
_KEY_ARGUMENT: Final = re.compile(
    r"(\b(?:hmac\.(?:new|digest)|Fernet|createSecretKey|SecretKeySpec|checkpw|hashpw"
    r"|password_verify|password_hash|(?<=[\s,(])(?:OLD_)?(?:PASSWORD|password)|crypt|bcrypt\.(?:compare|hash)(?:Sync)?|AES\.new|SecretStr"
    r"|cookieParser|SigningKey\.from_string"
    rf"|(?:pwd|password|crypt)_?(?:context|hasher|hash)\.(?:verify|hash)){_FIRST_ARGUMENT}"
)
_SECOND_ARGUMENT: Final = re.compile(
    r"(?i)((?:\b|(?=\.))(?:log_?in|sign_?in|authenticate|jwt\.(?:encode|decode|sign|verify)"
    r"|httpbasicauth|basicauth|\.auth|createhmac|simple_bind(?:_s)?|(?:check|verify)_password(?:_hash)?"
    r"|pgp_sym_(?:en|de)crypt(?:_bytea)?|aes_(?:en|de)crypt)\("
    r"(?:\{[^{}\n]{0,200}\}|[^(){}\n]){1,120}?,[ \t]{0,4}[bru]{0,2}"
    rf"(?P<mark>[\"'`])){_REST.format(quote='mark')}"
)
_LAST_ARGUMENT: Final = re.compile(
    r"(?i)(\b(?:create_?(?:super)?_?user|(?:sign_?in|create_?user)_?with_?email\w{0,20})"
    r"\((?:[a-z]{1,16},[ ]?)?(?:[ \t]{0,4}[bru]{0,2}(?:\"[^\"\n]{0,200}\""
    r"|'[^'\n]{0,200}'),){1,2}"
    rf"[ \t]{{0,4}}[bru]{{0,2}}(?P<mark>[\"'])){_REST.format(quote='mark')}(?="
    rf"(?P=mark)[ \t]{{0,4}}[,)]"
    r"(?![ \t]{0,4}[\"'])|\Z)"
)
_THIRD_ARGUMENT: Final = re.compile(
    r"(\b(?:Sequelize|getConnection|FTP|PDO(?:->__construct)?|mysqli(?:_connect|->__construct)?|pg_connect)\("
    r"(?:[ ]?(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'),){2}"
    rf"[ ]?(?P<mark>[\"'])){_REST.format(quote='mark')}"
)
_CLIENT: Final = re.compile(
    r"(?P<head>\b\w{0,16}Client\([ \t]{0,4}[\"'][A-Za-z0-9\-]{8,64}[\"'],[ \t]{0,4}[\"'])"
    r"(?P<value>[^\"'\n]{16,128}+)"
)
_FIELD: Final = r"(?:password|passwd|passcode|passphrase|secret|token|otp)\w{0,16}"
_TYPED: Final = re.compile(
    rf"(?i)((?:{_FIELD}[\"'\])]{{1,6}}(?:[.,]|, ?\{{)[^\n\"'=]{{0,40}}?"
    r"\b(?:fill|type|send_?keys|set_?value|value|with|press_?sequentially|enter_?text)[(:]{1,2} ?"
    r"|\b(?:fill|type|set_?value|enter_?text|input)(?:_in)?\(? ?[\"']?[^\n\"'(),]{0,40}"
    rf"{_FIELD}[\"'\])]{{0,4}}, ?"
    rf"|\bfill(?:s|ed)? in [\"'][^\n\"']{{0,40}}{_FIELD}[\"'] with )"
    r"(?P<quote>[\"']))(?:(?!(?P=quote))[^\\\n]|\\.)++"
)
"""What a test types into a field: `page.getByLabel('Password').fill('…')`."""
_TYPING: Final = ("fill", "type", "keys", "value", "sequentially", "text", "input")
_SIGNS_IN: Final = re.compile(
    r"(?i)(?<![a-z])(?:log_?in|sign_?in|log_?on|authenticate|verify_password|check_password"
    r"|set_password|register|sign_?up)(?![a-z])"
)
_ARGS: Final = re.compile(
    r"(?P<head>\bargs ?[=:] ?[(\[][ \t]{0,4}[bru]{0,2}(?P<mark>[\"'])"
    r"(?:(?!(?P=mark))[^\\\n]|\\.){0,200}+(?P=mark),)"
    r"(?P<rest>(?:[^()\[\]\n\"']++|\"(?:[^\"\\\n]++|\\.)*+\"?|'(?:[^'\\\n]++|\\.)*+'?)++)"
)
"""What a log says a task or a frame was given: `args=('hana', '…')`."""
_QUOTED: Final = re.compile(r"(?P<mark>[\"'])(?:(?!(?P=mark))[^\\\n]|\\.)++(?P<end>(?P=mark)?)")
_BEFORE_ARGS: Final = 240
_COMPARED: Final = re.compile(
    r"(?P<quote>[\"'])(?P<value>(?:(?!(?P=quote))[^\\\n]|\\.){4,200}+)(?P<sign>"
    r"(?P=quote) ?[!=]={1,2} ?)"
    r"(?P<key>[A-Za-z_][\w.]{1,64}+)"
)
_OPEN_COMPARED: Final = re.compile(r"[\"'][^\"'\n]{4,200}[\"']\s?[!=]{0,3}\s{0,8}\Z")
_ADDRESS: Final = re.compile(r"[\w.+\-]{1,64}@[\w\-]{1,63}\.[\w.]{2,63}\Z")
_ARGUMENT_ENDS: Final = (
    "word(", "passwd(", "phrase(", "code(", "pwd(", "secret(", "token(", "key(", "pin(", "hash(",
)  # fmt: skip
_SECOND_ENDS: Final = (
    "login(", "log_in(", "signin(", "sign_in(", "cate(", "code(", "sign(", "verify(", "auth(",
    "hmac(", "bind(", "bind_s(", "word(", "hash(", "crypt(", "bytea(",
)  # fmt: skip
"""How the names of such calls end: whoever has none of them need not be searched for one."""
_CONNECTS: Final = ("PDO", "mysqli", "pg_connect", "Sequelize", "getConnection", "FTP(")
_CALLS: Final = (
    "hmac.",
    "Fernet",
    "SecretKey",
    "pw(",
    "crypt",
    "hash",
    "verify",
    "context",
    "AES.",
    "SecretStr",
    "cookieParser",
    "SigningKey",
    "assword(",
    "ASSWORD(",
)


def hide_arguments(text: str) -> str:
    """Text without what a call is given as a secret: `SetPassword('x')`, `login('hana', 'x')`."""
    lower = text.lower()
    if any(word in lower for word in _TYPING):
        text = _TYPED.sub(rf"\g<1>{MARKER}", text)
    if "args" in text and _SIGNS_IN.search(text):
        text = _ARGS.sub(_hide_given, text)
    if any(word in text for word in _CALLS):
        text = _KEY_ARGUMENT.sub(rf"\g<1>{MARKER}", text)
    if "Client(" in text:
        text = _CLIENT.sub(_hide_random, text)
    if "user(" in lower or "withemail" in lower:
        text = _LAST_ARGUMENT.sub(_hide_password, text)
    if any(name in text for name in _CONNECTS):
        text = _THIRD_ARGUMENT.sub(rf"\g<1>{MARKER}", text)
    if any(name in lower for name in _ARGUMENT_ENDS):
        text = _ARGUMENT.sub(rf"\g<1>{MARKER}", text)
    if any(name in lower for name in _SECOND_ENDS):
        text = _SECOND_ARGUMENT.sub(rf"\g<1>{MARKER}", text)
    return text


def hide_compared(text: str, judge: KeyJudge) -> str:
    """Text without what is compared with a secret that stands behind it: `'x' == user.password`."""

    def hide(match: re.Match[str]) -> str:
        if judge(match["key"]) is not Rule.HIDE or match["value"] == MARKER:
            return match[0]
        return f"{match['quote']}{MARKER}{match['sign']}{match['key']}"

    return _COMPARED.sub(hide, text)


def without_open_comparison(text: str) -> str:
    """Cut-off text without what the rest may have compared with a secret."""
    return _OPEN_COMPARED.sub("", text)


def _hide_given(match: re.Match[str]) -> str:
    start = match.start()
    if not _SIGNS_IN.search(match.string, max(0, start - _BEFORE_ARGS), start):
        return match[0]
    return match["head"] + _QUOTED.sub(rf"\g<mark>{MARKER}\g<end>", match["rest"])


def _hide_password(match: re.Match[str]) -> str:
    is_address = _ADDRESS.search(match[0], match.end(1) - match.start()) is not None
    return match[0] if is_address else match[1] + MARKER


def _hide_random(match: re.Match[str]) -> str:
    return match["head"] + MARKER if looks_random(match["value"]) else match[0]
