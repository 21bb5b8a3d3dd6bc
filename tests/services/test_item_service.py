"""What a user can do with their items, and cannot with another's."""

from datetime import date

import pytest
from sqlalchemy import func, select

from app.database import Database
from app.models.item import Item
from app.schemas.item import ItemIn, ItemOut, ItemQuery
from app.services.errors import NotFound
from app.services.item_service import ItemChanged
from tests.services.conftest import ServiceOf, Users
from tests.support.databases import Clock
from tests.support.statements import statements

pytestmark = pytest.mark.anyio


async def test_an_item_comes_back_as_it_was_created(
    service_of: ServiceOf, users: Users, clock: Clock
) -> None:
    data = ItemIn(title="東京へ", description="1\n2", status="doing", due_on=date(2026, 12, 1))
    async with service_of(users.hana) as items:
        item_id = (await items.create(data)).id
    async with service_of(users.hana) as items:
        item = await items.get(item_id)
    assert ItemOut.model_validate(item) == ItemOut(
        **data.model_dump(), id=item_id, created_at=clock(), updated_at=clock(), version=1
    )


async def test_an_update_replaces_the_content_and_counts_on(
    service_of: ServiceOf, users: Users, clock: Clock
) -> None:
    async with service_of(users.hana) as items:
        item = await items.create(ItemIn(title="before", due_on=date(2026, 12, 1)))
        created_at = clock()
        clock.advance(hours=1)
        changed = await items.update(item.id, ItemIn(title="after", status="done"), 1)
        assert (changed.title, changed.status, changed.due_on) == ("after", "done", None)
        assert (changed.created_at, changed.updated_at) == (created_at, clock())
        assert changed.version == 2
        assert [i.title for i in (await items.page(ItemQuery(q="aft"))).items] == ["after"]
        assert (await items.page(ItemQuery(q="before"))).items == []


async def test_the_second_of_two_editors_gets_what_the_first_saved(
    service_of: ServiceOf, users: Users
) -> None:
    async with service_of(users.hana) as items:
        item_id = (await items.create(ItemIn(title="original"))).id
    async with service_of(users.hana) as items:
        await items.update(item_id, ItemIn(title="first"), 1)
    async with service_of(users.hana) as items:
        with pytest.raises(ItemChanged) as conflict:
            await items.update(item_id, ItemIn(title="second"), 1)
        assert (conflict.value.current.title, conflict.value.current.version) == ("first", 2)
    async with service_of(users.hana) as items:
        assert (await items.get(item_id)).title == "first"


async def test_a_status_is_given_to_several(
    service_of: ServiceOf, users: Users, clock: Clock
) -> None:
    async with service_of(users.hana) as items:
        ids = [(await items.create(ItemIn(title=f"item {n}"))).id for n in range(3)]
        clock.advance(minutes=1)
        await items.set_status(ids[:1], "done")
        clock.advance(minutes=1)
        changed = await items.set_status([ids[2], ids[0], 999], "done")
        assert [item.id for item in changed] == [ids[2], ids[0]]
        assert {item.status for item in changed} == {"done"}
        # The one that was done before has not been changed again.
        assert [item.version for item in changed] == [2, 2]
        assert changed[0].updated_at == clock()
        assert changed[1].updated_at < clock()


async def test_deleting_can_be_undone(service_of: ServiceOf, users: Users) -> None:
    async with service_of(users.hana) as items:
        ids = [(await items.create(ItemIn(title=f"item {n}"))).id for n in range(3)]
    async with service_of(users.hana) as items:
        assert await items.delete([ids[2], ids[0], ids[0], 999]) == [ids[2], ids[0]]
        assert await items.delete(ids[:1]) == []
        for gone in (ids[0], ids[2]):
            with pytest.raises(NotFound):
                await items.get(gone)
        assert [item.id for item in (await items.page(ItemQuery())).items] == [ids[1]]
        assert [item.id for item in (await items.page(ItemQuery(q="item"))).items] == [ids[1]]
    async with service_of(users.hana) as items:
        restored = await items.restore([ids[2], ids[1], ids[0]])
        assert [(item.id, item.version) for item in restored] == [(ids[2], 3), (ids[0], 3)]
        assert len((await items.page(ItemQuery(q="item"))).items) == 3


async def test_what_was_deleted_a_month_ago_goes_for_good(
    service_of: ServiceOf, users: Users, clock: Clock, database: Database
) -> None:
    async with service_of(users.taro) as items:
        await items.delete([(await items.create(ItemIn(title="another's"))).id])
    async with service_of(users.hana) as items:
        old, young, last = [(await items.create(ItemIn(title=t))).id for t in ("a", "b", "c")]
        await items.delete([old])
        clock.advance(days=20)
        await items.delete([young])
        clock.advance(days=11)
    async with service_of(users.hana) as items:
        await items.delete([last])
    async with service_of(users.hana) as items:
        restored = await items.restore([old, young, last])
        assert [item.id for item in restored] == [young, last]
    async with database.system_session() as session:
        assert await session.scalar(select(func.count()).select_from(Item)) == 3


async def test_nobody_sees_or_touches_what_is_anothers(service_of: ServiceOf, users: Users) -> None:
    async with service_of(users.taro) as items:
        ids = [(await items.create(ItemIn(title=f"secret {n}"))).id for n in range(2)]
        await items.delete(ids[1:])
    async with service_of(users.hana) as items:
        for item_id in [*ids, 999]:
            with pytest.raises(NotFound):
                await items.get(item_id)
            for version in (1, 2):
                with pytest.raises(NotFound):
                    await items.update(item_id, ItemIn(title="mine"), version)
        assert await items.set_status(ids, "done") == []
        assert await items.delete(ids) == []
        assert await items.restore(ids) == []
        for q in ("", "secret", "se"):
            for status in (None, "todo"):
                assert (await items.page(ItemQuery(q=q, status=status))).items == []
    async with service_of(users.taro) as items:
        item = await items.get(ids[0])
        assert (item.title, item.status, item.version) == ("secret 0", "todo", 1)


async def test_an_exception_leaves_nothing_behind(service_of: ServiceOf, users: Users) -> None:
    async def fail() -> None:
        async with service_of(users.hana) as items:
            await items.create(ItemIn(title="half done"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with service_of(users.hana) as items:
        assert (await items.page(ItemQuery())).items == []
        assert (await items.page(ItemQuery(q="half"))).items == []


async def test_how_many_statements_each_call_sends(
    service_of: ServiceOf, users: Users, database: Database
) -> None:
    async with service_of(users.hana) as items:
        ids = [(await items.create(ItemIn(title=f"item {n}"))).id for n in range(5)]

        async def count(call: object) -> int:
            with statements(database.engine) as sent:
                await call  # type: ignore[misc]
            return len(sent)

        assert await count(items.page(ItemQuery())) == 1
        assert await count(items.get(ids[0])) == 1
        # Writes add the zones of their grams that are new.
        assert await count(items.create(ItemIn(title="item 5"))) == 3
        assert await count(items.update(ids[0], ItemIn(title="item 5"), 1)) == 3
        assert await count(items.set_status(ids, "done")) == 4
        assert await count(items.set_status(ids, "done")) == 2
        assert await count(items.delete(ids)) == 2
        assert await count(items.restore(ids)) == 1
