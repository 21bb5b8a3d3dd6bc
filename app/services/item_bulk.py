"""Many new items at once, by the fastest way that each database has."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.search_grams import grams, sort_key
from app.models.item import STATUSES, Status
from app.schemas.cursor import NO_DUE_DATE
from app.services.item_zones import GatheredZones, zones_of_ids, zones_of_keys

_COLUMNS: Final = {
    "owner_id": "bigint",
    "title": "text",
    "title_key": "text",
    "description": "text",
    "status": "smallint",
    "due_on": "date",
    "search_grams": "text",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "version": "int",
    "import_key": "bigint",
}
_INSERT: Final = f"INSERT INTO items ({', '.join(_COLUMNS)})"
_ARRAYS: Final = ", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())
_INSERT_ARRAYS: Final = f"{_INSERT} SELECT * FROM unnest({_ARRAYS}) RETURNING id"  # noqa: S608 # of constants
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
    import_key: int | None = None


async def insert_items(session: AsyncSession, owner_id: int, items: Iterable[NewItem]) -> int:
    """Store `items`, in order; how many there were. Never commits.

    It keeps other writers of SQLite waiting until the caller commits, so hand over some ten
    thousand at a time.
    """
    gathered = GatheredZones(owner_id)
    postgresql = session.get_bind().dialect.name == "postgresql"
    insert = _insert_arrays if postgresql else _insert_values
    rows, ids = _rows(owner_id, items, gathered), list[int]()
    while batch := list(islice(rows, _ROWS_A_STATEMENT)):
        ids += await insert(session, batch)
    if ids:
        gathered.add_everywhere(zones_of_ids(min(ids), max(ids)))
        await gathered.store(session)
    return len(ids)


async def _insert_arrays(session: AsyncSession, batch: Sequence[Sequence[Any]]) -> Iterable[int]:
    """An array a column. COPY, a little faster, is refused where there is row-level security."""
    connection = await session.connection()
    arrays = tuple(list(values) for values in zip(*batch, strict=True))
    return (await connection.exec_driver_sql(_INSERT_ARRAYS, arrays)).scalars()


async def _insert_values(session: AsyncSession, batch: Sequence[Sequence[Any]]) -> Iterable[int]:
    """One statement for many rows: the text index writes what it has gathered after each."""
    connection = await session.connection()
    places = f"({', '.join('?' * len(_COLUMNS))})"
    statement = f"{_INSERT} VALUES {', '.join([places] * len(batch))} RETURNING id"
    values = [_as_sqlite(value) for row in batch for value in row]
    return (await connection.exec_driver_sql(statement, tuple(values))).scalars()


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
            item.import_key,
        ]


def _as_sqlite(value: Any) -> Any:
    """Times and dates as SQLAlchemy writes them there."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return value.isoformat() if isinstance(value, date) else value
