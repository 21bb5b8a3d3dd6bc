"""Many new items at once, by the fastest way that each database has."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.search_grams import grams, sort_key
from app.models.item import STATUSES, Item, Status
from app.schemas.cursor import NO_DUE_DATE
from app.services.item_zones import GatheredZones, zones_of_ids, zones_of_keys

_COLUMNS: Final = (
    *("owner_id", "title", "title_key", "description", "status", "due_on"),
    *("search_grams", "created_at", "updated_at", "version"),
)
_INSERT: Final = f"INSERT INTO items ({', '.join(_COLUMNS)}) VALUES"
_ROWS_A_STATEMENT: Final = 1000


@dataclass(frozen=True, slots=True)
class NewItem:
    """What is known of an item before it is stored. Its text has been validated."""

    title: str
    description: str
    status: Status
    due_on: date | None
    created_at: datetime
    updated_at: datetime


async def insert_items(session: AsyncSession, owner_id: int, items: Iterable[NewItem]) -> int:
    """Store `items`, in order; how many there were. Never commits.

    COPY on PostgreSQL, statements of many rows on SQLite. It keeps other writers of SQLite waiting
    until the caller commits, so hand over some ten thousand at a time.
    """
    gathered = GatheredZones(owner_id)
    rows = _rows(owner_id, items, gathered)
    before = await _last_id(session)
    postgresql = session.get_bind().dialect.name == "postgresql"
    count = await (_copy if postgresql else _insert)(session, rows)
    # The items' ids are somewhere between.
    gathered.add_everywhere(zones_of_ids(before + 1, await _last_id(session)))
    await gathered.store(session)
    return count


async def _last_id(session: AsyncSession) -> int:
    return await session.scalar(select(func.max(Item.id))) or 0


async def _copy(session: AsyncSession, rows: Iterator[list[Any]]) -> int:
    connection = await (await session.connection()).get_raw_connection()
    driver: Any = connection.driver_connection
    count = 0
    async with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY items ({', '.join(_COLUMNS)}) FROM STDIN") as copy,
    ):
        for row in rows:
            await copy.write_row(row)
            count += 1
    return count


async def _insert(session: AsyncSession, rows: Iterator[list[Any]]) -> int:
    """One statement for many rows: the text index writes what it has gathered after each."""
    connection = await session.connection()
    places = f"({', '.join('?' * len(_COLUMNS))})"
    count = 0
    while batch := list(islice(rows, _ROWS_A_STATEMENT)):
        statement = f"{_INSERT} {', '.join([places] * len(batch))}"
        values = [_as_sqlite(value) for row in batch for value in row]
        await connection.exec_driver_sql(statement, tuple(values))
        count += len(batch)
    return count


def _rows(owner_id: int, items: Iterable[NewItem], gathered: GatheredZones) -> Iterator[list[Any]]:
    for item in items:
        title_key = sort_key(item.title)
        item_grams = grams(f"{item.title}\n{item.description}")
        due_key = item.due_on or NO_DUE_DATE
        gathered.add(item_grams, zones_of_keys(item.updated_at, title_key, due_key))
        yield [
            owner_id,
            item.title,
            title_key,
            item.description,
            STATUSES.index(item.status),
            item.due_on,
            item_grams,
            item.created_at,
            item.updated_at,
            1,
        ]


def _as_sqlite(value: Any) -> Any:
    """Times and dates as SQLAlchemy writes them there."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return value.isoformat() if isinstance(value, date) else value
