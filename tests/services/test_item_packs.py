"""Packs: what postings find, and how items and packs leave each other."""

from collections import defaultdict
from datetime import date, timedelta
from functools import reduce
from operator import or_
from random import Random

import pytest
from sqlalchemy import insert, select

from app.database import Database
from app.lib.search_grams import grams, sort_key
from app.models.item import Item
from app.models.item_pack import ItemPack, ItemPosting
from app.schemas.cursor import NO_DUE_DATE
from app.schemas.item import ItemIn, ItemQuery
from app.services import item_packs
from app.services.item_bulk import (
    NewItem,
    insert_items,
    insert_prepared,
    prepare_items,
    reserve_ids,
)
from app.services.item_packs import PackSearch, empty_packs
from app.services.item_postings import _COMMON, Postings, pack_of, places_from_bytes
from app.services.item_service import item_values
from app.services.item_zones import ALL, Where, zones_of_dates, zones_of_keys
from tests.services.conftest import ServiceOf, Users
from tests.support.databases import Clock

pytestmark = pytest.mark.anyio

EVERYWHERE = Where(ALL, ALL, ALL, ALL)


def alike(count: int, clock: Clock) -> list[NewItem]:
    """Items with the same words, so that they are worth a pack."""
    return [NewItem(f"東京都庁 {n}", "", "todo", None, clock(), clock()) for n in range(count)]


async def packs(database: Database) -> list[int]:
    async with database.system_session() as session:
        return list(await session.scalars(select(ItemPack.owner_id).order_by(ItemPack.id)))


async def test_few_items_are_left_to_the_text_index(
    database: Database, service_of: ServiceOf, users: Users, clock: Clock
) -> None:
    async with database.session(users.hana) as session:
        await insert_items(session, users.hana, alike(1, clock))
    assert await packs(database) == []
    async with service_of(users.hana) as items:
        assert len((await items.page(ItemQuery(q="京都"))).items) == 1


async def test_an_item_whose_text_changes_is_found_by_its_new_text_alone(
    database: Database, service_of: ServiceOf, users: Users, clock: Clock
) -> None:
    async with database.session(users.hana) as session:
        await insert_items(session, users.hana, alike(30, clock))
    assert await packs(database) == [users.hana]
    async with service_of(users.hana) as items:
        first = (await items.page(ItemQuery(q="都庁", direction="asc", limit=1))).items[0]
        await items.set_status([first.id], "done")
        assert len((await items.page(ItemQuery(q="都庁", status="done"))).items) == 1
        await items.update(first.id, ItemIn(title="大阪府"), first.version + 1)
        for sort in ("created", "title"):
            assert len((await items.page(ItemQuery(q="京都", sort=sort))).items) == 29
            changed = (await items.page(ItemQuery(q="阪", sort=sort))).items
            assert [item.id for item in changed] == [first.id]
        assert await items.delete([first.id + 1]) == [first.id + 1]
        assert len((await items.page(ItemQuery(q="京都"))).items) == 28
        await items.restore([first.id + 1])
        assert len((await items.page(ItemQuery(q="京都"))).items) == 29
    async with service_of(users.taro) as items:
        assert (await items.page(ItemQuery(q="京都"))).items == []


