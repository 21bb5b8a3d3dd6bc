"""A fresh, migrated database of each kind."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from app.database import Database

BOTH = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """A test that asks for it runs on SQLite and again on PostgreSQL."""
    database = Database(request.getfixturevalue(f"{request.param}_database"))
    yield database
    await database.close()


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()
