"""Secrets in sentences, where neither `=` nor `:` stands before the value."""

import re
from typing import Final

from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import (
    is_hidden,
    is_mnemonic,
    looks_chosen,
    looks_random,
    mixes,
    says_nothing,
)
from app.lib.tracelog.redaction.keys.words import OTHER_CODES, OTHER_KEYS, words
from app.lib.tracelog.redaction.plain import MARKER
from app.lib.tracelog.redaction.text.codes import hide_codes, without_open_digits

_KEYS: Final = (
    r"(?:access|secret|api|private|signing|encryption|master|licen[sc]e|activation|recovery)"
    r"[ _\-]?key"
)
_STATED: Final = re.compile(
    r"(?i)(?<![a-z])(?P<word>(?:pw|pass)(?=[ \t]{1,3}(?:is|was|to|[\-–—➜])[ \t])"
    r"|(?<=with )pass|(?<=using )pass|(?<=wifi )pass|(?<=wi-fi )pass"
    r"|(?:session )?cookies?|auth_pass"
    r"|passwords?(?:'s)?(?: (?:attempt|guess|value|field value|candidate))?|passwd|pwd"
    r"|passphrase|passcode|secrets?|tokens?|otp|pin|(?:totp|otp|wallet)[ _\-]seed"
    rf"|(?:access|auth|session)[_\-]?token|{_KEYS}s?"
    r"|credentials?|signature|session(?:[ _\-]?id)?|requirepass|masterauth|rootpw|bindpw|psk"
    r"|(?<=with )key|(?<=using )key|(?:tacacs|radius)[\-_]server(?: host \S{1,64})? key"
    r"|(?<!revision )identified(?:[ \t]{1,3}with[ \t]{1,3}\w{1,40})?[ \t]{1,3}(?:by|as)"
    r"(?:[ \t]{1,3}password)?|passwort|kennwort"
    r"|mot de passe|senha|contraseña)"
    r"(?P<link>[ \t]{1,3}(?:[05789] )?(?:[\-–—~➜➔][ \t]{1,3})?"
    r"(?:(?:for|of)[ \t](?:[\w@.\-]{1,40}[ \t]){1,3}"
    r"(?=is[ \t]|was[ \t]|to[ \t]))?"
    r"(?:(?:is|eq|ne|equals|was|to|now|be|will|has|been|(?:re)?set|changed|updated|ist|lautet|est|es"
    r"|é|è|rotated, new value|value)"
    r"[ \t]{1,3}){0,4}(?:<[a-z]{1,8}>)?)"
    r"b?(?:'(?P<one>(?:[^'\\\n]++|''|\\.)++)|\"(?P<two>(?:[^\"\\\n]++|\"\"|\\.)++)"
    r"|`(?P<tick>[^`\n]++)|(?P<bare>(?!HTTP/[0-9])[^\s'\"`<>()\[\]{},;]{6,}+))"
)
_STATED_BEFORE: Final = re.compile(
    r"(?i)(?<!\S)(?P<quote>[\"'`]?)(?P<value>[^\s\"'`]{6,128}+)(?P=quote)"
    r"(?= (?:as|is|was) (?:(?:not|an|valid|invalid|known|unknown|correct|wrong|expired|a|the|my"
    r"|your|our|his|her|their|its|new|old|current|temporary|initial"
    r"|root|admin) ){0,3}(?:password|passphrase|passcode|pin|secret|token|api key)"
    r"(?: (?:for|to|of|and|in|on|at|but|now|here|please)\b|[.,;:!?)\]\n]|\Z))"
)
_WRONG: Final = re.compile(
    r"(?i)(\b(?:wrong|invalid|bad|incorrect|unknown|expired|rejected)[ _]?(?:password|passphrase"
    r"|passcode|pin"
    r"|otp|code|token|secret|api[ _]?key)(?:Error|Exception)? ?\([\"']?)"
    r"(?P<value>[^\s()\"']{4,128}+)(?=[\"']?\))"
)
_PAIR: Final = re.compile(r"[A-Za-z][a-z_]{0,23}=(?P<of>[^\s=]{1,64})[.!?:]?")
"""What is said beside the word for a secret: `token count=512`."""
_UNEXPECTED: Final = "unexpected "
_SECRETS: Final = (
    "passw", "pwd", "passphrase", "passcode", "token", "secret", "key", "session id",
    "credentials", "cookie",
)  # fmt: skip
_NUMBER: Final = re.compile(
    r"(?i)(\b(?:ssn|social security)[^0-9\n]{1,16})[0-9]{3}-?[0-9]{2}-?[0-9]{4}\b"
    r"|(\biban[ :]{1,3})(?-i:[A-Z]{2})[0-9]{2}(?-i:[A-Z0-9 ]{10,32})"
    r"|(\bdriver'?s?'? licen[sc]e (?:(?:number|no\.?) )?(?:is )?)(?-i:[A-Z]{1,2}[0-9]{6,8})\b"
    r"|(\bpassport (?:number|no\.?)(?: is)?:? )(?-i:[A-Z]{1,2}[0-9]{7})\b"
    r"|(\b(?:account (?:number|no\.?)(?: is| was)?|sort code:? [0-9]{2}-[0-9]{2}-[0-9]{2},? account"
    r"|national insurance (?:number|no\.?)(?: is)?):? )"
    r"(?:[0-9]{7,17}|(?-i:[A-Z]{2}[0-9]{6}[A-D]))\b"
)
_MISMATCH: Final = re.compile(
    r"(?i)((?:password|passphrase|passcode|secret|token)s? (?:mismatch|do(?:es)? not match"
    r"|don't match|differ)[: ]{1,2})"
    r"(?P<both>\S{6,128}+(?: (?:[!=]==?|<>|≠|vs\.?|and|but|expected|got) \S{6,128}+)?)"
)
_OF_BOTH: Final = re.compile(r"[^\s\"',;()]{6,128}")
_KEY: Final = re.compile(
    r"(?i)(?P<head>(?:(?<![\w.\-])(?P<of>[\w.\-]{1,32}) )?(?<![\w.\-/])(?:key|code) "
    r"(?:(?:is|was|value) )?[\"'`]?)"
    r"(?P<value>[a-z0-9+/_\-]{16,256}+={0,2})(?![\w.:/])"
)
"""`key 3f9a… loaded`"""
_FINGERPRINT: Final = re.compile("[0-9A-F]{32,40}")
"""By which PGP knows a key that is public."""
_PHRASE_HEAD: Final = (
    r"(?i)((?<![a-z])(?:seed|mnemonic|(?:recovery|seed|secret|backup|mnemonic|wallet)"
    r" (?:phrase|words))(?: (?:is|are|was))?:? [\"'`]?)"
)
_PHRASE: Final = re.compile(
    rf"{_PHRASE_HEAD}(?P<value>(?-i:[a-z]{{3,8}}(?: [a-z]{{3,8}}){{11,23}}))"
)
_OPEN_MNEMONIC: Final = re.compile(
    rf"{_PHRASE_HEAD}(?:\[redacted\] )?(?-i:[a-z]{{3,8}} ?){{1,23}}[a-z]{{0,2}}\Z"
)
_LED: Final = re.compile(
    r"(?i)((?<![a-z])(?:passwords?|passwd|pwd|passphrase|passcode|secret|token|(?:api|access|secret)"
    r"[ _\-]?key|pin) ?[.·…]{4,120}+ ?)[^\s.·…][^\s]{3,128}+"
)
"""As in a printed list: `password.......... hunter2x`."""
_WRONG_WORDS: Final = ("wrong", "nvalid", "bad ", "ncorrect", "unknown", "expired", "rejected")
_BRACKETED: Final = re.compile(
    r"(?i)((?<![a-z])(?:passwords?|passwd|pwd|passphrase|passcode|token|secret"
    rf"|{_KEYS}|session id|credentials|cookie)"
    r"(?: (?:you|that|was|is|were|have|has|entered|given|provided|supplied|typed|used|sent"
    r"|tried)){0,4} ?[(\[{<][\"']?)"
    r"(?P<value>[^\s()\[\]{}<>=:\"']{6,128}+)(?=[\"']?[)\]}>])"
)
_ALGORITHM: Final = re.compile(
    "(?i)argon|base|bcrypt|blake|hmac|md[0-9]|pbkdf|scram|sha|scrypt|v[0-9]"
)
_EXPECTED: Final = re.compile(
    r"(?i)(\b(?:expected|got|received|but was|actual|instead of|want(?:ed)?|computed|calculated)"
    r"(?: (?:token|code|otp|secret|signature|hmac))?"
    r"[: ]{1,2}[\"']?)(?P<value>[^\s\"',;]{6,128}+)"
)
_EXPECTS: Final = re.compile(
    r"(?i)token|csrf|otp|secret|passw|passphrase|passcode|(?:api|private|encryption) key|signature"
    r"|hmac|session id|credential"
)
_ANSWER: Final = re.compile(
    r"(?i)(\banswer (?:to|for) (?:the |your |his |her |their )?(?:secret|security) question"
    r"(?:(?: is| was):?|:) (?!(?:(?:not|too|already|no longer) )?"
    r"(?:required|needed|missing|invalid|incorrect|wrong|empty|optional|set|short|long"
    r"|stored|case)\b)"
    r"|\b(?:secret|security) answer (?:is |was )?(?=[\"'`]))"
    r"([\"'`]?)[^\"'`\n.,;]{2,60}"
)
_NETRC: Final = re.compile(
    r"(\bmachine\s{1,8}[\w.\-]{1,128}\s{1,8}login\s{1,8}\S{1,128}\s{1,8}password\s{1,8})\S++"
)
_FROM: Final = (
    r"(?<![a-z])(?:password|passwd|pwd|pw|passphrase|passcode|secret|token|pin)[ \t]{1,3}"
    r"(?:(?:was|is|has|been|changed|updated|reset|rotated|set)[ \t]{1,3}){0,4}from[ \t]{1,3}"
)
_CHANGED: Final = re.compile(
    rf"(?i)(?P<head>{_FROM})(?P<old>[^\s,;]{{4,128}}+)(?P<to>[ \t]{{1,3}}to[ \t]{{1,3}})"
    r"(?P<new>[^\s,;]{4,128}+)"
)
_STEMS: Final = (
    "signature", "cookie", "pw ", "pass ", "passw", "pwd", "passphrase", "passcode", "secret",
    "token", "authtoken", "totp", "otp ", "pin ", "credential", "access", "api key", "api_key",
    "api-key", "apikey",
    "session", "requirepass", "masterauth", "private key", "signing key", "encryption key",
    "master key", "recovery key", "activation key", "license", "licence", "with key ",
    "using key ", "tacacs", "radius", "rootpw", "bindpw", "psk ",
    "identified", "kennwort", "mot de passe", "senha", "contraseña",
)  # fmt: skip
_ANNOUNCED: Final = re.compile(
    r"(?i)(\b(?:following|this|new|temporary|initial|generated|one-time) (?:\w{1,16} ){0,2}"
    r"(?:password|passphrase|passcode|pin|secret|token|key)\b[^\n:=]{0,60}:[ \t]{0,4}"
    r"|\b(?:password|passphrase|secret|token|key) (?:you|we|i) [^\n:=,.;]{0,40}:[ \t]{0,4})"
    r"(?P<value>[^\s\"'<>]{6,128}+)"
)
_NAMED: Final = re.compile(
    r"[a-z]+(?:[.\-_/][a-z]+){0,6}[\"'`] (?:not found|does not|version [0-9]"
    r"|(?:was |has been |is )?(?:created|deleted|revoked|rotated|set|renewed|cleared|removed"
    r"|missing"
    r"|configured|updated|unchanged|patched|forbidden|rejected|not)|already|will be)\b"
)
"""What is called so, and no secret: `secret "tls-cert" created`."""
_KEBAB: Final = re.compile("[a-z]{2,16}(?:[.-][a-z]{2,16}){1,4}")
_OF_NAMES: Final = words("secret secrets cookie cookies key keys") | {"api key", "api keys"}
_OPEN_STATED: Final = re.compile(
    r"(?<!\S)[\"'`]?(?P<value>[^\s\"'`]{6,128}+)[\"'`]?(?: (?:as|is|was)(?: \w{1,16}){0,3})?"
    r"\s{0,8}\Z"
)
_OPEN_CHANGE: Final = re.compile(rf"(?i){_FROM}[^\s,;]{{4,128}}+(?:[ \t]{{1,3}}to?)?\s{{0,8}}\Z")
_OPEN_PHRASE: Final = re.compile(
    r"(?i)(\b(?:cookies?|code)[ \t]{0,2}:)(?: [a-z]{1,15}){1,4}\s{0,8}\Z"
)
_OPEN_PIPE: Final = re.compile(r"\b(?:echo|printf)\s[^\n]{1,400}\Z")
_NUMBER_OF: Final = re.compile(r"(?<!\S)(?:[a-z]{1,8}=[0-9.:]{0,40}|[0-9]{1,5}m?s)(?!\S)")
_MESSAGE: Final = re.compile(
    r"(?i)(?:must|should|may|can|does|do|has|have|is|are|was) (?:not|no|be|been|contain|have|match"
    r"|include|required|missing|invalid|incorrect|wrong|expired|empty|too|already)\b"
    r"|(?:string|input|value|field|this field|scheme|header) (?:should|must|is|required)\b"
    r"|(?:not|no longer) (?:found|valid|provided|allowed|set|given|configured)\b"
    r"|too (?:short|long|weak|common|many)\b"
    r"|(?:authentication|session|account|password|login) (?:failure|failed|opened|closed|changed"
    r"|updated|expired|reset|removed|rejected|accepted|required|missing)\b"
    r"|(?:none|null|value|input) is not |(?:denied|granted|allowed|skipped)\b"
    r"(?: (?:by|for|to|at) |\.?\s*\Z)"
    r"|(?:migrated|reverted|started|finished|done|completed|refreshed|rotated)\b"
    r"(?: \(| in |\.?\s*\Z)"
    r"|(?:error|warning|warn|info|debug|fatal|notice): "
    r"|(?:still )?(?:creat|destroy|modify|read|refresh)(?:ing(?: state)?\.\.\.|(?:ion|s)? complete)"
    r"|(?:creation|destruction|modifications|read) complete\b"
    r"|(?:(?i:the|this|your) )?(?:(?:access|refresh|id|provided|given|supplied|csrf) )?"
    r"(?:token|password|session|code|key|credentials?) (?:(?:has|is|was|have|are) )?(?:been )?"
    r"(?:not|no|expired|invalid|revoked|missing|incorrect|malformed|required|wrong|blacklisted)\b"
    r"|expected (?:['\"`]|(?:[0-9]{1,4}|an?|one|to|string|at|exactly) )"
    r"|signature (?:mismatch|verification|has|is|did|does)\b"
    r"|(?:invalid|incorrect|wrong|expired|missing|required|unknown|revoked|expected|unauthorized"
    r"|enabled|disabled|optional|unchanged|verified)"
    r"(?:[.!]?\s*\Z| (?:or|value|format|length|type|header|token|password|signature|user|at|in)\b)"
)