@pytest.mark.parametrize(
    "database", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
@pytest.mark.parametrize("step", [1, 3])
async def test_a_pack_has_the_ids_that_were_reserved_for_it(
    database: Database, service_of: ServiceOf, users: Users, clock: Clock, step: int
) -> None:
    new = alike(20, clock)
    async with database.session(users.hana) as session:
        reserved = await reserve_ids(session, users.hana, len(new) * step)
    async with database.session(users.taro) as session:
        await insert_items(session, users.taro, alike(20, clock))

    ids = reserved[::step]  # as if others had come between
    async with database.session(users.hana) as session:
        prepared = prepare_items(users.hana, new, "postgresql")
        await insert_prepared(session, prepared, ids=ids)

    async with service_of(users.hana) as items:
        found = (await items.page(ItemQuery(q="京都", direction="asc"))).items
    assert [(item.id, item.title) for item in found] == [
        (item_id, item.title) for item_id, item in zip(ids, new, strict=True)
    ]
    assert await packs(database) == [users.hana, users.taro]


async def test_a_pack_goes_when_none_of_its_items_is_left(
    database: Database, users: Users, clock: Clock
) -> None:
    for owner in (users.hana, users.hana, users.taro):
        async with database.session(owner) as session:
            await insert_items(session, owner, alike(20, clock))
    assert await packs(database) == [users.hana, users.hana, users.taro]
    async with database.system_session() as session:
        ids = list(await session.scalars(select(Item.id).order_by(Item.id)))
        for item in await session.scalars(select(Item).where(Item.id.in_([*ids[:20], ids[-1]]))):
            await session.delete(item)
        assert await session.run_sync(empty_packs, users.taro) == 0
        assert await session.run_sync(empty_packs) == 1
        left = set(await session.scalars(select(ItemPosting.pack_id)))
    assert left == {ids[20], ids[40]}
    assert await packs(database) == [users.hana, users.taro]


def test_a_pack_has_what_each_item_alone_would_have(clock: Clock) -> None:
    random, texts = (
        Random(5),
        ["東京都庁 banana", "ﾊﾟﾝの会議。東京", "É! Straße", "-", "a ab abc", ""],
    )
    new = [
        NewItem(
            f"{random.choice('aあ東ー9')} {random.choice(texts)}",
            random.choice(texts),
            "todo",
            random.choice([None, clock().date(), date(2027, 5, 5)]),
            clock(),
            clock() + timedelta(days=random.randrange(40)),
        )
        for _ in range(300)
    ]
    places, zones = defaultdict[str, set[int]](set), defaultdict[str, int](int)
    for place, item in enumerate(new):
        due_on = item.due_on or NO_DUE_DATE
        for gram in grams(f"{item.title}\n{item.description}").split():
            places[gram].add(place)
            zones[gram] |= zones_of_keys(item.updated_at, sort_key(item.title), due_on)
    everywhere = reduce(
        or_, (zones_of_dates(item.updated_at, item.due_on or NO_DUE_DATE) for item in new)
    )

    prepared = prepare_items(1, new, "sqlite")

    assert prepared.pack is not None
    written = {gram: set(places_from_bytes("H", data)) for gram, data in prepared.pack.written}
    assert [gram for gram, _ in prepared.pack.written] == sorted(places)
    assert written == places
    assert prepared.zones._zones == {
        gram: bits | (everywhere if len(places[gram]) > _COMMON else 0)
        for gram, bits in zones.items()
    }


@pytest.mark.parametrize("ids", [[5, 6, 7], [5, 9, 11], [5, 70_000, 70_001]])
async def test_the_ids_of_a_pack_may_have_gaps(
    database: Database, users: Users, clock: Clock, ids: list[int]
) -> None:
    titles, postings = ["東京", "京都 東京", "京"], Postings()
    async with database.session(users.hana) as session:
        for place, title in enumerate(titles):
            values = item_values(ItemIn(title=title)) | {"id": ids[place], "is_packed": True}
            values |= {"owner_id": users.hana, "created_at": clock(), "updated_at": clock()}
            await session.execute(insert(Item).values(**values, version=1))
            postings.add(title.split(), place)
        pack = pack_of(postings.gather([0] * len(ids), [0] * len(ids)), len(ids))
        await pack.store(session, users.hana, ids)

        async def found(*words: str, descending: bool = True, behind: int | None = None) -> object:
            search = PackSearch(
                session, users.hana, words, EVERYWHERE, descending=descending, behind=behind
            )
            return await search.ids()

        assert await found("京") == ids[::-1]
        assert await found("東京") == ids[1::-1]
        assert await found("京都", "東京") == [ids[1]]
        assert await found("大阪") == []
        assert await found("京", descending=False, behind=ids[0]) == ids[1:]
        assert await found("京", behind=ids[2]) == ids[1::-1]


async def test_a_short_word_is_looked_up_where_the_others_leave_many(
    database: Database,
    service_of: ServiceOf,
    users: Users,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new = [
        NewItem(f"東京都庁 {'会議室' if place % 3 else '会場'}", "", "todo", None, clock(), clock())
        for place in range(60)
    ]
    async with database.session(users.hana) as session:
        await insert_items(session, users.hana, new)
        for few, count in ((60, 60), (59, 40)):
            monkeypatch.setattr(item_packs, "_FEW_A_PACK", few)
            search = PackSearch(
                session, users.hana, ["東京都", "会議"], EVERYWHERE, descending=True
            )
            assert len(await search.ids()) == count
    async with service_of(users.hana) as items:
        assert len((await items.page(ItemQuery(q="東京都 会議", limit=50))).items) == 40
