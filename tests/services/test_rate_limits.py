"""Rate limits: the same in memory and in PostgreSQL."""

import asyncio

import pytest

from app.database import Database
from app.services.rate_limits import DatabaseLimits, Limit, MemoryLimits, RateLimits, TooMany
from tests.support.databases import Clock

pytestmark = pytest.mark.anyio

THREE = Limit("test", 3, 60)


@pytest.fixture
def limits(database: Database, clock: Clock) -> RateLimits:
    if database.url.get_backend_name() == "postgresql":
        return DatabaseLimits(database, clock=clock)
    return MemoryLimits(clock=clock)


async def test_beyond_the_limit_one_has_to_wait(limits: RateLimits, clock: Clock) -> None:
    for _ in range(3):
        await limits.hit(THREE, "hana")
    clock.advance(seconds=20)
    with pytest.raises(TooMany) as error:
        await limits.hit(THREE, "hana")
    assert error.value.retry_after == 40
    await limits.hit(THREE, "taro")
    await limits.hit(Limit("other", 3, 60), "hana")
    clock.advance(seconds=40)
    await limits.hit(THREE, "hana")


async def test_of_many_at_once_as_many_pass_as_may(limits: RateLimits) -> None:
    async def passes() -> bool:
        try:
            await limits.hit(THREE, "hana")
        except TooMany:
            return False
        return True

    assert sum(await asyncio.gather(*(passes() for _ in range(9)))) == 3


@pytest.mark.postgres
async def test_instances_count_together(postgres_database: str, clock: Clock) -> None:
    databases = [Database(postgres_database) for _ in range(2)]
    first, second = (DatabaseLimits(database, clock=clock) for database in databases)
    for limits in (first, second, first):
        await limits.hit(THREE, "hana")
    with pytest.raises(TooMany):
        await second.hit(THREE, "hana")
    for database in databases:
        await database.close()
