"""Secrets that are known by their shape: keys of well-known services, JSON Web Tokens, PEM blocks,
password hashes, card numbers, and what follows `Bearer` or stands before `@` in a URL.

Each pattern runs in linear time: what repeats is possessive or bounded, and no two neighbours
can match the same character.
"""

import base64
import binascii
import re
from typing import Final

from app.lib.tracelog.plain import MARKER
from app.lib.tracelog.secret_keys import looks_random
from app.lib.tracelog.secret_words import words

_KEYS: Final = re.compile(
    r"""(?<![A-Za-z0-9])(?:
      (?P<common>[sr]k[-_][A-Za-z0-9_\-]{16,}+)        # OpenAI, Anthropic, Stripe
    | whsec_[A-Za-z0-9+/=]{10,}+
    | gh[opusr]_[A-Za-z0-9]{12,}+ | github_pat_[A-Za-z0-9_]{8,}+
    | gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_\-.]{12,}+
    | A(?:KIA|SIA|BIA|CCA|ROA|IDA)[A-Z0-9]{12,32}(?![A-Za-z0-9])
    | xox[a-z]-[A-Za-z0-9\-]{11,}+ | xapp-[A-Za-z0-9\-]{11,}+
    | sb_secret_[A-Za-z0-9_\-]{6,}+ | sbp_[A-Za-z0-9_]{16,}+
    | AIza[A-Za-z0-9_\-]{12,}+ | ya29\.[A-Za-z0-9_\-]{16,}+ | GOCSPX-[A-Za-z0-9_\-]{12,}+
    | 1//0[A-Za-z0-9_\-]{20,}+
    | npm_[A-Za-z0-9]{20,}+ | pypi-[A-Za-z0-9_\-]{20,}+ | hf_[A-Za-z0-9]{20,}+
    | SG\.[A-Za-z0-9_\-]{16,64}\.[A-Za-z0-9_\-]{16,}+ | key-[0-9a-f]{32} | SK[0-9a-f]{32}
    | shp(?:at|ca|pa|ss)_[A-Za-z0-9]{16,}+ | do[opr]_v1_[A-Za-z0-9]{16,}+
    | rnd_[A-Za-z0-9]{16,}+ | lin_api_[A-Za-z0-9]{16,}+ | (?:secret|ntn)_[A-Za-z0-9]{24,}+
    | re_[A-Za-z0-9]{8}_[A-Za-z0-9]{16,}+ | sq0[a-z]{3}-[A-Za-z0-9_\-]{16,}+
    | hvs\.[A-Za-z0-9_\-]{16,}+ | dapi[0-9a-f]{32} | EAA[A-Za-z0-9]{30,}+
    | base64url\.bearer\.authorization\.k8s\.io\.[A-Za-z0-9_\-=]++
    | AGE-SECRET-KEY-[A-Z0-9]{16,}+ | (?:bot)?[0-9]{8,10}:AA[A-Za-z0-9_\-]{30,}+
    )""",
    re.VERBOSE,
)
_JWT: Final = re.compile(r"eyJ[A-Za-z0-9_\-+/=]{13,}+(?:\.[A-Za-z0-9_\-+/=]*+){0,4}")
_HASHES: Final = re.compile(
    r"\$(?:argon2(?:id|i|d)|2[abxy]|scrypt|y|gy|7|[156]|pbkdf2[a-z0-9\-]{0,16})\$(?:[^\s\"'`,;<>()]|,(?=[a-z]=)){8,}+"
    r"|(?<![A-Za-z0-9])(?:pbkdf2_[a-z0-9]{3,8}|argon2|bcrypt_sha256|bcrypt|scrypt)\$(?:[^\s\"'`,;<>()]|,(?=[a-z]=)){8,}+"
)
_GO_DSN: Final = re.compile(r"(\b[\w.\-]{1,64}:)[^\s@]++(?=@(?:tcp|unix)\()")
_HOOKS: Final = re.compile(
    r"(hooks\.slack\.com/(?:services|workflows|triggers)/|/api/webhooks/)[A-Za-z0-9_\-/]{8,}+"
)
_SCHEME: Final = re.compile(
    r"(?i)(?<![a-z0-9_])(?P<scheme>bearer|basic)(?P<gap>[ \t+]{1,4}|%20)"
    r"(?P<quote>[\"']?)(?P<value>[^\s\"'`<>,;\\]++)"
)
_BEARER_PROSE: Final = words(
    """
    a and are as at auth authentication authorization by can cannot credential credentials error
    expected expired expires failed for format from had has have header headers http in invalid is
    it jwt malformed may missing must no not of off on only or realm rejected required scheme
    schemes scope security should the to token tokens type unauthorized was were which with without
    """
)
_USERINFO: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]{0,30})://(?P<rest>[^\s\"<>]++)")
_DIGITS: Final = re.compile(r"(?<![0-9]\.)[0-9]++(?:[ \-\u2010-\u2015\u2212\u3000][0-9]++)*+")
_GROUP: Final = re.compile(r"[0-9]+")
_FULL_WIDTH: Final = {ord("０") + digit: str(digit) for digit in range(10)} | {
    ord("－"): "-",
    ord("ー"): "-",
    ord("　"): " ",
}
_BEGIN: Final = "-----BEGIN "
_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}-----")


