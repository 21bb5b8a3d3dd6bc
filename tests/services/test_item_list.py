"""Pages of the list, against a list that is sorted and filtered in Python."""

import itertools
import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest
from sqlalchemy import func, select

from app.acting import USER_ROLE, Actor
from app.database import Database
from app.lib.logger import NullLogger
from app.lib.search_grams import sort_key, words
from app.models.item import STATUSES
from app.models.item_pack import ItemPack
from app.schemas.cursor import Direction, Sort
from app.schemas.item import ItemIn, ItemOut, ItemPage, ItemQuery
from app.services import item_list, item_packs, item_zones
from app.services.item_bulk import NewItem, insert_items
from app.services.item_service import ItemService
from tests.services.conftest import ServiceOf, Users, add_users, service_in
from tests.support.databases import BOTH, Clock
from tests.support.postgres import copied_database
from tests.support.sqlite import copied
from tests.support.statements import executed, statements

pytestmark = pytest.mark.anyio

KEYS: dict[Sort, Callable[[ItemOut], Any]] = {
    "created": lambda item: item.id,
    "updated": lambda item: item.updated_at,
    "title": lambda item: sort_key(item.title),
    "status": lambda item: STATUSES.index(item.status),
    "due": lambda item: item.due_on or date.max,
}
ORDERS = list(itertools.product(get_args(Sort), get_args(Direction)))


def queries(
    limit: int, status: str, searches: tuple[str, ...], *, half: int | None = None
) -> Iterator[ItemQuery]:
    """Each search in each order, with a status and without by turns.

    A `half` of them, 0 or 1, has each search by each column in one direction, by turns.
    """
    for (number, (sort, direction)), (turn, q) in itertools.product(
        enumerate(ORDERS), enumerate(searches)
    ):
        if half is not None and (number + turn) % 2 != half:
            continue
        wanted = status if (number + number // 2 + turn // 2) % 2 else None
        yield ItemQuery.model_validate(
            {"sort": sort, "direction": direction, "status": wanted, "q": q, "limit": limit}
        )


@pytest.fixture(scope="module", params=BOTH)
async def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Database]:
    """One of each kind for all tests here, which leave it as it is."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            template: Path = request.getfixturevalue("_sqlite_template")
            url = copied(template, tmp_path_factory.mktemp("list"))
        else:
            names = ("postgres_url", "_postgres_template")
            url = stack.enter_context(copied_database(*map(request.getfixturevalue, names)))
        database = Database(url)
        yield database
        await database.close()


@pytest.fixture(scope="module")
def _narrow_zones() -> Iterator[None]:
    """Zones so narrow that a short list has many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(item_zones, "_IDS", 8)
        patch.setattr(item_zones, "_DAYS", 1)
        patch.setattr(item_packs, "_PACKS_AT_ONCE", 2)
        yield


@pytest.fixture(scope="module")
async def users(database: Database) -> Users:
    return await add_users(database, Clock())


@pytest.fixture(scope="module")
async def everything(database: Database, users: Users, _narrow_zones: None) -> list[ItemOut]:
    """150 items of Hana, with many equal keys, beside some of Taro and some deleted ones.

    They came as several packs. Some have been changed since they were made.
    """
    clock = Clock()
    random = Random(7)
    titles = ["東京都庁", "Tokyo report", "ＴＯＫＹＯ　Report 2", "京都の東", "a", "会議", "Émile"]
    new = [
        NewItem(
            title=random.choice(titles),
            description=random.choice(["", "東京の会議。\n京都", "weekly report", "rep ort"]),
            status=random.choice(STATUSES),
            due_on=random.choice([None, date(2026, 1, 1), date(2027, 5, 5)]),
            created_at=clock(),
            updated_at=clock() + timedelta(days=random.randrange(4)),
        )
        for _ in range(170)
    ]
    async with database.system_session() as session:
        await insert_items(session, users.taro, new[:20])
        for start in range(0, len(new), 40):
            await insert_items(session, users.hana, new[start : start + 40])
        assert await session.scalar(select(func.count()).select_from(ItemPack)) == 5
    async with database.session(users.hana) as session:
        items = ItemService(session, NullLogger(), users.hana, clock=clock)
        found = (await items.page(ItemQuery(limit=200))).items
        gone = {item.id for item in random.sample(found, 20)}
        await items.delete(sorted(gone))
        clock.advance(days=40)
        living = [item.id for item in found if item.id not in gone]
        await items.set_status(random.sample(living, 20), "done")
        for item_id in random.sample(living, 20):
            text = ItemIn(title=random.choice(titles), description=random.choice(titles))
            await items.update(item_id, text, (await items.get(item_id)).version)
        return (await items.page(ItemQuery(limit=200))).items


