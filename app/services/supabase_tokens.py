"""Supabase's access tokens: checked here, with the keys that the project publishes."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import httpx
import jwt

from app.config import Settings
from app.lib.certificates import certificates
from app.lib.public_keys import KeysUnavailable, PublicKeys
from app.lib.utils import utc_now
from app.services.errors import ProviderUnavailable

_LEEWAY_SECONDS: Final = 10
_TIMEOUT_SECONDS: Final = 5.0
_ASYMMETRIC: Final = ("ES256", "RS256")


class SupabaseTokens:
    """Verifies tokens. One for the app: it keeps the project's keys for ten minutes.

    HS256 counts only where `SUPABASE_JWT_SECRET` is set. A token says nothing about a sign-out
    since; it is good until it expires.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._issuer = settings.supabase_auth_url
        self._secret = settings.supabase_jwt_secret.get_secret_value()
        self._http = httpx.AsyncClient(
            transport=transport, timeout=_TIMEOUT_SECONDS, verify=certificates()
        )
        keys_url = f"{self._issuer}/.well-known/jwks.json"
        self._keys = PublicKeys(self._http, keys_url, clock=clock)

    async def claims(self, token: str) -> dict[str, Any] | None:
        """What a token says; None for one that is not good. Raises `ProviderUnavailable`."""
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            key: jwt.PyJWK | str | None = None
            if algorithm in _ASYMMETRIC:
                key = await self._keys.get(str(header.get("kid", "")))
                if key is not None and key.algorithm_name != algorithm:
                    return None
            elif algorithm == "HS256" and self._secret:
                key = self._secret
            if key is None:
                return None
            return jwt.decode(
                token,
                key,
                algorithms=[str(algorithm)],
                audience="authenticated",
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "aud", "iss"]},
            )
        except KeysUnavailable as error:
            raise ProviderUnavailable from error
        except jwt.PyJWTError:
            return None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
