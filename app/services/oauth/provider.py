"""What every service that people sign in with is asked, and how long it may take."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol, Self
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel, ValidationError

from app.config_values import ProviderName
from app.lib.public_keys import KeysUnavailable
from app.schemas.account import Address
from app.services.errors import OAuthFailed, ProviderUnavailable
from app.services.oauth.flow import Flow

log = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 8.0
"""For all that is asked of a provider at once: within ten seconds a person learns that it is
silent."""


@dataclass(frozen=True, slots=True)
class Profile:
    """An account at a service. `email` is empty where it does not say that it was verified."""

    subject: str
    email: str
    name: str

    @classmethod
    def told(cls, subject: str, email: str, name: str) -> Self:
        """What a service told, made fit for an account here."""
        try:
            email = Address(email=email).email
        except ValidationError:
            email = ""
        name = " ".join("".join(filter(str.isprintable, name)).split())[:100].strip()
        return cls(subject, email, name or email.partition("@")[0] or "–")


class Client(Protocol):
    """One service."""

    def authorize_url(self, flow: Flow) -> str:
        """Where the browser goes to ask its user for consent."""
        ...

    async def profile(self, flow: Flow, code: str) -> Profile:
        """Whose account it is. Raises `OAuthFailed` where the code is not taken."""
        ...


class Token(BaseModel):
    """The answer to a code."""

    access_token: str = ""
    id_token: str = ""
    error: str = ""


def with_query(url: str, **query: str) -> str:
    """The URL with a query."""
    return f"{url}?{urlencode(query)}"


@asynccontextmanager
async def asked(provider: ProviderName) -> AsyncIterator[None]:
    """Raises `ProviderUnavailable` where a service does not answer in time, or not in its way."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            yield
    except (httpx.HTTPError, TimeoutError, ValidationError, KeysUnavailable) as error:
        # No more of it than its name: what it says may quote a token.
        log.error("%s does not answer: %s", provider, type(error).__name__)  # noqa: TRY400
        raise ProviderUnavailable from None


async def exchange(
    http: httpx.AsyncClient, url: str, flow: Flow, code: str, client_id: str, secret: str
) -> Token:
    """The tokens for a code."""
    answer = await http.post(
        url,
        data={
            "grant_type": "authorization_code",
            "client_id": client_id,
            "client_secret": secret,
            "code": code,
            "redirect_uri": flow.redirect_uri,
            "code_verifier": flow.verifier,
        },
    )
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        answer.raise_for_status()
    token = Token.model_validate_json(answer.content)
    if token.error in {"bad_verification_code", "invalid_grant"}:
        raise OAuthFailed("refused")
    if token.error or not answer.is_success:
        log.error("%s does not know this app: %s", flow.provider, token.error[:100])
        raise ProviderUnavailable
    return token
