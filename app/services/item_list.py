"""The list of items: sorted, filtered, searched, one page at a time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from app.schemas.cursor import Cursor
from app.schemas.item import ItemOut, ItemPage, ItemQuery
from app.services.item_order import Dialect, ItemOrder, Statement
from app.services.item_search import ItemSearch

_COLUMNS: Final = tuple(ItemOut.model_fields)

# A search first reads a little of the list itself: enough for common words. What is not met there
# often enough is rare, and the index gives all of it at once; or it stands at the list's far end,
# and the index gives very much. PostgreSQL takes longer for each item that it gets from the index.
_READ_FIRST: Final[dict[Dialect, int]] = {"sqlite": 2_000, "postgresql": 5_000}


class ItemList:
    """Reads pages of one user's items by keyset: a page costs the same wherever it is."""

    def __init__(self, session: AsyncSession, user_id: int) -> None:
        self._session = session
        self._user_id = user_id

    async def page(self, query: ItemQuery) -> ItemPage:
        """The items behind (or before) the query's cursor, or the first ones."""
        backwards = query.before is not None
        order = ItemOrder(
            dialect=self._dialect,
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

    @property
    def _dialect(self) -> Dialect:
        return "sqlite" if self._session.get_bind().dialect.name == "sqlite" else "postgresql"

    async def _find(self, q: str, order: ItemOrder, wanted: int) -> Sequence[Row[*tuple[Any, ...]]]:
        """The first `wanted` items behind the order's start."""
        search = ItemSearch(q, order)
        if not search.words:
            return await self._rows(order.walk(_COLUMNS, wanted))
        if order.dialect == "sqlite" and order.sort == "status" and not order.status:
            rows: list[Row[*tuple[Any, ...]]] = []
            for part in order.of_each_status():
                rows += await self._find(q, part, wanted - len(rows))
                if len(rows) == wanted:
                    break
            return rows
        if not search.streams:
            read = _READ_FIRST[order.dialect]
            found = await self._rows(search.walked(_COLUMNS, wanted, read))
            if len(found) == wanted:
                return found
        return await self._rows(search.indexed(_COLUMNS, wanted))

    async def _rows(self, statement: Statement) -> Sequence[Row[*tuple[Any, ...]]]:
        return (await self._session.execute(statement)).all()


def place_of(query: ItemQuery, row: Row[*tuple[Any, ...]]) -> Cursor:
    """Where a row of `ItemOrder` stands in the list."""
    key = None if query.sort == "created" else row.sort_key
    return Cursor(query.sort, query.direction, key, row.id)


def _just_behind(place: Cursor, order: ItemOrder) -> Cursor:
    """Reading back from here, the item at `place` comes first."""
    return replace(place, item_id=max(0, place.item_id + (-1 if order.descending else 1)))
