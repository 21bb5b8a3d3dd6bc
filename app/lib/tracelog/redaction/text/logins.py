"""Credentials by where they stand: after `Bearer`, before the `@` of a URL, behind `/reset/`."""

import base64
import binascii
import re
from typing import Final

from app.lib.tracelog.redaction.keys.values import looks_chosen, looks_random, mixes, says_nothing
from app.lib.tracelog.redaction.keys.words import words
from app.lib.tracelog.redaction.plain import MARKER

_SCHEME: Final = re.compile(
    r"(?i)(?<![a-z])(?P<scheme>bearer|basic)(?P<gap>[ \t+]{1,4}|%20|\r?\n[ \t]{0,8})"
    r"(?P<quote>[\"']?)(?P<value>[^\s\"'`<>,;\\]++)"
)
_BEARER_PROSE: Final = words(
    """
    a and are as at auth authentication authorization by can cannot credential credentials error
    expected expires for format from had has have header headers http in is it jwt malformed may
    must not of only or realm scheme schemes scope security should the to token tokens type
    unauthorized was were which with without
    """
)
_SHORT_WORD: Final = re.compile(r"[a-z]{2,6}[.,!?]?")
_NEXT_PAIR: Final = re.compile("[a-z_]{2,24}=(?!=|$)")
_WEB: Final = frozenset({"", "http:", "https:", "git+https:", "ws:", "wss:"})
_USERINFO: Final = re.compile(r"//(?P<rest>(?:[^\s\"<>:]++|:(?!//))++)")
_SCHEME_BEFORE: Final = re.compile(r"[A-Za-z0-9+.\-]{0,30}:\Z")
_PLAIN_USER: Final = re.compile(r"[a-z]{2,16}(?:[._\-][a-z]{2,16})?")
_AUTHORITY_END: Final = re.compile(r"[/?#\\]")
_GO_DSN: Final = re.compile(r"(\b[\w.\-]{1,64}:)[^\s@]++(?=@(?:tcp|unix)\()")
_ORACLE: Final = re.compile(r"(\bjdbc:oracle:[a-z0-9]{2,8}:[\w.\-]{1,64}/)[^\s@\"']++(?=@)")
_ORACLE_LOGIN: Final = re.compile(
    r"(\b(?:sqlplus|sqlldr|expdp|impdp|rman)\b[^\n|;&/]{0,60}?\s[\"']?[\w.$#]{1,64}/"
    r"|\b(?i:connect)\([ \t]{0,4}[\"'][\w.$#]{1,64}/(?=[^\s@/\"']{1,64}@))"
    r"(?:\"[^\"\n]{1,128}\"|[^\s@/\"']++)"
)
_PW: Final = re.compile(
    r"(?i)(?P<head>(?P<id>(?<![a-z])(?:id|user(?:name)?|login|account|アカウント"
    r"|ユーザー名?)[ \u3000]?[:：=]?"
    r"[ \u3000]?[\w.@+\-]{1,64}[ \u3000]?[/／,、\n]?[ \u3000]?)?"
    r"(?<![a-z0-9])(?:(?-i:PW|P/W|ＰＷ)|(?<=[ぁ-んァ-ヶー一-龠])(?:pass|pw)"
    r"|(?(id)(?:pw|pass|pwd|パス)|(?-i:PW)))[ \u3000]{1,2})"
    r"(?P<value>[!-~]{4,64}+)"
)
_SHORT_WORDS: Final = ("pw", "p/w", "pass ", "ｐｗ", "パス")
_MAIL_LOGIN: Final = re.compile(
    r"((?<![\w.+\-])[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,4}[ \u3000][/／][ \u3000])"
    r"(?P<value>[^\s/]{6,64}+)(?!/)"
)
_ATTEMPT: Final = re.compile(
    r"(?i)((?:(?<=認証)|\b(?:log ?in|log-in|logon|sign ?in|sign-in|auth(?:entication)?"
    r"|credentials?|creds))"
    r"(?: (?:attempt|failed|failure|error|with|as|for|using|by|from|user"
    r"|tried|are|is)){0,3}:? (?:\[?b?['\"]|\[)?[\w.@+\-]{1,64}['\"]?(?:[:/]| / )(?:b?['\"])?)"
    r"(?P<value>[^\s:@/,;\"'<>]{6,128}?)(?=\]?(?:[\s:@/,;\"'<>]|\Z))"
)
_USED: Final = re.compile(
    r"(?i)(\b(?:log(?:ged|ging)?[ \-]?(?:in|on)|sign(?:ed|ing)?[ \-]?in|authenticat(?:ed?|ing))"
    r" (?:(?:to|at) \S{1,64} )?(?:as|with|for) [\w.@+\-]{1,64} (?:using|with|and|by|/) )"
    r"(?P<value>[^\s\"'<>]{6,128}+)"
)
"""`logging in as hana using hunter2x`"""
_ECHOED: Final = re.compile(
    r"(?i)((?:\b(?:port|host ?name|integer value|value as|host)|\"=\" after)[^\"'\n]{0,24}[\"'])"
    r"[^\"'\s@]{4,128}+(?=@[\w.\-]{1,128}[^\n]?)"
)
_PORT: Final = re.compile(r":(?:[0-9]{4,5}|\*):")
_PGPASS: Final = re.compile(
    r"(?m)((?:^|(?<=\s))[\w.*\-]{1,128}:(?:[0-9]{4,5}"
    r"|\*):[\w*.\-]{1,64}:[\w*.\-]{1,64}:)[^\s:]{2,128}+(?=\s|\Z)"
)
_BARE_LOGIN: Final = re.compile(
    r"(?<![\w/@:.])(?P<user>[A-Za-z][\w.\-]{0,63}):(?P<password>[^\s:@/\"'<>]{2,128}+)(?=@[\w\[])"
)
_NAME_AND_PASSWORD: Final = re.compile(
    r"(?P<head>(?:(?i:\bconnect(?:ing|ed)?(?: (?:to|as|with))?) )?(?<![\w/@:.\-])[A-Za-z]\w{0,31}/)"
    r"(?P<password>[^\s/@:\"'<>]{6,64}+)(?=@(?!v?[0-9]|sha[0-9]|latest|main|master|next|beta|canary)[\w\[])"
)
"""As Oracle has it: `scott/…@orcl`, but not `acme/k8s-3f@v2`."""
_SLASH_PASS: Final = re.compile(r"/ ?p(?:w|ass)")
_SLASHED_LOGIN: Final = re.compile(
    r"(?i)(?P<head>(?<![a-z])(?:"
    r"(?:wi-?fi|ssid)[:：]?"
    r"|(?:log(?:ged|ging)?[ \-]?in|sign(?:ed)?[ \-]?in|logins?|credentials?|creds)"
    r"(?:(?: (?:with|as|is|are|using|user|account|details|info|data)){1,3}[:=]?|[:=]"
    r"|(?=[ ]{1,2}[\w.@+\-]{1,64} / ))"
    r"|(?:id|user(?:name)?|login|e-?mail)[ ]?/[ ]?(?:pass(?:word)?|pwd?)(?:[ ]?[:=])?)"
    r"(?:[ ]{1,2}|(?<=：))"
    r"[\w.@+\-]{1,64})(?P<slash>[ ]?/[ ]?)(?P<password>[^\s/]{6,64}+)(?!/)"
)
_ADDRESS_WORDS: Final = words(
    """
    account acct addr address bcc cc contact email e-mail from id login mail mailto member name
    owner recipient reply-to sender sip to user username xmpp
    """
)
_LOGIN_NAMES: Final = words(
    "admin administrator app dba elastic guest mysql postgres rabbitmq redis root sa service"
)
_NO_MAILBOX: Final = re.compile(r"[^\w.+\-']")
_LINK_WORDS: Final = (
    "reset", "verif", "confirm", "activat", "invit", "magic", "recover", "token", "password",
    "unsubscribe", "otp", "session",
)  # fmt: skip
_OPENING_WORDS: Final = tuple(
    word for word in _LINK_WORDS if word not in ("token", "session", "otp", "password")
)
_LONGEST_PART: Final = 32
_LINK_QUERY: Final = re.compile(
    rf"(?i)(?P<before>/[a-z\-_]{{0,32}}(?:{'|'.join(_LINK_WORDS)})[a-z\-_/]{{0,32}}\?)"
    r"(?P<query>[^\s\"'<>#\[\]]++)"
)


