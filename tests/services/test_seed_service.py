"""Seeds and bulk inserts leave what single inserts would have left."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from app.database import Database
from app.lib.logger import NullLogger
from app.models.item import Item
from app.models.user import User
from app.schemas.account import SignIn
from app.schemas.item import ItemIn, ItemQuery
from app.services.account_service import LocalAccounts
from app.services.item_bulk import NewItem, insert_items
from app.services.item_service import ItemService
from app.services.password_hasher import PasswordHasher
from app.services.seed_service import made_up_items, seed
from tests.services.conftest import ServiceOf, Users
from tests.support.databases import Clock

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)


async def test_the_demo_administrator_can_sign_in_and_sees_the_items(database: Database) -> None:
    hasher = PasswordHasher(memory_kib=8, passes=1)
    async with database.system_session() as session:
        seeded = await seed(session, items=1234, hasher=hasher, now=NOW)
    assert seeded.password is not None
    async with database.system_session() as session:
        accounts = LocalAccounts(session, NullLogger(), hasher)
        proven = await accounts.sign_in(SignIn(email=seeded.email, password=seeded.password))
        user = proven.user
        assert (user.id, user.role) == (seeded.user_id, "admin")
        items = ItemService(session, NullLogger(), user.id)
        page = await items.page(ItemQuery(limit=200))
        assert len(page.items) == 200
        assert all(NOW > item.updated_at >= item.created_at for item in page.items)
        assert (await items.page(ItemQuery(q="見積書"))).items
        assert await session.scalar(select(func.count()).select_from(Item)) == 1234


async def test_seeding_again_keeps_the_account_and_its_password(database: Database) -> None:
    hasher = PasswordHasher(memory_kib=8, passes=1)
    async with database.system_session() as session:
        first = await seed(session, items=0, hasher=hasher)
    async with database.system_session() as session:
        again = await seed(session, items=3)
        assert (again.user_id, again.password, again.items) == (first.user_id, None, 3)
        assert await session.scalar(select(func.count()).select_from(User)) == 1


def test_the_same_seed_makes_the_same_items() -> None:
    assert list(made_up_items(50, now=NOW)) == list(made_up_items(50, now=NOW))
    assert list(made_up_items(50, now=NOW)) != list(made_up_items(50, now=NOW, random_seed=2))


def test_made_up_items_would_pass_as_typed_ones() -> None:
    for item in made_up_items(500, now=NOW):
        data = ItemIn(title=item.title, description=item.description)
        assert (data.title, data.description) == (item.title, item.description)


async def test_items_inserted_in_bulk_are_as_if_created_one_by_one(
    database: Database, service_of: ServiceOf, users: Users, clock: Clock
) -> None:
    texts = [
        "東京 都庁",
        'tab\t and \\ and "quotes"',
        "二行\n目 \\N",
        "NULL",
        "'); DROP TABLE items;",
    ]
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
            stored.append([{**row, "id": 0, "owner_id": 0} for row in rows.mappings()])
    assert stored[0] == stored[1]
    async with service_of(users.hana) as items:
        for q in ("都庁", "quotes", "行", "DROP"):
            assert len((await items.page(ItemQuery(q=q))).items) == 1
