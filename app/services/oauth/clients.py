"""The services that people can sign in with."""

from collections.abc import Mapping

import httpx

from app.config import Settings
from app.config_values import ProviderName
from app.product import SLUG
from app.services.oauth.github import GitHub
from app.services.oauth.google import Google
from app.services.oauth.provider import TIMEOUT_SECONDS, Client


class Clients:
    """All of them, on connections that all requests share. One for the app."""

    def __init__(
        self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._http = httpx.AsyncClient(
            transport=transport,
            timeout=TIMEOUT_SECONDS,
            headers={"User-Agent": SLUG, "Accept": "application/json"},
        )
        self._all: Mapping[ProviderName, Client] = {
            "github": GitHub(settings, self._http),
            "google": Google(settings, self._http),
        }

    def __getitem__(self, provider: ProviderName) -> Client:
        return self._all[provider]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
