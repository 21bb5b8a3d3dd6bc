"""The list of items: sorted, filtered, searched, one page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.schemas.cursor import Cursor
from app.schemas.item import ItemOut, ItemPage, ItemQuery
from app.services.item_order import ITEMS, ItemOrder
from app.services.item_search import ItemSearch

# A search first reads a little of the list itself, which is enough for common words; then it asks
# the index, which is enough for rare ones; then it reads on. So many items at most, in this order:
_FIRST_READ: Final = 2_000
_MOST_FROM_INDEX: Final = 6_000
_LAST_READ: Final = 15_000
# A word too common for the index, at 6,000 of 1,000,000 items, is met 90 times in 15,000 items of a
# list where it is spread evenly. Where it is not, a page may end before it is full.

_COLUMNS: Final = tuple(ItemOut.model_fields)


Rows = Sequence[Row[*tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class _Found:
    """Items in the direction in which they were read, and where reading stopped early."""

    rows: Rows
    stopped_at: Cursor | None = None


class ItemList:
    """Reads pages of one user's items by keyset: a page costs the same wherever it is."""

    def __init__(self, session: AsyncSession, user_id: int) -> None:
        self._session = session
        self._user_id = user_id

    async def page(self, query: ItemQuery) -> ItemPage:
        """The items behind (or before) the query's cursor, or the first ones."""
        backwards = query.before is not None
        order = ItemOrder(
            dialect="sqlite" if self._dialect == "sqlite" else "postgresql",
            owner_id=self._user_id,
            status=query.status,
            sort=query.sort,
            descending=(query.direction == "desc") != backwards,
            start=query.cursor(),
        )
        found = await self._find(query, order)
        rows = found.rows[: query.limit]
        far = found.stopped_at
        if len(found.rows) > query.limit:
            far = place_of(query, rows[-1])
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
            partial=found.stopped_at is not None,
        )

    @property
    def _dialect(self) -> str:
        return self._session.get_bind().dialect.name

    async def _find(self, query: ItemQuery, order: ItemOrder) -> _Found:
        """One more than the page has, if there are so many."""
        wanted = query.limit + 1
        execute = self._session.execute
        search = ItemSearch(query.q, order)
        if not search.words:
            return _Found((await execute(order.walk(_COLUMNS, wanted))).all())
        if search.streams:
            ids = await self._session.scalars(search.streamed(wanted))
            return _Found(await self._load(order, ids.all()))
        rows = (await execute(search.walked(_COLUMNS, wanted, _FIRST_READ))).all()
        if len(rows) == wanted:
            return _Found(rows)
        from_index = (await execute(search.indexed(wanted, _MOST_FROM_INDEX))).all()
        if from_index[0].candidates <= _MOST_FROM_INDEX:
            found = [row.id for row in from_index if row.id is not None]
            return _Found(await self._load(order, found))
        rows = (await execute(search.walked(_COLUMNS, wanted, _LAST_READ))).all()
        if len(rows) == wanted:
            return _Found(rows)
        last = (await execute(order.walk([], 1, offset=_LAST_READ - 1))).one_or_none()
        return _Found(rows, place_of(query, last) if last else None)

    async def _load(self, order: ItemOrder, ids: Sequence[int]) -> Rows:
        """The items of `ids`, in that order."""
        if not ids:
            return []
        found = await self._session.execute(
            select(*order.columns(_COLUMNS)).where(
                ITEMS.c.id.in_(ids), ITEMS.c.owner_id == self._user_id, ITEMS.c.deleted_at.is_(None)
            )
        )
        by_id = {row.id: row for row in found}
        return [by_id[item_id] for item_id in ids if item_id in by_id]


def place_of(query: ItemQuery, row: Row[*tuple[Any, ...]]) -> Cursor:
    """Where a row of `ItemOrder` stands in the list."""
    key = None if query.sort == "created" else row.sort_key
    return Cursor(query.sort, query.direction, key, row.id)


def _just_behind(place: Cursor, order: ItemOrder) -> Cursor:
    """Reading back from here, the item at `place` comes first."""
    return replace(place, item_id=max(0, place.item_id + (-1 if order.descending else 1)))