def hide_stated(text: str) -> str:
    """Text without what it states to be a secret: `PASSWORD 'x'`, `the token is 3f9a…`."""
    lower = text.lower()
    if "machine" in text:
        text = _NETRC.sub(rf"\g<1>{MARKER}", text)
    if any(
        word in lower
        for word in (
            "ssn",
            "social security",
            "iban",
            "passport",
            "account",
            "insurance n",
            "driver",
        )
    ):
        text = _NUMBER.sub(rf"\g<1>\g<2>\g<3>\g<4>\g<5>{MARKER}", text)
    if ":" in text:
        text = _ANNOUNCED.sub(_hide_announced, text)
    if "...." in text or "····" in text or "……" in text:
        text = _LED.sub(rf"\g<1>{MARKER}", text)
    if "answer" in lower:
        text = _ANSWER.sub(rf"\g<1>\g<2>{MARKER}", text)
    if "(" in text and any(word in lower for word in _WRONG_WORDS):
        text = _WRONG.sub(_hide_chosen, text)
    if "seed" in lower or "phrase" in lower or "mnemonic" in lower or " words" in lower:
        text = _PHRASE.sub(_hide_phrase, text)
    if "match" in lower or "differ" in lower:
        text = _MISMATCH.sub(_hide_differing, text)
    if "key " in lower or "code " in lower:
        text = _KEY.sub(_hide_key, text)
    text = hide_bracketed(text, lower)
    if ("expected" in lower or " got" in lower or "computed" in lower) and _EXPECTS.search(text):
        text = _EXPECTED.sub(_hide_chosen, text)
    if any(_begins_word(lower, stem) for stem in _STEMS):
        text = _STATED.sub(_hide_stated, text)
    if " to " in lower:
        text = _CHANGED.sub(_hide_both, text)
    if " as " in lower or " is " in lower or " was " in lower:
        text = _STATED_BEFORE.sub(_hide_stated_before, text)
    return hide_codes(text, lower)


