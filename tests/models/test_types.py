"""Types that mean the same in both databases."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import literal, select
from sqlalchemy.exc import StatementError

from app.database import Database
from app.models.base import UtcDateTime
from tests.support.databases import database

__all__ = ["database"]

pytestmark = pytest.mark.anyio


async def stored(database: Database, value: object, type_: UtcDateTime) -> object:
    async with database.system_session() as session:
        return await session.scalar(select(literal(value, type_)))


async def test_times_come_back_in_utc_to_the_microsecond(database: Database) -> None:
    tokyo = timezone(timedelta(hours=9))
    moment = datetime(2026, 11, 5, 0, 30, 0, 123456, tzinfo=tokyo)
    found = await stored(database, moment, UtcDateTime())
    assert found == moment
    assert isinstance(found, datetime)
    assert found.tzinfo is UTC
    assert await stored(database, None, UtcDateTime()) is None


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        await stored(database, datetime(2026, 11, 5), UtcDateTime())