def expected(everything: list[ItemOut], query: ItemQuery) -> list[ItemOut]:
    """What all pages of `query` should have."""
    asked = words(query.q)
    found = [
        item
        for item in everything
        if query.status in (None, item.status)
        and all(
            any(a in word for word in words(f"{item.title}\n{item.description}")) for a in asked
        )
    ]
    key = KEYS[query.sort]
    return sorted(found, key=lambda item: (key(item), item.id), reverse=query.direction == "desc")


async def forwards(items: ItemService, query: ItemQuery, most: float = math.inf) -> list[ItemPage]:
    """All pages, or the first ones."""
    pages = [await items.page(query)]
    while pages[-1].next_cursor and len(pages) < most:
        pages.append(await items.page(query.model_copy(update={"after": pages[-1].next_cursor})))
    return pages


def half(database: Database) -> int:
    """Which `half` of the queries this database has: the other one has the others."""
    return int(database.url.get_backend_name() == "sqlite")


async def test_all_pages_together_are_the_list(
    service_of: ServiceOf, users: Users, everything: list[ItemOut], database: Database
) -> None:
    searches = queries(29, "doing", ("東京", "rep", "都 tokyo", "zz"), half=half(database))
    async with service_of(users.hana) as items:
        for query in itertools.chain(queries(29, "doing", ("",)), searches):
            wanted = expected(everything, query)
            pages = await forwards(items, query)
            assert [item for page in pages for item in page.items] == wanted, query
            assert all(len(page.items) == 29 for page in pages[:-1])
            assert pages[0].previous_cursor is None
            # And back again, page by page.
            page = pages[-1]
            for before in reversed(pages[:-1]):
                cursor = page.previous_cursor
                page = await items.page(query.model_copy(update={"before": cursor}))
                assert page.items == before.items, query


