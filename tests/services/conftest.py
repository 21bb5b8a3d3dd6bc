"""Services on a real database of each kind, with two users in it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.lib.logger import NullLogger
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Store
from app.lib.tracelog.store.turso_store import TursoStore
from app.models.user import User
from app.services.item_service import ItemService
from tests.support.databases import Clock, clock, database
from tests.support.turso import TursoServer

__all__ = ["clock", "database"]


@dataclass(frozen=True)
class Users:
    """The ids of two people who know nothing of each other."""

    hana: int
    taro: int


async def add_users(database: Database, clock: Clock) -> Users:
    async with database.system_session() as session:
        people = [
            User(email=f"{name}@example.com", name=name, created_at=clock())
            for name in ("hana", "taro")
        ]
        session.add_all(people)
    return Users(*(person.id for person in people))


@pytest.fixture
async def users(database: Database, clock: Clock) -> Users:
    return await add_users(database, clock)


@pytest.fixture(params=["sqlite", "sqld"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store without tables."""
    store: Store
    if request.param == "sqlite":
        store = SQLiteStore(tmp_path / "trace.db")
    else:
        server: TursoServer = request.getfixturevalue("sqld")
        store = TursoStore(server.url, server.token)
    yield store
    store.close()


ServiceOf = Callable[[int], AbstractAsyncContextManager[ItemService]]


@pytest.fixture
def service_of(database: Database, clock: Clock) -> ServiceOf:
    """`async with service_of(user_id) as items`: their items, in a transaction of its own."""

    @asynccontextmanager
    async def open_service(user_id: int) -> AsyncIterator[ItemService]:
        async with database.session(user_id) as session:
            yield service_in(session, user_id, clock)

    return open_service


def service_in(session: AsyncSession, user_id: int, clock: Clock) -> ItemService:
    """The items of a user in this session's transaction."""
    return ItemService(session, NullLogger(), user_id, clock=clock)
