"""The list of items: sorted, filtered, searched, one page at a time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.search_grams import query_words
from app.schemas.cursor import Cursor
from app.schemas.item import ItemOut, ItemPage, ItemQuery
from app.services.item_order import Found, ItemOrder, Statement, dialect_of
from app.services.item_packs import PackSearch
from app.services.item_search import ItemSearch
from app.services.item_zones import ALL, Where, zones_with

_COLUMNS: Final = tuple(ItemOut.model_fields)

# A search reads a little of the list itself, and more of it where matches are dense enough. What is
# rarer is quicker to get from the index: it gives all of it, and that is sorted.
_READ_FIRST: Final = 1000
_READ_NEXT: Final = 4000
_READ_MOST: Final = 16_000
_UNEVEN: Final = 2
_FEW: Final = 4000
# Where many ids are known and the first in an order are wanted, its index is walked by marks. To
# look up so few rows is no slower; and each takes as long as passing by so many entries of it.
_LOOKED_UP: Final = 1500
_PASSED_BY: Final = 12
_GROWTH: Final = 4


class ItemList:
    """Reads pages of one user's items by keyset: a page costs the same wherever it is."""

    def __init__(self, session: AsyncSession, user_id: int) -> None:
        self._session = session
        self._user_id = user_id

    async def page(self, query: ItemQuery) -> ItemPage:
        """The items behind (or before) the query's cursor, or the first ones."""
        backwards = query.before is not None
        order = ItemOrder(
            dialect=dialect_of(self._session),
            owner_id=self._user_id,
            status=query.status,
            sort=query.sort,
            descending=(query.direction == "desc") != backwards,
            start=query.cursor(),
        )
        found = await self._find(query.q, order, query.limit + 1)
        rows = found[: query.limit]
        far = place_of(query, rows[-1]) if len(found) > query.limit else None
        if backwards and far is None:
            # The list's start: its first page, and not only what is left of it before the cursor.
            return await self.page(query.model_copy(update={"before": None}))
        near = None
        if order.start:
            near = place_of(query, rows[0]) if rows else _just_behind(order.start, order)
        if backwards:
            rows, far, near = rows[::-1], near, far
        return ItemPage(
            items=[ItemOut.model_validate(row) for row in rows],
            next_cursor=far.encode() if far else None,
            previous_cursor=near.encode() if near else None,
        )

    async def _find(self, q: str, order: ItemOrder, wanted: int) -> Found:
        """The first `wanted` items behind the order's start."""
        words = query_words(q)
        if not words:
            return await self._rows(order.walk(_COLUMNS, wanted))
        where = await zones_with(self._session, self._user_id, words)
        if not where.of(order.zoned_by):
            return []
        search, packs = ItemSearch(words, order), self._packs(order, words, where)
        if order.sort != "status" or order.status:
            return await self._search(search, packs, where, wanted)
        rows: list[Row[*tuple[Any, ...]]] = []
        for part in order.of_each_status():
            of_part = packs if part.start is None else self._packs(part, words, where)
            rows += await self._search(search.along(part), of_part, where, wanted - len(rows))
            if len(rows) == wanted:
                break
        return rows

    async def _search(
        self, search: ItemSearch, packs: PackSearch, where: Where, wanted: int
    ) -> Found:
        if search.streams:
            return await self._looked_up(search, packs, wanted)
        if search.order.dialect == "sqlite":
            # It can be asked for a few matches; PostgreSQL's index finds all before it gives one.
            ids = set(await self._session.scalars(search.ids(_FEW + 1)))
            if len(ids) <= _FEW and not await packs.are_more_than(_FEW - len(ids)):
                ids.update(await packs.ids())
                return await self._rows(search.among(sorted(ids), _COLUMNS, wanted))
        elif where.are_few:
            return await self._looked_up(search, packs, wanted)
        return await self._read(search, packs, where, wanted)

    def _packs(self, order: ItemOrder, words: Sequence[str], where: Where) -> PackSearch:
        return PackSearch(
            self._session,
            self._user_id,
            words,
            where,
            descending=order.descending,
            behind=order.behind_id,
        )

    async def _looked_up(self, search: ItemSearch, packs: PackSearch, wanted: int) -> Found:
        """The first `wanted` matches, without reading the list."""
        found = await self._rows(search.indexed(_COLUMNS, wanted))
        return search.order.merged(found, await self._packed(search, packs, wanted), wanted)

    async def _packed(self, search: ItemSearch, packs: PackSearch, wanted: int) -> Found:
        if not search.order.is_by_id:
            return await self._among(search, packs, wanted)
        found: list[Row[*tuple[Any, ...]]] = []
        async for batch in packs.batches():
            some, size = search.order.left_of(batch), 4 * wanted
            while some and len(found) < wanted:
                now, some = some[:size], some[size:]
                found += await self._rows(search.packed(now, _COLUMNS, wanted - len(found)))
                size *= _GROWTH
            if len(found) == wanted:
                break
        return found

    async def _among(self, search: ItemSearch, packs: PackSearch, wanted: int) -> Found:
        """The first `wanted` of packed items, in any order."""
        found: list[Row[*tuple[Any, ...]]] = []
        if marks := await packs.marks(_LOOKED_UP):
            size, passed_by = wanted, _PASSED_BY * marks.count
            while True:
                order, met = search.order, await self._rows(search.marked(marks, size, passed_by))
                if met:
                    now = [row.id for row in met]
                    found += await self._rows(search.packed(now, _COLUMNS, wanted - len(found)))
                    if len(found) == wanted:
                        return found
                    search = search.along(order.behind(met[-1].sort_key, met[-1].id))
                if len(met) < size:
                    break
                size *= _GROWTH
            if not await self._rows(order.walk([], 1, offset=passed_by - 1)):
                return found  # that was all of the list
        if ids := await packs.ids():
            found += await self._rows(search.packed(ids, _COLUMNS, wanted - len(found)))
        return found

    async def _read(
        self, search: ItemSearch, packs: PackSearch, where: Where, wanted: int
    ) -> Found:
        """Reads the list where matches can be, then asks the index for what is still missing."""
        found: list[Row[*tuple[Any, ...]]] = []
        order, examined, total = search.order, _READ_FIRST, 0
        while examined <= _READ_MOST and total <= _READ_MOST:
            ahead = await self._skip(order, where)
            if ahead is None:
                return found
            search = search.along(ahead)
            missing = wanted - len(found)
            met = await self._rows(search.walked(_COLUMNS, missing, examined))
            found += met
            if len(met) == missing:
                return found
            if not met and await packs.are_rare():
                order = ahead
                break
            last = await self._rows(ahead.walk([], 1, offset=examined - 1))
            if not last:
                return found
            order = ahead.behind(last[0].sort_key, last[0].id)
            total += examined
            # As many as should do at this rate, and half as many again.
            missing -= len(met)
            examined = missing * examined * 3 // (2 * len(met)) if met else examined * 4
            # If it takes as long to get them all, no more is lost by not reading on. Where none are
            # met they are in heaps, and the next may be far.
            rows = (total + examined) * (1 if found else _UNEVEN)
            if examined >= _READ_NEXT and await packs.are_sooner_there(rows):
                break
        return [*found, *await self._looked_up(search.along(order), packs, wanted - len(found))]

    async def _skip(self, order: ItemOrder, where: Where) -> ItemOrder | None:
        """`order` from where it is in one of the zones; none where it ends before."""
        if where.of(order.zoned_by) == ALL:
            return order
        if order.start:
            return order.in_zones(where, order.start.key, order.start.item_id)
        first = await self._rows(order.walk([], 1))
        if not first:
            return None
        just_before = first[0].id + (1 if order.descending else -1)
        return order.in_zones(where, first[0].sort_key, just_before)

    async def _rows(self, statement: Statement) -> Found:
        return (await self._session.execute(statement)).all()


def place_of(query: ItemQuery, row: Row[*tuple[Any, ...]]) -> Cursor:
    """Where a row of `ItemOrder` stands in the list."""
    key = None if query.sort == "created" else row.sort_key
    return Cursor(query.sort, query.direction, key, row.id)


def _just_behind(place: Cursor, order: ItemOrder) -> Cursor:
    """Reading back from here, the item at `place` comes first."""
    return replace(place, item_id=max(0, place.item_id + (-1 if order.descending else 1)))
