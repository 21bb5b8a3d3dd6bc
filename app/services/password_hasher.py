"""Hashing passwords without stopping the event loop."""

import secrets
from base64 import b64encode
from typing import Final

from anyio import CapacityLimiter, to_thread
from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

# OWASP's first choice for argon2id at 19 MiB. Two at a time: 38 MiB of a small server's 512.
_MEMORY_KIB: Final = 19_456
_PASSES: Final = 2
_AT_ONCE: Final = 2


class PasswordHasher:
    """Argon2id in worker threads. One for the whole app, because it limits how many run at once."""

    def __init__(self, *, memory_kib: int = _MEMORY_KIB, passes: int = _PASSES) -> None:
        self._argon2 = Argon2(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._limiter = CapacityLimiter(_AT_ONCE)
        # Of no password at all, and made without the work of one.
        salt, digest = (b64encode(secrets.token_bytes(n)).decode().rstrip("=") for n in (16, 32))
        cost = f"m={memory_kib},t={passes},p=1"
        self._nobody = f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"

    async def hash(self, password: str) -> str:
        """The hash of `password`, with its parameters and salt."""
        return await to_thread.run_sync(self._argon2.hash, password, limiter=self._limiter)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether `password` is the one. Without a hash it is not, and that takes as long."""
        right = await to_thread.run_sync(
            self._verify, password_hash or self._nobody, password, limiter=self._limiter
        )
        return right and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
