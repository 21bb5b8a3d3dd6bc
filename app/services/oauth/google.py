"""Google, by OpenID Connect."""

from typing import Any, Final

import httpx
import jwt

from app.config import Settings
from app.lib.public_keys import PublicKeys
from app.services.errors import OAuthFailed
from app.services.oauth.flow import Flow
from app.services.oauth.provider import Profile, asked, exchange, with_query

# As https://accounts.google.com/.well-known/openid-configuration has them.
_AUTHORIZE: Final = "https://accounts.google.com/o/oauth2/v2/auth"
_TOKEN: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 # an address
_KEYS: Final = "https://www.googleapis.com/oauth2/v3/certs"
_ISSUERS: Final = ["https://accounts.google.com", "accounts.google.com"]
_LEEWAY_SECONDS: Final = 10


class Google:
    """Knows an account by the `sub` of its ID token, which is checked in full."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._id = settings.google_client_id
        self._secret = settings.google_client_secret.get_secret_value()
        self._http = http
        self._keys = PublicKeys(http, _KEYS)

    def authorize_url(self, flow: Flow) -> str:
        return with_query(
            _AUTHORIZE,
            client_id=self._id,
            redirect_uri=flow.redirect_uri,
            response_type="code",
            scope="openid email profile",
            state=flow.state,
            nonce=flow.nonce,
            code_challenge=flow.challenge,
            code_challenge_method="S256",
            prompt="select_account",
        )

    async def profile(self, flow: Flow, code: str) -> Profile:
        async with asked("google"):
            token = await exchange(self._http, _TOKEN, flow, code, self._id, self._secret)
            claims = await self._claims(token.id_token, flow.nonce)
        email = str(claims.get("email", "")) if claims.get("email_verified") is True else ""
        return Profile.told(str(claims["sub"]), email, str(claims.get("name", "")))

    async def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        try:
            key = await self._keys.get(str(jwt.get_unverified_header(token).get("kid", "")))
            if key is None:
                raise OAuthFailed("refused")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._id,
                issuer=_ISSUERS,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "aud", "iss", "nonce"]},
            )
        except jwt.PyJWTError as error:
            raise OAuthFailed("refused") from error
        if claims["nonce"] != nonce:
            raise OAuthFailed("refused")
        return claims