def hide_shapes(text: str) -> str:
    """Text with everything replaced that looks like a known kind of secret."""
    if _BEGIN in text:
        text = _hide_pem(text)
    if "eyJ" in text:
        text = _JWT.sub(MARKER, text)
    text = _KEYS.sub(_hide_key, text)
    if "$" in text:
        text = _HASHES.sub(MARKER, text)
    if "@tcp(" in text or "@unix(" in text:
        text = _GO_DSN.sub(rf"\g<1>{MARKER}", text)
    if "hook" in text:
        text = _HOOKS.sub(rf"\g<1>{MARKER}", text)
    if "://" in text:
        text = _USERINFO.sub(_hide_userinfo, text)
    lower = text.lower()
    if "bearer" in lower or "basic" in lower:
        text = _SCHEME.sub(_hide_credentials, text)
    return hide_cards(text)


def hide_cards(text: str) -> str:
    """Text without card numbers: 14 to 19 digits that a card network gave out and Luhn confirms."""
    shown, end = [], 0
    for run in _DIGITS.finditer(text if text.isascii() else text.translate(_FULL_WIDTH)):
        if run.end() - run.start() < 14:
            continue
        groups = list(_GROUP.finditer(run[0]))
        first = 0
        while first < len(groups):
            size = _card_groups(groups, first)
            if size:
                shown += [text[end : run.start() + groups[first].start()], MARKER]
                end = run.start() + groups[first + size - 1].end()
            first += size or 1
    return "".join([*shown, text[end:]]) if shown else text


def _card_groups(groups: list[re.Match[str]], first: int) -> int:
    """How many groups of digits from `first` on make up a card's number; 0 for none."""
    digits = ""
    for index in range(first, len(groups)):
        digits += groups[index][0]
        if len(digits) > 19:
            return 0
        if len(digits) >= 14 and is_card(digits):
            return index - first + 1
    return 0


def is_card(digits: str) -> bool:
    """Whether digits are a payment card's number."""
    return _has_card_prefix(digits) and _passes_luhn(digits)


def _has_card_prefix(digits: str) -> bool:
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if size == 16:
        return (
            digits[0] == "4"
            or 51 <= two <= 55
            or 2221 <= four <= 2720
            or two in {60, 62, 64, 65}
            or 3528 <= four <= 3589
        )
    if size == 15:
        return two in {34, 37}
    if size == 14:
        return two in {36, 38, 39} or 300 <= int(digits[:3]) <= 305
    return 17 <= size <= 19 and two == 62


def _passes_luhn(digits: str) -> bool:
    odd = sum(map(int, digits[-1::-2]))
    even = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (odd + even) % 10 == 0


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


def _hide_key(match: re.Match[str]) -> str:
    # `sk-` also begins words that people write: sk-learn-pipelines.
    return match[0] if match["common"] and not looks_random(match[0]) else MARKER


def _hide_credentials(match: re.Match[str]) -> str:
    value = match["value"]
    if value == MARKER:
        return match[0]
    if match["scheme"].lower() == "bearer":
        hidden = value.lower().strip(".:-=|") not in _BEARER_PROSE
    else:
        hidden = _is_basic(value)
    if not hidden:
        return match[0]
    return f"{match['scheme']}{match['gap']}{match['quote']}{MARKER}"


def _is_basic(value: str) -> bool:
    """Whether it is base64 of `user:password`, perhaps cut off, and no word of a sentence."""
    head = value.rstrip("=.")[:64]
    head = head[: len(head) - len(head) % 4] if len(head) % 4 == 1 else head
    try:
        decoded = base64.b64decode(head + "=" * (-len(head) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return b":" in decoded or len(value) >= 24 or value.endswith("=")


def _hide_userinfo(match: re.Match[str]) -> str:
    scheme, rest = match["scheme"], match["rest"]
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    at = authority.rfind("@")
    if (at >= 0 and ":" in authority[:at]) or _has_no_port(authority):
        at = rest.rfind("@")  # a password may hold `/` and `@`
    if at < 0:
        return match[0]
    user, colon, _ = rest[:at].partition(":")
    host = rest[at:]
    web = scheme.lower() in {"http", "https", "git+https", "wss", "ws"}
    if not colon:
        plain_user = user == "git" or (not web and len(user) <= 32)
        return match[0] if plain_user or user == MARKER else f"{scheme}://{MARKER}{host}"
    return f"{scheme}://{MARKER}{host}" if web else f"{scheme}://{user}:{MARKER}{host}"


def _has_no_port(authority: str) -> bool:
    port = authority.partition(":")[2]
    return bool(port) and not port[:5].isdigit()
