"""Supabase Auth: its keys, the keys that it signs with, and its clock; GitHub and Google."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.config import Settings
from app.config_values import PROVIDERS
from commands.kit.doctor.finding import Finding, note, ok, wrong

_SECONDS = 5.0
# What a token's times may be off when they are checked.
_CLOCK_SECONDS = 10


def accounts(settings: Settings, transport: httpx.BaseTransport | None = None) -> Iterator[Finding]:
    if not settings.uses_supabase:
        if settings.supabase_auth_url:
            yield wrong("Supabase", "doctor_supabase_half")
        else:
            yield ok("Supabase", "doctor_supabase_none")
        yield from _services(settings)
        return
    host = urlsplit(settings.supabase_auth_url).netloc
    url = settings.supabase_auth_url
    with httpx.Client(base_url=url, timeout=_SECONDS, transport=transport) as client:
        try:
            answer = _ask(client, "/settings", settings.supabase_publishable_key)
        except httpx.HTTPError as error:
            yield wrong("Supabase", "doctor_supabase_silent", host=host, why=type(error).__name__)
            return
        yield _publishable(answer, settings.supabase_publishable_key, host)
        if answer.status_code not in {401, 403} and "external" not in _object(answer):
            return  # somebody else's server, whatever it says to the rest
        yield from _services_there(answer, settings)
        yield _clock(answer)
        yield _secret(client, settings)
        yield _signing_keys(client, settings)


def _services(settings: Settings) -> Iterator[Finding]:
    """Where GitHub and Google have to send browsers back to."""
    origin = settings.public_origin
    for name in settings.providers:
        if not origin and settings.environment == "production":
            yield wrong(PROVIDERS[name], "doctor_service_origin")
            continue
        back = f"{origin or f'http://127.0.0.1:{settings.port}'}/oauth/{name}/callback"
        yield ok(PROVIDERS[name], "doctor_service", url=back)


def _services_there(answer: httpx.Response, settings: Settings) -> Iterator[Finding]:
    """Whether what has a button is turned on in Supabase."""
    there = _object(answer).get("external")
    if not isinstance(there, dict):
        return  # that it answers like no Supabase Auth is said already
    for name in settings.providers:
        if there.get(name):
            yield ok(PROVIDERS[name], "doctor_service_there")
        else:
            yield wrong(PROVIDERS[name], "doctor_service_off", name=PROVIDERS[name])


def _ask(client: httpx.Client, path: str, key: str) -> httpx.Response:
    return client.get(path, headers={"apikey": key, "Authorization": f"Bearer {key}"})


def _publishable(answer: httpx.Response, key: str, host: str) -> Finding:
    if _role(key) == "service_role":
        return wrong("Supabase", "doctor_key_is_secret")
    if answer.status_code in {401, 403}:
        return wrong("Supabase", "doctor_key_refused", host=host)
    if answer.status_code != 200 or "external" not in _object(answer):
        return wrong("Supabase", "doctor_supabase_strange", host=host, status=answer.status_code)
    return ok("Supabase", "doctor_supabase", host=host)


def _clock(answer: httpx.Response) -> Finding:
    try:
        there = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return note("Supabase clock", "doctor_clock_none")
    # Its time is in whole seconds.
    off = max(0.0, abs((datetime.now(UTC) - there).total_seconds()) - 1)
    if off > _CLOCK_SECONDS:
        return wrong("Supabase clock", "doctor_clock_off", seconds=round(off))
    return ok("Supabase clock", "doctor_clock", seconds=f"{off:.0f}")


def _secret(client: httpx.Client, settings: Settings) -> Finding:
    key = settings.supabase_secret_key.get_secret_value()
    if not key:
        return note("Supabase secret", "doctor_secret_none")
    try:
        status = _ask(client, "/admin/users?page=1&per_page=1", key).status_code
    except httpx.HTTPError as error:
        return wrong("Supabase secret", "doctor_secret_silent", why=type(error).__name__)
    if status != 200:
        return wrong("Supabase secret", "doctor_secret_refused", status=status)
    return ok("Supabase secret", "doctor_secret")


def _signing_keys(client: httpx.Client, settings: Settings) -> Finding:
    """Tokens under `/api` are checked with these."""
    try:
        answer = client.get("/.well-known/jwks.json")
        keys = _object(answer.raise_for_status())["keys"]
        kinds = ", ".join(sorted({str(key.get("alg") or key.get("kty")) for key in keys}))
    except (httpx.HTTPError, LookupError, TypeError, AttributeError):
        return wrong("Supabase tokens", "doctor_jwks_silent")
    if not keys and not settings.supabase_jwt_secret.get_secret_value():
        return wrong("Supabase tokens", "doctor_jwks_none")
    return ok("Supabase tokens", "doctor_jwks", kinds=kinds or "HS256")


def _object(answer: httpx.Response) -> dict[str, Any]:
    """What an answer says in JSON; nothing where that is no object."""
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _role(key: str) -> str:
    """What a key is for: told by its beginning, or in the older kind by what it says."""
    if key.startswith("sb_secret_"):
        return "service_role"
    try:
        claims = key.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(claims + "=="))["role"])
    except (ValueError, LookupError, TypeError):
        return ""
