"""The keys that a server publishes for the tokens that it signs (a JSON Web Key Set)."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import httpx
import jwt

from app.lib.utils import utc_now

_KEPT: Final = timedelta(minutes=10)
_PAUSE: Final = timedelta(seconds=5)
"""How long a server that did not answer is left alone."""
_SECONDS: Final = 5.0
"""The most that an answer may take, from its beginning to its end."""

_NO_KEYS: Final = (ValueError, jwt.PyJWTError, AttributeError, TypeError)
"""What comes of reading something else as keys: PyJWT does not look at its shape."""


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
        self._ask_again_at: datetime | None = None
        self._problem: Exception | None = None

    async def get(self, key_id: str) -> jwt.PyJWK | None:
        """Of many that ask at once, one fetches; an unknown id does not make it fetch again.

        Raises `KeysUnavailable`.
        """
        if not (self._lock.locked() and key_id in self._keys):
            async with self._lock:
                if self._ask_again_at is None or self._ask_again_at <= self._clock():
                    await self._fetch()
        key = self._keys.get(key_id)
        if key is None and self._problem is not None:
            raise KeysUnavailable from self._problem
        return key

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await self._http.get(self._url)
            answer.raise_for_status()
            found = jwt.PyJWKSet.from_dict(answer.json()).keys
        except (httpx.HTTPError, TimeoutError, *_NO_KEYS) as error:
            # Whoever waited for this answer does not wait for another one.
            self._problem, kept = error, _PAUSE
        else:
            self._keys = {str(key.key_id): key for key in found}
            self._problem, kept = None, _KEPT
        self._ask_again_at = self._clock() + kept