@pytest.mark.parametrize(
    ("few", "read_first", "read_most", "rare", "looked_up", "passed_by"),
    [
        (500, 1, 1, 300, 1500, 12),
        (-1, 10, 10, 0, 1500, 12),
        (-1, 10, 10, 0, 0, 12),
        (-1, 3, 1000, 0, 5, 1),
    ],
)
async def test_a_search_finds_the_same_by_whichever_way(
    service_of: ServiceOf,
    users: Users,
    everything: list[ItemOut],
    few: int,
    read_first: int,
    read_most: int,
    rare: int,
    looked_up: int,
    passed_by: int,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(item_list, "_FEW", few)
    monkeypatch.setattr(item_packs, "_FEW_A_PACK", few)
    monkeypatch.setattr(item_packs, "_RARE", rare)
    monkeypatch.setattr(item_zones, "_FEW", min(few, 1))
    monkeypatch.setattr(item_list, "_READ_FIRST", read_first)
    monkeypatch.setattr(item_list, "_READ_NEXT", read_most)
    monkeypatch.setattr(item_list, "_READ_MOST", read_most)
    monkeypatch.setattr(item_list, "_LOOKED_UP", looked_up)
    monkeypatch.setattr(item_list, "_PASSED_BY", passed_by)
    monkeypatch.setattr(item_packs, "_TELLING", 1)
    searches = ("東", "e", "eport", "会議 東京", "東京 作成する", "zzz")
    async with service_of(users.hana) as items:
        for query in queries(45, "done", searches, half=half(database)):
            found = [item for page in await forwards(items, query) for item in page.items]
            assert found == expected(everything, query), query


async def test_going_back_from_an_emptied_page_leads_to_the_items_before_it(
    database: Database, users: Users, clock: Clock, everything: list[ItemOut]
) -> None:
    async with database.session(users.hana) as session:
        items = service_in(session, users.hana, clock)
        for sort, direction in ORDERS:
            query = ItemQuery(sort=sort, direction=direction, limit=140)
            first = await items.page(query)
            second = query.model_copy(update={"after": first.next_cursor})
            gone = [item.id for item in (await items.page(second)).items]
            await items.delete(gone)
            emptied = await items.page(second)
            assert (emptied.items, emptied.next_cursor) == ([], None)
            back = query.model_copy(update={"before": emptied.previous_cursor, "limit": 5})
            assert (await items.page(back)).items == first.items[-5:]
            await items.restore(gone)
        await session.rollback()


async def test_near_the_start_the_page_before_is_the_first_page(
    service_of: ServiceOf, users: Users, everything: list[ItemOut]
) -> None:
    async with service_of(users.hana) as items:
        first = await items.page(ItemQuery(limit=10))
        second = await items.page(ItemQuery(limit=3, after=first.next_cursor))
        back = await items.page(ItemQuery(limit=12, before=second.previous_cursor))
        assert [item.id for item in back.items[:10]] == [item.id for item in first.items]
        assert len(back.items) == 12
        assert back.previous_cursor is None


async def test_how_many_statements_a_search_sends(
    service_of: ServiceOf,
    users: Users,
    everything: list[ItemOut],
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(item_packs, "_PACKS_AT_ONCE", 16)
    async with service_of(users.hana) as items:

        async def count(q: str, sort: Sort = "title") -> int:
            with statements(database.engine) as sent:
                await items.page(ItemQuery(q=q, sort=sort, limit=5))
            return len(sent)

        # Nobody has all of its grams: that is known from the zones.
        assert await count("会議 報告") == 1
        # Those, the list's beginning, and the list from where the word can be; or the index, five
        # packs (one, two more, and the rest), and the rows of what these give.
        assert await count("東京") <= 6
        # What is not met in the list is what the index and the packs are asked for.
        assert await count("tokyo 会議") <= 9
        assert await count("tokyo 会議", "created") <= 9


SEARCHES = ("", "東京", "都 tokyo", "eport")


async def sent_for_all_pages(
    items: ItemService, database: Database, searches: tuple[str, ...]
) -> dict[str, Any]:
    """Every statement that pages of any order send, with parameters of one of those."""
    with executed(database.engine) as sent:
        for (sort, direction), status, q in itertools.product(ORDERS, (None, "doing"), searches):
            query = ItemQuery(sort=sort, direction=direction, status=status, q=q, limit=40)
            # Further pages of a search send nothing that its second one does not.
            await forwards(items, query, most=2 if q else math.inf)
    return dict(sent)


def read_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have searches read a few rows of the list, and walk it by marks then."""
    monkeypatch.setattr(item_list, "_READ_FIRST", 10)
    monkeypatch.setattr(item_list, "_READ_MOST", 10)
    monkeypatch.setattr(item_list, "_LOOKED_UP", 0)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("few", [0, 500])
async def test_sqlite_reads_no_page_without_an_index(
    service_of: ServiceOf,
    users: Users,
    everything: list[ItemOut],
    database: Database,
    few: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(item_list, "_FEW", few)
    read_little(monkeypatch)
    async with service_of(users.hana) as items:
        lists = await sent_for_all_pages(items, database, ("",))
        sent = lists | await sent_for_all_pages(items, database, SEARCHES[1:])
        assert few or any("substr(" in statement for statement in sent)
        connection = await database.engine.connect()
        for statement, parameters in sent.items():
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [row.detail for row in plan]
            assert not [step for step in steps if step.startswith("SCAN items")], statement
            if statement in lists:
                assert not [step for step in steps if "TEMP B-TREE" in step], statement
        await connection.close()


@pytest.mark.parametrize(
    "database", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
async def test_postgresql_has_an_index_for_every_page(
    service_of: ServiceOf,
    users: Users,
    everything: list[ItemOut],
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So short a table it would read whole; told not to, it must not read a whole index either."""
    monkeypatch.setattr(item_list, "_READ_FIRST", 10)
    async with service_of(users.hana) as items:
        sent = await sent_for_all_pages(items, database, SEARCHES)
        read_little(monkeypatch)
        others = await sent_for_all_pages(items, database, ("都 tokyo",))
    by_marks = {statement: given for statement, given in others.items() if "get_bit(" in statement}
    assert by_marks
    hana = Actor(USER_ROLE, users.hana)
    async with database.engine.execution_options(acting_as=hana).connect() as connection:
        await connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, parameters in (sent | by_marks).items():
            explained = await connection.exec_driver_sql(
                f"EXPLAIN (FORMAT JSON) {statement}", parameters
            )
            for node in nodes(explained.scalar_one()[0]["Plan"]):
                if "Relation Name" in node:
                    assert node["Node Type"] != "Seq Scan", statement
                if node["Node Type"].startswith(("Index", "Bitmap Index")):
                    assert "Index Cond" in node, statement


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A step of PostgreSQL's plan, and all that it is made of."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)
