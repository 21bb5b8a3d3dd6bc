"""The list of items: sorted, filtered, searched, one page at a time."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Date, Select, func, literal, literal_column, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.search_grams import needle, query_words
from app.models.item import Item
from app.schemas.cursor import NO_DUE_DATE, Cursor, Key, Sort
from app.schemas.item import ItemOut, ItemPage, ItemQuery


class ItemList:
    """Reads pages of one user's items by keyset: a page costs the same wherever it is."""

    def __init__(self, session: AsyncSession, user_id: int) -> None:
        self._session = session
        self._user_id = user_id

    async def page(self, query: ItemQuery) -> ItemPage:
        cursor = query.cursor()
        backwards = query.before is not None
        found = list((await self._session.scalars(self._select(query, cursor, backwards))).all())
        if backwards and len(found) <= query.limit:
            # The list's start: a full first page is of more use than what is left before the cursor.
            return await self.page(query.model_copy(update={"before": None}))
        more = len(found) > query.limit
        items = found[: query.limit]
        if backwards:
            items.reverse()
        return ItemPage(
            items=[ItemOut.model_validate(item) for item in items],
            next_cursor=_cursor(query, items[-1]) if items and (more or backwards) else None,
            previous_cursor=_cursor(query, items[0]) if items and cursor else None,
        )

    def _select(
        self, query: ItemQuery, cursor: Cursor | None, backwards: bool
    ) -> Select[tuple[Item]]:
        descending = (query.direction == "desc") != backwards
        keys = sort_columns(query.sort)
        statement = select(Item).where(Item.owner_id == self._user_id, Item.deleted_at.is_(None))
        if query.status:
            statement = statement.where(Item.status == query.status)
        for word in query_words(query.q):
            statement = statement.where(func.instr(Item.search_grams, needle(word)) > 0)
        if cursor:
            at = tuple_(*(literal(v, c.type) for v, c in zip(_values(cursor), keys, strict=True)))
            place = tuple_(*keys)
            statement = statement.where(place < at if descending else place > at)
        order = [key.desc() if descending else key.asc() for key in keys]
        return statement.order_by(*order).limit(query.limit + 1)


def sort_columns(sort: Sort) -> Sequence[ColumnElement[object]]:
    match sort:
        case "created":
            return [Item.id]
        case "updated":
            return [Item.updated_at, Item.id]
        case "title":
            return [Item.title_key, Item.id]
        case "status":
            return [Item.status, Item.id]
        case "due":
            return [due_key, Item.id]


due_key = func.coalesce(Item.due_on, literal_column(f"'{NO_DUE_DATE}'", Date))


def _values(cursor: Cursor) -> list[Key | int]:
    return [cursor.item_id] if cursor.sort == "created" else [cursor.key, cursor.item_id]


def _cursor(query: ItemQuery, item: Item) -> str:
    key: Key
    match query.sort:
        case "created":
            key = None
        case "updated":
            key = item.updated_at
        case "title":
            key = item.title_key
        case "status":
            key = item.status
        case "due":
            key = item.due_on or NO_DUE_DATE
    return Cursor(query.sort, query.direction, key, item.id).encode()