def hide_bracketed(text: str, lower: str) -> str:
    """Text without what stands in brackets behind the word for it: `password(hunter2x)`."""
    if any(word in lower for word in _SECRETS):
        text = _BRACKETED.sub(_hide_if_chosen, text)
    return text


def without_open_code(text: str) -> str:
    """Cut-off text without what the rest may have called a secret: `123456 is your code`."""
    text = _OPEN_MNEMONIC.sub(r"\g<1>", _OPEN_PHRASE.sub(r"\g<1>", text))
    text = without_open_digits(text)
    text = _OPEN_PIPE.sub("", _OPEN_CHANGE.sub("", text))
    last = _OPEN_STATED.search(text)
    return text[: last.start()] if last and _is_odd(last["value"]) else text


def _is_odd(value: str) -> bool:
    return not value.startswith(MARKER) and (mixes(value) or looks_random(value, least=8))


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
        pair = _PAIR.fullmatch(value)
        if pair and (
            says_nothing(pair["of"])
            or not (looks_chosen(pair["of"]) or looks_random(pair["of"], least=6))
        ):
            return match[0]
        hidden = looks_random(value.rstrip(".!?:"), least=6) or mixes(value)
    else:
        # "Unexpected token '<'" is what every JavaScript parser says.
        word = match["word"].lower()
        if says_nothing(value) or (
            word in _OF_NAMES
            and (
                _NAMED.match(match.string, start) or _names_one(match.string, match.start(), value)
            )
        ):
            return match[0]
        before = match.string[max(0, match.start() - len(_UNEXPECTED)) : match.start()]
        is_unexpected = before.lower() == _UNEXPECTED
        hidden = (
            not word.startswith(("token", "sig", "key"))
            or looks_random(value, least=6)
            or (looks_chosen(value) and not is_unexpected)
            or (" eq " in match["link"] or " equals " in match["link"])
        )
    return match[0][: start - match.start()] + MARKER if hidden else match[0]


