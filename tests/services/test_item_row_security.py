"""Items under row-level security, on a real PostgreSQL."""

from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy import delete, select, text, true, update

from app.database import Database
from app.lib.logger import NullLogger
from app.lib.utils import utc_now
from app.models.item import Item
from app.models.user import User
from app.schemas.item import ItemIn, ItemQuery
from app.services.errors import NotFound
from app.services.item_bulk import insert_items
from app.services.item_seed import made_up_items
from app.services.item_service import ItemService

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.fixture
async def database(postgres_database: str) -> AsyncIterator[Database]:
    """Hana (1) has two items, Taro (2) one."""
    database = Database(postgres_database)
    async with database.system_session() as session:
        session.add_all(User(email=f"{name}@example.com", name=name) for name in ("hana", "taro"))
    for owner, titles in ((1, ("温泉", "hers")), (2, ("温泉 of Taro",))):
        async with database.session(owner) as session:
            for title in titles:
                await ItemService(session, NullLogger(), owner).create(ItemIn(title=title))
    yield database
    await database.close()


async def test_a_query_without_the_filter(database: Database) -> None:
    async with database.session(1) as session:
        assert set((await session.scalars(select(Item.title))).all()) == {"hers", "温泉"}
        changed = update(Item).values(title="mine now").where(Item.id == 3)
        assert (await session.execute(changed.returning(Item.id))).all() == []
        assert len((await session.execute(delete(Item).returning(Item.id))).all()) == 2


async def test_the_service_of_items_without_its_own(database: Database) -> None:
    async with database.session(1) as session:
        items = ItemService(session, NullLogger(), 1)
        items._mine = true()
        assert (await items.get(1)).title == "温泉"
        with pytest.raises(NotFound):
            await items.get(3)
        assert await items.set_status([1, 3], "done") == [await items.get(1)]
        assert await items.delete([1, 3]) == [1]


async def test_a_search_for_what_others_have(database: Database) -> None:
    async with database.session(1) as session:
        theirs = ItemService(session, NullLogger(), 2)
        assert (await theirs.page(ItemQuery(q="温泉"))).items == []
        matches = text("SELECT id FROM item_matches('ｏ2', '{}')")
        assert (await session.execute(matches)).all() == []


async def test_a_search_reads_the_text_index(database: Database, postgres_database: str) -> None:
    """PostgreSQL would not, were the search to stand in the query itself."""
    async with database.session(1) as session:
        await insert_items(session, 1, made_up_items(300, now=utc_now()))
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE items")
    async with database.session(1) as session:
        found = text("SELECT id FROM item_matches('温泉', '{}')")
        assert (await session.execute(found)).scalars().all() == [1]
        scans = text("SELECT pg_stat_get_xact_numscans('item_search'::regclass)")
        assert await session.scalar(scans) == 1
