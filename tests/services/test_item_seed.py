"""Seeds and bulk inserts leave what single inserts would have left."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from app.database import Database
from app.lib.search_grams import stored_grams
from app.models.item import Item
from app.schemas.item import ItemIn, ItemQuery
from app.services.item_bulk import NewItem, insert_items
from app.services.item_seed import made_up_items, seed_items
from tests.services.conftest import ServiceOf, Users
from tests.support.databases import Clock
from tests.support.statements import statements

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)


async def test_seeded_items_are_listed_and_found(
    database: Database, service_of: ServiceOf, users: Users
) -> None:
    async with database.system_session() as session:
        assert await seed_items(session, users.hana, 1234, now=NOW) == 1234
    async with service_of(users.hana) as items:
        page = await items.page(ItemQuery(limit=200))
        assert len(page.items) == 200
        assert all(NOW > item.updated_at >= item.created_at for item in page.items)
        assert (await items.page(ItemQuery(q="見積書"))).items
    async with database.system_session() as session:
        assert await session.scalar(select(func.count()).select_from(Item)) == 1234


async def test_whatever_their_number_items_take_few_kinds_of_statements(
    database: Database, users: Users
) -> None:
    made = list(made_up_items(40, now=NOW))
    with statements(database.engine) as sent:
        async with database.system_session() as session:
            for count in range(1, 40):
                assert await insert_items(session, users.hana, made[:count]) == count

    inserts = {statement for statement in sent if "INSERT INTO items" in statement}
    assert len(inserts) <= 2 * 6  # as a pack and without; SQLite's driver keeps each of them


def test_the_same_seed_makes_the_same_items() -> None:
    assert list(made_up_items(50, now=NOW)) == list(made_up_items(50, now=NOW))
    assert list(made_up_items(50, now=NOW)) != list(made_up_items(50, now=NOW, random_seed=2))


def test_made_up_items_would_pass_as_typed_ones() -> None:
    for item in made_up_items(500, now=NOW):
        data = ItemIn(title=item.title, description=item.description)
        assert (data.title, data.description) == (item.title, item.description)


@pytest.mark.parametrize("copies", [1, 6])
async def test_items_inserted_in_bulk_are_as_if_created_one_by_one(
    database: Database, service_of: ServiceOf, users: Users, clock: Clock, copies: int
) -> None:
    """Many alike are packed: then they have their words where others have grams."""
    texts = [
        "東京 都庁",
        "ﾊﾟﾝ　Ｓｔｒａßｅ. É É, banana",
        'tab\t and \\ and "quotes"',
        "二行\n目 \\N",
        "NULL",
        "'); DROP TABLE items;",
    ] * copies
    new = [NewItem(" ".join(text.split()), text, "doing", None, clock(), clock()) for text in texts]
    async with database.system_session() as session:
        assert await insert_items(session, users.hana, iter(new)) == len(new)
        assert await insert_items(session, users.hana, []) == 0
    async with service_of(users.taro) as items:
        for item in new:
            await items.create(
                ItemIn(title=item.title, description=item.description, status=item.status)
            )
    stored = []
    async with database.system_session() as session:
        for owner_id in (users.hana, users.taro):
            rows = await session.execute(
                select(Item.__table__).where(Item.owner_id == owner_id).order_by(Item.id)
            )
            stored.append(
                [
                    {**row, "id": 0, "owner_id": 0, "is_packed": None}
                    | {"search_grams": stored_grams(row["search_grams"])}
                    for row in rows.mappings()
                ]
            )
        packed = select(func.count()).where(Item.is_packed)
        assert await session.scalar(packed) == (len(new) if copies > 1 else 0)
    assert stored[0] == stored[1]
    async with service_of(users.hana) as items:
        for q in ("都庁", "quotes", "行", "DROP"):
            assert len((await items.page(ItemQuery(q=q))).items) == copies
