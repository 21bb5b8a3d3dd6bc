"""Supabase Auth: one client a request, on connections that all requests share."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import httpx
from pydantic import ValidationError

from app.config import Settings
from app.lib.certificates import certificates
from app.services.errors import (
    AccountDisabled,
    AddressRefused,
    EmailNotConfirmed,
    EmailTaken,
    InvalidCredentials,
    LinkInvalid,
    MailTooSoon,
    NotFound,
    OAuthFailed,
    PasswordRefused,
    ProviderUnavailable,
    ServiceError,
    SignUpClosed,
)
from app.services.rate_limits import TooMany

if TYPE_CHECKING:
    from supabase_auth import AsyncGoTrueClient

TIMEOUT_SECONDS: Final = 8.0
"""For a whole answer: a person who signs in learns within ten seconds that Supabase is silent."""
_WAIT_SECONDS: Final = 60

_ERRORS: Final[dict[str, Callable[[], ServiceError]]] = {
    "invalid_credentials": InvalidCredentials,
    "email_not_confirmed": EmailNotConfirmed,
    "user_banned": AccountDisabled,
    "otp_expired": LinkInvalid,
    "user_already_exists": EmailTaken,
    "email_exists": EmailTaken,
    "email_address_invalid": AddressRefused,
    "email_address_not_authorized": AddressRefused,
    "signup_disabled": SignUpClosed,
    "email_provider_disabled": SignUpClosed,
    "over_email_send_rate_limit": MailTooSoon,
    "user_not_found": NotFound,
    "weak_password": PasswordRefused,
    "same_password": PasswordRefused,
    "refresh_token_not_found": InvalidCredentials,
    "refresh_token_already_used": InvalidCredentials,
    "session_not_found": InvalidCredentials,
    "bad_code_verifier": partial(OAuthFailed, "refused"),
    "flow_state_not_found": partial(OAuthFailed, "refused"),
    "flow_state_expired": partial(OAuthFailed, "expired"),
    "single_identity_not_deletable": partial(OAuthFailed, "only"),
    "email_conflict_identity_not_deletable": partial(OAuthFailed, "only"),
    "manual_linking_disabled": partial(OAuthFailed, "off"),
}


class Supabase:
    """The project's Auth server. One for the app; `client()` is one for a request."""

    def __init__(
        self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        # Where it is needed alone, and before a request waits for it: it takes a while to read.
        from supabase_auth import AsyncGoTrueClient

        self._make_client = AsyncGoTrueClient
        self.url = settings.supabase_auth_url
        self._key = settings.supabase_publishable_key
        self._secret_key = settings.supabase_secret_key.get_secret_value()
        self._http = httpx.AsyncClient(
            transport=transport, timeout=TIMEOUT_SECONDS, verify=certificates()
        )

    @property
    def has_secret_key(self) -> bool:
        """Whether it can act as an administrator."""
        return bool(self._secret_key)

    def client(self, *, as_admin: bool = False) -> "AsyncGoTrueClient":
        """A client that knows nobody. One shared by requests would mix their users up."""
        key = self._secret_key if as_admin else self._key
        return self._make_client(
            url=self.url,
            headers={"apikey": key, "Authorization": f"Bearer {key}"},
            http_client=self._http,
            auto_refresh_token=False,
            persist_session=False,
            # Links carry a token of their own, so there is no verifier to keep for them.
            flow_type="implicit",
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


@asynccontextmanager
async def told(*expected: type[ServiceError]) -> AsyncIterator[None]:
    """What Supabase says went wrong, as an error of the app's own.

    Only those `expected` come out, for which whoever asks has words. Any other answer is none.
    """
    from supabase_auth.errors import AuthApiError, AuthError, AuthRetryableError

    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            yield
    except (AuthRetryableError, TimeoutError) as error:
        raise ProviderUnavailable from error
    except ValidationError:
        # An answer that cannot be read; what pydantic says of it quotes it.
        raise ProviderUnavailable from None
    except AuthError as error:
        found = _ERRORS.get(str(error.code), ProviderUnavailable)()
        if isinstance(found, expected):
            raise found from error
        if str(error.code).startswith("over_"):
            raise TooMany(_WAIT_SECONDS) from error
        denied = isinstance(error, AuthApiError) and error.status in {401, 403, 404}
        if denied and InvalidCredentials in expected:
            raise InvalidCredentials from error
        raise ProviderUnavailable from error