def hide_logins(text: str) -> str:
    """Text without passwords of URLs, the credentials behind their scheme, and tokens of links."""
    if "@" in text:
        text = _MAIL_LOGIN.sub(_hide_chosen, text)
        text = _USERINFO.sub(_hide_userinfo, text)
        text = _ORACLE.sub(rf"\g<1>{MARKER}", _GO_DSN.sub(rf"\g<1>{MARKER}", text))
        text = _BARE_LOGIN.sub(_hide_bare_login, text)
        text = _NAME_AND_PASSWORD.sub(_hide_named, text) if "/" in text else text
        text = _ECHOED.sub(rf"\g<1>{MARKER}", text)
    if _PORT.search(text):
        text = _PGPASS.sub(rf"\g<1>{MARKER}", text)
    lower = text.lower()
    if (":" in text or "/" in text) and (
        "認証" in text or "log" in lower or "sign" in lower or "auth" in lower or "cred" in lower
    ):
        text = _ATTEMPT.sub(_hide_attempted, text)
    if "log" in lower or "sign" in lower or "authenticat" in lower:
        text = _USED.sub(_hide_chosen, text)
    if "/" in text and ("sqlplus" in text or "dp " in text or "rman" in text or "onnect(" in text):
        text = _ORACLE_LOGIN.sub(rf"\g<1>{MARKER}", text)
    if any(word in lower for word in _SHORT_WORDS):
        text = _PW.sub(_hide_pw, text)
    if "/" in text and any(word in lower for word in _LINK_WORDS):
        text = hide_link_queries(text)
    if "/" in text and (
        "log" in lower
        or "sign" in lower
        or "cred" in lower
        or "wi" in lower
        or "ssid" in lower
        or _SLASH_PASS.search(lower)
    ):
        text = _SLASHED_LOGIN.sub(_hide_slashed, text)
    if "bearer" in lower or "basic" in lower:
        text = _SCHEME.sub(_hide_credentials, text)
    return text