def _names_one(text: str, at: int, value: str) -> bool:
    """`denied on secret "db-credentials"`"""
    before = text[max(0, at - 5) : at]
    return before.endswith((" on ", " in ", " from ")) and _KEBAB.fullmatch(value) is not None


def _hide_if_chosen(match: re.Match[str]) -> str:
    value = match["value"]
    is_password = match[0][:4].lower() == "pass" and match[1][-2:] == " ("
    hidden = looks_chosen(value) or (is_password and mixes(value) and not _ALGORITHM.match(value))
    return match[1] + MARKER if hidden else match[0]


def _hide_chosen(match: re.Match[str]) -> str:
    value = match["value"].rstrip(".:!?")
    hidden = mixes(value) and (looks_chosen(value) or looks_random(value) or len(value) >= 8)
    return match[1] + MARKER if hidden and not value.startswith(MARKER) else match[0]


def _hide_differing(match: re.Match[str]) -> str:
    return match[1] + _OF_BOTH.sub(
        lambda word: MARKER if mixes(word[0]) else word[0], match["both"]
    )


def _hide_phrase(match: re.Match[str]) -> str:
    return match[1] + MARKER if is_mnemonic(match["value"]) else match[0]


def _hide_key(match: re.Match[str]) -> str:
    of, value = (match["of"] or "").lower(), match["value"]
    hidden = (
        is_hidden(Rule.KEYED, value)
        and of not in OTHER_KEYS | OTHER_CODES
        and not _FINGERPRINT.fullmatch(value)
    )
    return match["head"] + MARKER if hidden else match[0]


def _hide_announced(match: re.Match[str]) -> str:
    value = match["value"].rstrip(".,")
    hidden = looks_chosen(value) or looks_random(value, least=10)
    return match[1] + MARKER if hidden and not value.startswith(MARKER) else match[0]


def _hide_stated_before(match: re.Match[str]) -> str:
    if not _is_odd(match["value"]):
        return match[0]
    return f"{match['quote']}{MARKER}{match['quote']}"


def _hide_both(match: re.Match[str]) -> str:
    old, new = match["old"].strip("\"'`"), match["new"].strip("\"'`.")
    if not any(
        mixes(value) or looks_random(value, least=6) or value.isdigit() for value in (old, new)
    ):
        return match[0]
    return f"{match['head']}{MARKER}{match['to']}{MARKER}"


def _stated_value(match: re.Match[str]) -> tuple[str, int]:
    group = next(name for name in ("one", "two", "tick", "bare") if match[name] is not None)
    return match[group], match.start(group)


def is_message(text: str) -> bool:
    """Whether text goes on as a message about a secret: `must be at least 12 characters`."""
    return _MESSAGE.match(text) is not None and not any(
        mixes(word) or looks_random(word, least=6)
        for word in _NUMBER_OF.sub("", text[:400]).split()
    )
