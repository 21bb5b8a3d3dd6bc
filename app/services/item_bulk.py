"""Many new items at once, by the fastest way that each database has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

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
_NAMES: Final = ", ".join(_COLUMNS)
_INSERT: Final = f"INSERT INTO items ({_NAMES})"
_PLACES: Final = f"({', '.join('?' * len(_COLUMNS))})"

# COPY itself is refused where there is row-level security.
_TYPES: Final = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
_BEGIN_COPY: Final = f"CREATE TEMPORARY TABLE new_items ({_TYPES}) ON COMMIT DROP"
_COPY: Final = f"COPY new_items ({_NAMES}) FROM STDIN"
_INSERT_COPIED: Final = f"""
    WITH added AS ({_INSERT} SELECT {_NAMES} FROM new_items RETURNING id)
    SELECT min(id) AS first, max(id) AS last FROM added
"""  # noqa: S608 # of constants
_END_COPY: Final = "DROP TABLE new_items"

_ROWS_A_STATEMENT: Final = 1000
_ROWS_AT_ONCE: Final = 10_000


class NewItem(NamedTuple):
    """What is known of an item before it is stored. Its text has been validated."""

    title: str
    description: str
    status: Status
    due_on: date | None
    created_at: datetime
    updated_at: datetime
    import_key: int | None = None


@dataclass(frozen=True, slots=True)
class PreparedItems:
    """Items as they are stored, with all that is derived from them."""

    rows: Sequence[Sequence[Any]]
    zones: GatheredZones


def prepare_items(owner_id: int, items: Iterable[NewItem]) -> PreparedItems:
    """Do all that needs no database, so also beside it, in another thread."""
    zones, rows = GatheredZones(owner_id), list[Sequence[Any]]()
    for item in items:
        title, description, status, due_on, created_at, updated_at, import_key = item
        title_key = sort_key(title)
        item_grams = grams(f"{title}\n{description}")
        zones.add(item_grams, zones_of_keys(updated_at, title_key, due_on or NO_DUE_DATE))
        place = STATUSES.index(status)
        row = (owner_id, title, title_key, description, place, due_on, item_grams)
        rows.append((*row, created_at, updated_at, 1, import_key))
    return PreparedItems(rows, zones)


async def insert_prepared(session: AsyncSession, items: PreparedItems) -> None:
    """Store items, in order. Never commits.

    It keeps other writers of SQLite waiting until the caller commits, so hand over some ten
    thousand at a time.
    """
    if not items.rows:
        return
    connection = await session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    insert = _insert_values if is_sqlite else _insert_copied
    items.zones.add_everywhere(zones_of_ids(*await insert(connection, items.rows)))
    await items.zones.store(session)


async def insert_items(session: AsyncSession, owner_id: int, items: Iterable[NewItem]) -> int:
    """Prepare and store `items`, in order; how many there were. Never commits."""
    rest, count = iter(items), 0
    while batch := list(islice(rest, _ROWS_AT_ONCE)):
        await insert_prepared(session, prepare_items(owner_id, batch))
        count += len(batch)
    return count


async def _insert_copied(
    connection: AsyncConnection, rows: Sequence[Sequence[Any]]
) -> tuple[int, int]:
    """The ids of the first and the last."""
    await connection.exec_driver_sql(_BEGIN_COPY)
    raw = await connection.get_raw_connection()
    async with (
        raw.driver_connection.cursor() as cursor,  # type: ignore[union-attr]
        cursor.copy(_COPY) as copy,
    ):
        for row in rows:
            await copy.write_row(row)
    added = (await connection.exec_driver_sql(_INSERT_COPIED)).mappings().one()
    await connection.exec_driver_sql(_END_COPY)
    return added["first"], added["last"]


async def _insert_values(
    connection: AsyncConnection, rows: Sequence[Sequence[Any]]
) -> tuple[int, int]:
    """One statement for many rows: the text index writes what it has gathered after each."""
    ids = list[int]()
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        batch = rows[start : start + _ROWS_A_STATEMENT]
        statement = f"{_INSERT} VALUES {', '.join([_PLACES] * len(batch))} RETURNING id"
        values = tuple(chain.from_iterable(map(_as_sqlite, batch)))
        ids += (await connection.exec_driver_sql(statement, values)).scalars()
    return min(ids), max(ids)


def _as_sqlite(row: Sequence[Any]) -> Sequence[Any]:
    """Times and dates as SQLAlchemy writes them there."""
    due_on, created_at, updated_at = row[5], row[7], row[8]
    due = due_on.isoformat() if due_on else None
    return (*row[:5], due, row[6], _moment(created_at), _moment(updated_at), *row[9:])


@lru_cache(maxsize=2)  # the items of an import have all the same
def _moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
