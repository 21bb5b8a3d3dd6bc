"""The services that people can sign in with."""

from collections.abc import Mapping
from functools import cached_property

import httpx

from app.config import Settings
from app.config_values import ProviderName
from app.lib.certificates import certificates
from app.product import SLUG
from app.services.oauth.github import GitHub
from app.services.oauth.google import Google
from app.services.oauth.provider import TIMEOUT_SECONDS, Client


class Clients:
    """All of them, on connections that all requests share. One for the app.

    They are made when the first is asked for: most apps have none.
    """

    def __init__(
        self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._http: httpx.AsyncClient | None = None

    def __getitem__(self, provider: ProviderName) -> Client:
        return self._all[provider]

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()

    @cached_property
    def _all(self) -> Mapping[ProviderName, Client]:
        self._http = http = httpx.AsyncClient(
            transport=self._transport,
            timeout=TIMEOUT_SECONDS,
            verify=certificates(),
            headers={"User-Agent": SLUG, "Accept": "application/json"},
        )
        return {"github": GitHub(self._settings, http), "google": Google(self._settings, http)}
