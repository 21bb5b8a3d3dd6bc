"""Marks, and what a search with many matches reads for its first page."""

import json
from typing import Any

import pytest
from sqlalchemy import BigInteger, literal, select

from app.database import Database
from app.schemas.item import ItemQuery
from app.services import item_list, item_marks, item_packs
from app.services.item_bulk import NewItem, insert_items
from app.services.item_marks import Marks
from tests.services.conftest import ServiceOf, Users
from tests.support.databases import Clock
from tests.support.statements import executed, statements

pytestmark = pytest.mark.anyio

LIMIT = 5


@pytest.mark.parametrize("begin", [0, 1 << 40])
async def test_a_database_tells_marked_ids_from_others(database: Database, begin: int) -> None:
    marks = Marks({begin + 40: [0, 1, 23], begin + 7: [0, 3, 3, 8, 9]}, begin + 70)
    is_marked = marks.on_sqlite if database.engine.dialect.name == "sqlite" else marks.on_postgresql
    asked = range(begin - 10, begin + 90)
    async with database.system_session() as session:
        told = await session.execute(select(*(is_marked(literal(n, BigInteger)) for n in asked)))
        marked = [n for n, is_one in zip(asked, told.one(), strict=True) if is_one]
    assert marked == [begin + place for place in (7, 10, 15, 16, 40, 41, 63)]


def test_ids_far_from_each_other_are_looked_up() -> None:
    assert Marks.can_span(5, 4_000_000)
    assert not Marks.can_span(4, 5_000_000)


@pytest.fixture
async def at_the_end(
    database: Database, users: Users, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two packs of Hana, in which every other item has 東京, and by title is behind all others."""
    monkeypatch.setattr(item_list, "_FEW", -1)
    monkeypatch.setattr(item_list, "_READ_FIRST", 10)
    monkeypatch.setattr(item_list, "_READ_NEXT", 11)
    monkeypatch.setattr(item_list, "_LOOKED_UP", 20)
    monkeypatch.setattr(item_packs, "_TELLING", 1)
    monkeypatch.setattr(item_packs, "_ROW", 10**6)
    new = [
        NewItem("新潟市" if place % 2 else "東京都", "", "todo", None, clock(), clock())
        for place in range(120)
    ]
    async with database.system_session() as session:
        await insert_items(session, users.hana, new[:60])
        await insert_items(session, users.hana, new[60:])


def ids_sent(sent: list[tuple[str, Any]]) -> int:
    """How many rows are looked up, at most."""
    values = [
        value
        for _, given in sent
        for value in (given.values() if isinstance(given, dict) else given)
    ]
    texts = [json.loads(it) for it in values if isinstance(it, str) and it.startswith("[")]
    return sum(len(it) for it in [*values, *texts] if isinstance(it, list))


@pytest.mark.parametrize("q", ["東", "東京", "東京都"])
async def test_of_many_matches_at_the_lists_end_those_of_one_page_are_looked_up(
    database: Database, service_of: ServiceOf, users: Users, at_the_end: None, q: str
) -> None:
    async with service_of(users.hana) as items:
        query = ItemQuery(q=q, sort="title", direction="asc", limit=LIMIT)
        with executed(database.engine) as sent:
            page = await items.page(query)
        assert [item.title for item in page.items] == ["東京都"] * LIMIT
        assert ids_sent(sent) == LIMIT + 1
        assert len(sent) <= 11


async def test_if_their_ids_are_far_from_each_other_all_are_looked_up(
    database: Database,
    service_of: ServiceOf,
    users: Users,
    at_the_end: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(item_marks, "_WIDEST", 1)
    async with service_of(users.hana) as items:
        query = ItemQuery(q="東", sort="title", direction="asc", limit=LIMIT)
        with executed(database.engine) as sent:
            page = await items.page(query)
        assert [item.title for item in page.items] == ["東京都"] * LIMIT
        assert ids_sent(sent) == 60


@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_items_that_left_their_pack_are_neither_lost_nor_doubled_nor_looked_up_forever(
    service_of: ServiceOf, users: Users, at_the_end: None, direction: str
) -> None:
    async with service_of(users.hana) as items:
        query = ItemQuery.model_validate({"q": "東京", "sort": "title", "direction": direction})
        gone = [item.id for item in (await items.page(query)).items[:30]]
        await items.delete(gone)
        left = (await items.page(query.model_copy(update={"limit": 100}))).items
        assert len({item.id for item in left}) == len(left) == 30
        assert not set(gone) & {item.id for item in left}


async def test_a_list_by_status_reads_packs_once_for_all_of_them(
    database: Database, service_of: ServiceOf, users: Users, at_the_end: None
) -> None:
    async with service_of(users.hana) as items:
        reads = []
        for sort in ("created", "status"):
            query = ItemQuery.model_validate({"q": "京都 新潟", "sort": sort})
            with statements(database.engine) as sent:
                assert (await items.page(query)).items == []
            reads.append(sum("item_postings" in statement for statement in sent))
        assert reads[0] == reads[1] > 0
