"""The keys that a server publishes for the tokens that it signs (a JSON Web Key Set)."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import httpx
import jwt

from app.lib.utils import utc_now

_KEPT: Final = timedelta(minutes=10)


class KeysUnavailable(Exception):
    """The server does not answer, and the key that is asked for is not known yet."""


class PublicKeys:
    """Keeps the keys at `url` for ten minutes, and for longer while the server is silent."""

    def __init__(
        self, http: httpx.AsyncClient, url: str, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._http = http
        self._url = url
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: datetime | None = None

    async def get(self, key_id: str) -> jwt.PyJWK | None:
        """Of many that ask at once, one fetches; an unknown id does not make it fetch again.

        Raises `KeysUnavailable`.
        """
        async with self._lock:
            now = self._clock()
            if self._fetched_at is None or self._fetched_at <= now - _KEPT:
                try:
                    answer = await self._http.get(self._url)
                    answer.raise_for_status()
                    found = jwt.PyJWKSet.from_dict(answer.json()).keys
                except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
                    if key_id not in self._keys:
                        raise KeysUnavailable from error
                else:
                    self._keys = {str(key.key_id): key for key in found}
                    self._fetched_at = now
            return self._keys.get(key_id)
