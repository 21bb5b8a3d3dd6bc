"""A status means the same in both databases."""

import pytest
from sqlalchemy import literal, select

from app.database import Database
from app.models.item import STATUSES, Status, StatusType
from tests.support.databases import database

__all__ = ["database"]

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("status", STATUSES)
async def test_a_status_comes_back(database: Database, status: Status) -> None:
    async with database.system_session() as session:
        assert await session.scalar(select(literal(status, StatusType()))) == status


async def test_what_comes_first_is_sorted_first(database: Database) -> None:
    todo, doing, done = (literal(status, StatusType()) for status in ("todo", "doing", "done"))
    async with database.system_session() as session:
        assert (await session.execute(select(todo < doing, doing < done))).one() == (True, True)
