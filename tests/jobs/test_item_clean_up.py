"""Items go for good when their deletion cannot be undone any more."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from app.config import Settings
from app.database import Database
from app.jobs import item_clean_up
from app.jobs.item_clean_up import purge_items
from app.lib.logger import NullLogger
from app.lib.utils import utc_now
from app.models.item import Item
from app.models.user import User
from app.schemas.item import ItemIn
from app.services.item_service import KEPT_AFTER_DELETION, ItemService


async def test_what_was_deleted_long_ago_goes(
    database: Database, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_clean_up, "_AT_ONCE", 2)
    now = utc_now()
    long_ago = now - KEPT_AFTER_DELETION - timedelta(minutes=1)
    async with database.system_session() as session:
        people = [User(email=f"{name}@example.com", name=name) for name in ("hana", "taro")]
        session.add_all(people)
        await session.flush()
        for person in people:
            items = ItemService(session, NullLogger(), person.id)
            for title in ("old 1", "old 2", "new", "living"):
                item = await items.create(ItemIn(title=title))
                deleted_at = {"old": long_ago, "new": now}.get(title.partition(" ")[0])
                await session.execute(
                    update(Item).where(Item.id == item.id).values(deleted_at=deleted_at)
                )

    assert purge_items(engine, Settings()) == {"items": 4, "packs": 0}

    async with database.system_session() as session:
        left = (await session.scalars(select(Item.title).order_by(Item.id))).all()
    assert left == ["new", "living"] * 2
