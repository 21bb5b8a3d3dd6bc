"""Secrets in sentences and commands, where neither `=` nor `:` stands before the value."""

import re
from typing import Final

from app.lib.tracelog.redaction.keys import KeyJudge, Rule, looks_random, mixes
from app.lib.tracelog.redaction.plain import MARKER

_STATED: Final = re.compile(
    r"(?i)(?<![a-z])(?P<word>passwords?|passwd|pwd|passphrase|passcode|secrets?|tokens?|otp|pin"
    r"|api[ _\-]?keys?|credentials?|session(?:[ _\-]?id)?|requirepass|masterauth|rootpw|bindpw"
    r"|identified[ \t]{1,3}by)"
    r"(?P<link>[ \t]{1,3}(?:(?:for|of)[ \t](?:[\w@.\-]{1,40}[ \t]){1,3}(?=is[ \t]|was[ \t]))?"
    r"(?:(?:is|was|to|now)[ \t]{1,3}){0,2})"
    r"(?:'(?P<one>(?:[^'\\\n]++|''|\\.)++)|\"(?P<two>(?:[^\"\\\n]++|\"\"|\\.)++)"
    r"|`(?P<tick>[^`\n]++)|(?P<bare>[^\s'\"`<>()\[\]{},;]{6,}+))"
)
_STEMS: Final = (
    "passw", "pwd", "passphrase", "passcode", "secret", "token", "otp ", "pin ", "credential",
    "api key", "api_key", "api-key", "apikey", "session", "requirepass", "masterauth", "rootpw",
    "bindpw", "identified",
)  # fmt: skip
_CODE: Final = re.compile(
    r"(?i)(\b(?:(?:verification|security|confirmation|login|sign-?in|one[ \-]?time|access|sms|2fa"
    r"|mfa|authentication|recovery|reset)[ \-](?:code|password|pin)(?: is| was)?|your code is|otp"
    r"|pin|cvv2?|cvc2?):?[ \t]{1,3})[0-9](?:[ \-]?[0-9]){2,9}+"
)
_CODE_FIRST: Final = re.compile(
    r"(?i)\b[0-9]{4,8}(?= is (?:your|the) (?:[\w\-]{1,24} ){0,3}"
    r"(?:code|otp|pin|password|passcode)\b)"
)
_CODE_TO_ENTER: Final = re.compile(
    r"(?i)(\b(?:enter|use|type(?: in)?|submit|reply(?: with)?)[ \t]{1,3})[0-9]{4,8}"
    r"(?= to (?:verify|confirm|sign|log|log-?in|reset|activate|authori[sz]e|authenticate|unlock"
    r"|approve|prove)\b)"
)
_JAPANESE_CODE: Final = re.compile(
    r"((?:(?:暗証|認証)番号|(?:暗証|認証|確認|ログイン|セキュリティー?|リカバリー|復旧|ピン|PIN)コード|パスコード"
    r"|ワンタイムパスワード|マイナンバー|個人番号|カード番号|口座番号)[ \u3000]?)"
    r"[0-9０-９](?:[ \-‐－ー]?[0-9０-９]){3,15}+"
)
_ARGUMENT: Final = re.compile(
    r"(?i)(\b(?:set|change|update|reset|check|verify|hash|use|with|add|new|encrypt)_?(?:[a-z]{1,16}_)?"
    r"(?:password|passwd|passphrase|passcode|pwd|secret|token|api_?key|pin)"
    r"\([ \t]{0,4}(?P<quote>[\"'`]))"
    r"(?:[^\\\n\"'`]++|\\.|(?!(?P=quote))[\"'`])++"
)
_OPEN_CODE: Final = re.compile(
    r"(?i)\b[0-9]{4,8}(?: is(?: your| the)?(?: [\w\-]{0,24}){0,4}| t(?:o(?: \w{0,12})?)?)?\s{0,8}\Z"
)
_USER_FLAG: Final = re.compile(
    r"((?<!\S)(?:-u|--user|--proxy-user)[ =]{1,2}[\"']?[^\s:\"']{0,64}:)[^\s\"']++"
)
# Programs whose short options hold secrets: (name, what stands before the value).
_PROGRAMS: Final = (
    ("mysql", r"\bmysql[a-z]*\b[^\n|;&]{0,200}?\s-p"),
    ("mariadb", r"\bmariadb[a-z\-]*\b[^\n|;&]{0,200}?\s-p"),
    ("sshpass", r"\bsshpass\s+-p\s*"),
    ("redis-cli", r"\bredis-cli\b[^\n|;&]{0,200}?\s-a\s+"),
    (
        "login",
        r"\b(?:docker|podman|helm|npm|oc|az)\b[^\n|;&]{0,100}?\blogin\b[^\n|;&]{0,200}?\s-p\s+",
    ),
    ("openssl", r"\bopenssl\b[^\n|;&]{0,200}?\s-(?:k|K|pass|passin|passout)\s+"),
    ("zip", r"\bzip\b[^\n|;&]{0,200}?\s-P\s*"),
    ("7z", r"\b7z[ar]?\b[^\n|;&]{0,200}?\s-p"),
)
_COMMANDS: Final = tuple(
    (name, re.compile(rf"({before})(?!\s)(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"']+)"))
    for name, before in _PROGRAMS
)
_MESSAGE: Final = re.compile(
    r"(?i)(?:must|should|may|can|does|do|has|have|is|are|was) (?:not|no|be|been|contain|have|match"
    r"|include|required|missing|invalid|incorrect|wrong|expired|empty|too|already)\b"
    r"|(?:string|input|value|field|this field) (?:should|must|is|required)\b"
    r"|(?:not|no longer) (?:found|valid|provided|allowed|set|given|configured)\b"
    r"|too (?:short|long|weak|common|many)\b"
    r"|(?:invalid|incorrect|wrong|expired|missing|required|unknown|revoked|expected|unauthorized)"
    r"(?:[.!]?\s*\Z| (?:or|value|format|length|type|header|token|password|signature|user|at|in)\b)"
)
_FLAG: Final = re.compile(
    r"(?<!\S)(?P<flag>--?[A-Za-z][\w.\-]{1,48})(?P<gap>[ \t]{1,3})"
    r"(?P<value>\"[^\"]*+\"?|'[^']*+'?|[^\s\-][^\s]*+)"
)


def hide_stated(text: str) -> str:
    """Text without what it states to be a secret: `PASSWORD 'x'`, `the token is 3f9a…`."""
    lower = text.lower()
    if any(_begins_word(lower, stem) for stem in _STEMS):
        text = _STATED.sub(_hide_stated, text)
    if " to " in lower:
        text = _CODE_TO_ENTER.sub(rf"\g<1>{MARKER}", text)
    if any(stem in lower for stem in ("code", "otp", "pin", "cv", "one-time", "one time")):
        text = _CODE_FIRST.sub(MARKER, _CODE.sub(rf"\g<1>{MARKER}", text))
    return text


def is_code_to_enter(text: str) -> bool:
    return _CODE_TO_ENTER.search(text) is not None


def hide_japanese_codes(text: str) -> str:
    """Text without digits right behind the word for what they are: `暗証番号0918`."""
    return _JAPANESE_CODE.sub(rf"\g<1>{MARKER}", text)


def hide_arguments(text: str) -> str:
    """Text without what a call sets a secret to: `SetPassword('x')`."""
    return _ARGUMENT.sub(rf"\g<1>{MARKER}", text) if "(" in text else text


def hide_flags(text: str, judge: KeyJudge) -> str:
    """Text without the values of secret command-line options: `--api-key abc`."""
    if " -" not in text and "\n-" not in text and not text.startswith("-"):
        return text

    def hide(match: re.Match[str]) -> str:
        flag = match["flag"].lstrip("-")
        if judge(flag) is not Rule.HIDE or match["value"] == MARKER:
            return match[0]
        return f"{match['flag']}{match['gap']}{MARKER}"

    for program, pattern in _COMMANDS:
        if program in text:
            text = pattern.sub(rf"\g<1>{MARKER}", text)
    return _USER_FLAG.sub(rf"\g<1>{MARKER}", _FLAG.sub(hide, text))


def without_open_code(text: str) -> str:
    """Cut-off text without digits at its end that may have been `123456 is your code`."""
    return _OPEN_CODE.sub("", text)


def _begins_word(text: str, stem: str) -> bool:
    at = text.find(stem)
    while at > 0 and text[at - 1].isalpha():
        at = text.find(stem, at + 1)
    return at >= 0


def _hide_stated(match: re.Match[str]) -> str:
    value, start = _stated_value(match)
    if value.startswith(MARKER):
        return match[0]
    if match["bare"]:
        hidden = looks_random(value.rstrip(".!?:"), least=6) or mixes(value)
    else:
        # "Unexpected token '<'" is what every JavaScript parser says.
        hidden = not match["word"].lower().startswith("token") or looks_random(value, least=6)
    return match[0][: start - match.start()] + MARKER if hidden else match[0]


def _stated_value(match: re.Match[str]) -> tuple[str, int]:
    group = next(name for name in ("one", "two", "tick", "bare") if match[name] is not None)
    return match[group], match.start(group)


def is_message(text: str) -> bool:
    """Whether text goes on as a message about a secret: `must be at least 12 characters`."""
    return _MESSAGE.match(text) is not None and not any(
        mixes(word) or looks_random(word, least=6) for word in text[:400].split()
    )
