"""All that a list of items has, a page at a time, as it is written to a file."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.lib.search_grams import query_words
from app.lib.table_files import Record
from app.models.item import Item
from app.schemas.item import ItemFilter, ItemOut, ItemPage, ItemQuery

COLUMNS: Final[Mapping[str, type]] = {
    "id": int,
    "title": str,
    "description": str,
    "status": str,
    "due_on": date,
    "created_at": datetime,
    "updated_at": datetime,
}

PAGE: Final = 1000
"""So many items are read, and held, at a time."""

Read = Callable[[ItemQuery], Awaitable[ItemPage]]


async def pages(read: Read, wanted: ItemFilter) -> AsyncIterator[Sequence[ItemOut]]:
    """The list from its first item to its last."""
    query = first_page(wanted)
    while True:
        page = await read(query)
        yield page.items
        if page.next_cursor is None:
            return
        query = query.model_copy(update={"after": page.next_cursor})


def first_page(wanted: ItemFilter) -> ItemQuery:
    """The query of a list's first page, with as many items as an export reads at once."""
    # A copy is not validated: the limit of pages is for those that people ask for.
    return ItemQuery(**wanted.model_dump()).model_copy(update={"limit": PAGE})


def record(item: ItemOut) -> Record:
    """An item as a line of a file."""
    return {name: getattr(item, name) for name in COLUMNS}


async def count(session: AsyncSession, user_id: int, wanted: ItemFilter) -> int | None:
    """How many items the list has; None where only reading it would tell."""
    if query_words(wanted.q):
        return None
    mine = select(func.count()).where(Item.owner_id == user_id, Item.deleted_at.is_(None))
    if wanted.status:
        mine = mine.where(Item.status == wanted.status)
    return await session.scalar(mine)


@asynccontextmanager
async def snapshot(database: Database, user_id: int) -> AsyncIterator[AsyncSession]:
    """A session that sees all of a user, as it was at its first read, while it is open."""
    async with database.session(user_id) as session:
        if database.url.get_backend_name() == "sqlite":
            connection = await (await session.connection()).get_raw_connection()
            # Past SQLAlchemy, whose sessions begin nothing for reading here.
            await connection.driver_connection.execute("BEGIN")  # type: ignore[union-attr]
        else:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session
