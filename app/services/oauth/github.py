"""GitHub, or a GitHub Enterprise Server."""

from typing import Final

import httpx
from pydantic import BaseModel, TypeAdapter

from app.config import Settings
from app.services.oauth.flow import Flow
from app.services.oauth.provider import Profile, asked, exchange, with_query

_PUBLIC: Final = "https://github.com"
_ASK: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class _Account(BaseModel):
    id: int
    login: str
    name: str | None = None


class _Address(BaseModel):
    email: str
    primary: bool
    verified: bool


_ADDRESSES: Final = TypeAdapter(list[_Address])


class GitHub:
    """Knows an account by its number. Its address is the primary one, once that is verified."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._url = settings.github_url
        self._api = "https://api.github.com" if self._url == _PUBLIC else f"{self._url}/api/v3"
        self._id = settings.github_client_id
        self._secret = settings.github_client_secret.get_secret_value()
        self._http = http

    def authorize_url(self, flow: Flow) -> str:
        return with_query(
            f"{self._url}/login/oauth/authorize",
            client_id=self._id,
            redirect_uri=flow.redirect_uri,
            scope="user:email",
            state=flow.state,
            code_challenge=flow.challenge,
            code_challenge_method="S256",
        )

    async def profile(self, flow: Flow, code: str) -> Profile:
        async with asked("github"):
            url = f"{self._url}/login/oauth/access_token"
            token = await exchange(self._http, url, flow, code, self._id, self._secret)
            account = _Account.model_validate_json(await self._get("/user", token.access_token))
            addresses = _ADDRESSES.validate_json(
                await self._get("/user/emails", token.access_token)
            )
        email = next((each.email for each in addresses if each.primary and each.verified), "")
        return Profile.told(str(account.id), email, account.name or account.login)

    async def _get(self, path: str, token: str) -> bytes:
        answer = await self._http.get(
            f"{self._api}{path}", headers={**_ASK, "Authorization": f"Bearer {token}"}
        )
        return answer.raise_for_status().content