def is_link(segment: str) -> bool:
    """Whether a token follows such a part of a path: `confirm-email`."""
    lower = segment.lower()
    return len(lower) <= _LONGEST_PART and any(word in lower for word in _OPENING_WORDS)


def hide_link_queries(text: str) -> str:
    """Text without what looks random in the query of a link that resets, confirms or invites."""
    return _LINK_QUERY.sub(_hide_link_query, text) if "?" in text else text


def _hide_credentials(match: re.Match[str]) -> str:
    value = match["value"]
    if value == MARKER or value.lower() in ("realm=", "charset="):
        return match[0]
    if match["scheme"].lower() == "basic":
        hidden = _is_basic(value)
    elif says_nothing(value) or _NEXT_PAIR.match(value):
        hidden = False
    elif "\n" in match["gap"]:
        hidden = mixes(value)
    else:
        hidden = value.lower().strip(".:-=|") not in _BEARER_PROSE and not _is_carrier(match)
    if not hidden:
        return match[0]
    return f"{match['scheme']}{match['gap']}{match['quote']}{MARKER}"


def _is_carrier(match: re.Match[str]) -> bool:
    """`bearer plant`: no token is a short word in small letters."""
    return (
        match["scheme"] == "bearer"
        and match["gap"] == " "
        and not match["quote"]
        and _SHORT_WORD.fullmatch(match["value"]) is not None
    )


