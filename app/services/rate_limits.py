"""How often something may be tried: counted by address and by account, for all instances."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from sqlalchemy import case, delete
from sqlalchemy.dialects.postgresql import insert

from app.database import Database
from app.lib.utils import utc_now
from app.models.rate_limit import RateLimit

_MOST_KEYS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `times` in each window of `seconds`."""

    name: str
    times: int
    seconds: int


SIGN_IN_BY_IP: Final = Limit("sign-in by ip", 30, 300)
SIGN_IN_BY_ACCOUNT: Final = Limit("sign-in by account", 10, 300)
SIGN_UP_BY_IP: Final = Limit("sign-up by ip", 10, 3600)
MAIL_BY_IP: Final = Limit("mail by ip", 10, 3600)
MAIL_BY_ACCOUNT: Final = Limit("mail by account", 3, 3600)
TOKEN_BY_IP: Final = Limit("token by ip", 60, 300)
CODE_BY_ACCOUNT: Final = Limit("code by account", 5, 300)


class TooMany(Exception):
    """Something was tried too often; it may be again in `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"again in {retry_after} s")
        self.retry_after = retry_after


class RateLimits(Protocol):
    """Counts tries."""

    async def hit(self, limit: Limit, whom: str) -> None:
        """Count one try of `whom`. Raises `TooMany` beyond the limit."""
        ...


class MemoryLimits:
    """Counts in this process: for SQLite, where there is only one."""

    def __init__(self, *, factor: int = 1, clock: Callable[[], datetime] = utc_now) -> None:
        self._factor = factor
        self._clock = clock
        self._windows: dict[str, tuple[int, datetime]] = {}

    async def hit(self, limit: Limit, whom: str) -> None:
        now = self._clock()
        key = _key(limit, whom)
        count, resets_at = self._windows.get(key, (0, now))
        if resets_at <= now:
            count, resets_at = 0, now + timedelta(seconds=limit.seconds)
        if len(self._windows) >= _MOST_KEYS:
            self._windows = {k: w for k, w in self._windows.items() if w[1] > now}
        self._windows[key] = (count + 1, resets_at)
        _judge(limit.times * self._factor, count + 1, resets_at, now)


class DatabaseLimits:
    """Counts in PostgreSQL, in transactions of its own: a request that fails counts too."""

    def __init__(
        self, database: Database, *, factor: int = 1, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._factor = factor
        self._clock = clock

    async def hit(self, limit: Limit, whom: str) -> None:
        now = self._clock()
        fresh = now + timedelta(seconds=limit.seconds)
        over = RateLimit.resets_at <= now
        statement = (
            insert(RateLimit)
            .values(key=_key(limit, whom), count=1, resets_at=fresh)
            .on_conflict_do_update(
                index_elements=[RateLimit.key],
                set_={
                    "count": case((over, 1), else_=RateLimit.count + 1),
                    "resets_at": case((over, fresh), else_=RateLimit.resets_at),
                },
            )
            .returning(RateLimit.count, RateLimit.resets_at)
        )
        async with self._database.system_session() as session:
            count, resets_at = (await session.execute(statement)).one()
        if count == 1:
            await self._forget(now - timedelta(hours=1))
        _judge(limit.times * self._factor, count, resets_at, now)

    async def _forget(self, before: datetime) -> None:
        """By itself: with a counted row locked, two that clean up could wait for each other."""
        async with self._database.system_session() as session:
            await session.execute(
                delete(RateLimit).where(RateLimit.resets_at <= before),
                execution_options={"synchronize_session": False},
            )


def make_rate_limits(database: Database, factor: int) -> RateLimits:
    """What counts where this database is; `factor` multiplies the limits."""
    if database.url.get_backend_name() == "postgresql":
        return DatabaseLimits(database.apart, factor=factor)
    return MemoryLimits(factor=factor)


def _key(limit: Limit, whom: str) -> str:
    return hashlib.sha256(f"{limit.name}\n{whom}".encode("utf-8", "surrogatepass")).hexdigest()


def _judge(times: int, count: int, resets_at: datetime, now: datetime) -> None:
    if count > times:
        raise TooMany(max(1, math.ceil((resets_at - now).total_seconds())))
