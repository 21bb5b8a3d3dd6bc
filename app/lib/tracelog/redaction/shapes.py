"""Secrets that are known by their shape: keys of well-known services, JSON Web Tokens, PEM blocks,
password hashes.

Here and in all rules, patterns run in linear time: what repeats is possessive or bounded, and no
two neighbours can match the same character.
"""

import re
from typing import Final

from app.lib.tracelog.redaction.keys import looks_random
from app.lib.tracelog.redaction.plain import MARKER

_KEYS: Final = tuple(
    (needle, re.compile(rf"(?<![A-Za-z0-9]){pattern}"))
    for needle, pattern in (
        ("whsec_", r"whsec_[A-Za-z0-9+/=]{10,}+"),  # Stripe's webhooks
        ("gh", r"gh[opusr]_[A-Za-z0-9]{12,}+"),
        ("github_pat_", r"github_pat_[A-Za-z0-9_]{8,}+"),
        ("gl", r"gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_\-.]{12,}+"),
        ("A", r"A(?:KIA|SIA|BIA|CCA|ROA|IDA)[A-Z0-9]{12,32}(?![A-Za-z0-9])"),  # AWS
        ("AIza", r"AIza[A-Za-z0-9_\-]{12,}+"),  # Google
        ("ya29.", r"ya29\.[A-Za-z0-9_\-]{12,}+"),
        ("GOCSPX-", r"GOCSPX-[A-Za-z0-9_\-]{10,}+"),
        ("1//0", r"1//0[A-Za-z0-9_\-]{20,}+"),
        ("xox", r"xox[a-z]-[A-Za-z0-9\-]{11,}+"),  # Slack
        ("xapp-", r"xapp-[A-Za-z0-9\-]{11,}+"),
        ("sb_secret_", r"sb_secret_[A-Za-z0-9_\-]{6,}+"),  # Supabase
        ("sbp_", r"sbp_[A-Za-z0-9_]{16,}+"),
        ("npm_", r"npm_[A-Za-z0-9]{20,}+"),
        ("pypi-", r"pypi-[A-Za-z0-9_\-]{20,}+"),
        ("hf_", r"hf_[A-Za-z0-9]{20,}+"),
        ("SG.", r"SG\.[A-Za-z0-9_\-]{12,64}\.[A-Za-z0-9_\-]{12,}+"),  # SendGrid
        ("key-", r"key-[0-9a-z]{32}"),  # Mailgun
        ("SK", r"SK[0-9a-f]{32}"),  # Twilio
        ("shp", r"shp(?:at|ca|pa|ss)_[A-Za-z0-9]{16,}+"),  # Shopify
        ("_v1_", r"do[opr]_v1_[A-Za-z0-9]{16,}+"),  # DigitalOcean
        ("rnd_", r"rnd_[A-Za-z0-9]{16,}+"),  # Render
        ("lin_api_", r"lin_api_[A-Za-z0-9]{16,}+"),
        ("secret_", r"secret_[A-Za-z0-9]{24,}+"),  # Notion
        ("ntn_", r"ntn_[A-Za-z0-9]{24,}+"),
        ("re_", r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{16,}+"),  # Resend
        ("sq0", r"sq0[a-z]{3}-[A-Za-z0-9_\-]{16,}+"),  # Square
        ("hvs.", r"hvs\.[A-Za-z0-9_\-]{16,}+"),  # Vault
        ("dapi", r"dapi[0-9a-f]{32}"),  # Databricks
        ("EAA", r"EAA[A-Za-z0-9]{30,}+"),  # Facebook
        ("AGE-SECRET-KEY-", r"AGE-SECRET-KEY-[A-Z0-9]{16,}+"),
        (":AA", r"(?:bot)?[0-9]{8,10}:AA[A-Za-z0-9_\-]{30,}+"),  # Telegram
        ("r8_", r"r8_[A-Za-z0-9]{30,}+"),  # Replicate
        ("gsk_", r"gsk_[A-Za-z0-9]{30,}+"),  # Groq
        ("xai-", r"xai-[A-Za-z0-9]{40,}+"),
        ("pplx-", r"pplx-[A-Za-z0-9]{30,}+"),  # Perplexity
        ("AQ.", r"AQ\.A[A-Za-z0-9_\-]{30,}+"),  # Gemini
        ("fig", r"fig[dour]_[A-Za-z0-9_\-]{20,}+"),  # Figma
        ("NRAK-", r"NRAK-[A-Z0-9]{20,}+"),  # New Relic
        ("phx_", r"phx_[A-Za-z0-9]{30,}+"),  # PostHog
        ("tskey-", r"tskey-[a-z]{2,12}-[A-Za-z0-9\-]{16,}+"),  # Tailscale
        ("dckr_", r"dckr_[a-z]{2,6}_[A-Za-z0-9_\-]{20,}+"),  # Docker Hub
        ("sntry", r"sntry[su]_[A-Za-z0-9+/=_\-]{20,}+"),  # Sentry
        ("ATATT3", r"ATATT3[A-Za-z0-9_\-=]{30,}+"),  # Atlassian
        ("ATBB", r"ATBB[A-Za-z0-9]{24,}+"),
        ("dp.", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.\-]{30,}+"),  # Doppler
        ("pul-", r"pul-[0-9a-f]{40}"),  # Pulumi
        ("PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{20,}+"),  # Postman
        ("gl", r"gl(?:sa|c)_[A-Za-z0-9_=+/]{20,}+"),  # Grafana
        ("xkeysib-", r"xkeysib-[A-Za-z0-9\-]{30,}+"),  # Brevo
        ("rubygems_", r"rubygems_[0-9a-f]{30,}+"),
        ("pscale_", r"pscale_[a-z]{2,6}_[A-Za-z0-9_.\-]{20,}+"),  # PlanetScale
        ("napi_", r"napi_[A-Za-z0-9]{30,}+"),  # Neon
        ("HRKU-", r"HRKU-[A-Za-z0-9_\-]{30,}+"),  # Heroku
        ("CCIP", r"CCIP(?:AT|RJ)_[A-Za-z0-9_]{20,}+"),  # CircleCI
        ("atlasv1.", r"[A-Za-z0-9]{10,20}\.atlasv1\.[A-Za-z0-9_\-]{30,}+"),  # Terraform
        ("hvb.", r"hvb\.[A-Za-z0-9_\-]{16,}+"),  # Vault
        ("vercel_", r"vercel_[a-z]{2,8}_[A-Za-z0-9_]{20,}+"),
        ("fm2_", r"fm2_[A-Za-z0-9+/=_\-]{30,}+"),  # Fly.io
        (".", r"[MNO][A-Za-z0-9_\-]{23,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,}+"),  # Discord
        (".bearer.", r"base64url\.bearer\.authorization\.k8s\.io\.[A-Za-z0-9_\-=]++"),
    )
)
"""What a kind of key contains and how it looks; the first is only there to be found fast."""

_SK: Final = re.compile(r"(?<![A-Za-z0-9])[sr]k[-_][A-Za-z0-9_\-]{16,}+")  # OpenAI, Stripe
_JWT: Final = re.compile(r"eyJ[A-Za-z0-9_\-+/=]{13,}+(?:\.[A-Za-z0-9_\-+/=]*+){0,4}")
_HASHES: Final = re.compile(
    r"\$(?:argon2(?:id|i|d)|2[abxy]|scrypt|y|gy|7|[156]|pbkdf2[a-z0-9\-]{0,16})\$(?:[^\s\"'`,;<>()]|,(?=[a-z]=)){8,}+"
    r"|(?<![A-Za-z0-9])(?:pbkdf2[_:][a-z0-9]{3,8}(?::[0-9]{1,8})?|argon2|bcrypt_sha256|bcrypt"
    r"|scrypt(?::[0-9]{1,8}){0,3})\$(?:[^\s\"'`,;<>()]|,(?=[a-z]=)){8,}+"
)
_HOOKS: Final = re.compile(
    r"(hooks\.slack\.com/(?:services|workflows|triggers)/|/api/webhooks/|\.office\.com/webhook(?:b2)?/"
    r"|hooks\.zapier\.com/hooks/catch/|/hooks?/incoming/)[A-Za-z0-9_\-/@]{8,}+"
)
_WIFI: Final = re.compile(r"(\bWIFI:(?:[A-Z]:(?:[^;\\]++|\\.)*+;){0,6}?P:)(?:[^;\\\n]++|\\.)++")
_BEGIN: Final = "-----BEGIN "
_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}-----")


def hide_shapes(text: str) -> str:
    """Text with everything replaced that looks like a known kind of secret."""
    if _BEGIN in text:
        text = _hide_pem(text)
    if "eyJ" in text:
        text = _JWT.sub(MARKER, text)
    for needle, pattern in _KEYS:
        if needle in text:
            text = pattern.sub(MARKER, text)
    if "k-" in text or "k_" in text:
        text = _SK.sub(_hide_sk, text)
    if "$" in text:
        text = _HASHES.sub(MARKER, text)
    if "hook" in text:
        text = _HOOKS.sub(rf"\g<1>{MARKER}", text)
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


def _hide_sk(match: re.Match[str]) -> str:
    # These letters also begin what people write: sk-learn-pipelines.
    return MARKER if looks_random(match[0]) else match[0]