def _is_basic(value: str) -> bool:
    """Whether it is base64 of `user:password`, perhaps cut off, and no word of a sentence."""
    head = value.rstrip("=.")[:64]
    if len(head) % 4 == 1:
        head = head[:-1]
    try:
        decoded = base64.b64decode(head + "=" * (-len(head) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return b":" in decoded or len(value) >= 24 or value.endswith("=")


def _hide_userinfo(match: re.Match[str]) -> str:
    rest = match["rest"]
    authority = _AUTHORITY_END.split(rest, maxsplit=1)[0]
    at = authority.rfind("@")
    if (at >= 0 and ":" in authority[:at]) or _has_no_port(authority):
        at = rest.rfind("@")  # a password may hold `/` and `@`
    if at < 0:
        return match[0]
    before = _SCHEME_BEFORE.search(match.string[max(0, match.start() - 31) : match.start()])
    web = (before[0].lower() if before else "") in _WEB
    user, colon, _ = rest[:at].partition(":")
    host = rest[at:]
    if colon:
        # In web addresses the user may be the token: https://TOKEN:x-oauth-basic@…
        return f"//{MARKER}{host}" if web else f"//{user}:{MARKER}{host}"
    named = (
        _PLAIN_USER.fullmatch(user) or before is None or not (web or looks_random(user, least=10))
    )
    return match[0] if named else f"//{MARKER}{host}"


def _has_no_port(authority: str) -> bool:
    port = authority.partition(":")[2]
    return bool(port) and not port[:5].isdigit()


def _hide_bare_login(match: re.Match[str]) -> str:
    """`bob:hunter2@db`, but neither `email:bob@example.com` nor `cc:hana1@example.com`."""
    user, password = match["user"].lower(), match["password"]
    hidden = user not in _ADDRESS_WORDS and (
        user in _LOGIN_NAMES or mixes(password) or _NO_MAILBOX.search(password) is not None
    )
    return f"{match['user']}:{MARKER}" if hidden else match[0]


def _hide_named(match: re.Match[str]) -> str:
    password = match["password"]
    hidden = looks_chosen(password) or (" " in match["head"] and mixes(password))
    return match["head"] + MARKER if hidden else match[0]


def _hide_slashed(match: re.Match[str]) -> str:
    """`log in with hana / Zq9x2m`, but not `logged in as acme/k8s-4`."""
    password = match["password"]
    scoped = match["slash"] == "/" and match["head"].lower().rstrip().rpartition(" ")[0].endswith(
        "as"
    )
    hidden = looks_chosen(password.strip("\"'`.,;)")) and not scoped
    return f"{match['head']}{match['slash']}{MARKER}" if hidden else match[0]


def _hide_chosen(match: re.Match[str]) -> str:
    return match[1] + MARKER if looks_chosen(match["value"]) else match[0]


def _hide_attempted(match: re.Match[str]) -> str:
    value = match["value"].rstrip(".)]")
    hidden = (
        mixes(value)
        if match[1].rstrip("b'\"").endswith(":")
        else len(value) >= 8 and looks_chosen(value)
    )
    return match[1] + MARKER if hidden else match[0]


def _hide_pw(match: re.Match[str]) -> str:
    value = match["value"]
    hidden = looks_chosen(value) or (match["id"] and (mixes(value) or value.isdigit()))
    return match["head"] + MARKER if hidden and value != MARKER else match[0]


def _hide_link_query(match: re.Match[str]) -> str:
    """Whatever such a link's token is called: `/verify?h=…`."""
    pairs = [pair.partition("=") for pair in match["query"].split("&")]
    return match["before"] + "&".join(
        f"{name}={MARKER}" if looks_random(value) and "%40" not in value else f"{name}{sign}{value}"
        for name, sign, value in pairs
    )
