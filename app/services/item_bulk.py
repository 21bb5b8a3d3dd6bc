"""Many new items at once, by the fastest way that each database has."""

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.lib.search_grams import joined_grams, joined_words, title_and_words
from app.models.item import STATUSES, Status
from app.schemas.cursor import NO_DUE_DATE
from app.services.item_order import Dialect, dialect_of
from app.services.item_postings import Pack, Postings, are_worth_it, pack_of
from app.services.item_zones import (
    GatheredZones,
    StoredZones,
    Zones,
    zones_of_dates,
    zones_of_ids,
    zones_of_title,
)
from app.services.sqlite_rows import insert_rows

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
_INSERT: Final = f"INSERT INTO items ({_NAMES}, is_packed)"

# COPY itself is refused where there is row-level security. What is the same in all rows stays away.
_SAME: Final = {"owner_id": "%s", "version": "1"}
_MOMENTS: Final = {name: f"coalesce({name}, %s)" for name in ("created_at", "updated_at")}
_COPIED: Final = {name: kind for name, kind in _COLUMNS.items() if name not in _SAME}
_TYPES: Final = ", ".join(f"{name} {kind}" for name, kind in _COPIED.items())
_VALUES: Final = ", ".join((_SAME | _MOMENTS).get(name, name) for name in _COLUMNS)
_LAST_ID: Final = "SELECT pg_sequence_last_value(pg_get_serial_sequence('items', 'id')::regclass)"
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_BEGIN_COPY: Final = f"CREATE TEMPORARY TABLE new_items ({_TYPES}) ON COMMIT DROP"
_COPY: Final = f"COPY new_items ({', '.join(_COPIED)}) FROM STDIN"
_INSERT_COPIED: Final = f"""
    INSERT INTO items (id, {_NAMES}, is_packed)
    SELECT coalesce((%s::bigint[])[row_number() OVER ()], %s + row_number() OVER () - 1),
        {_VALUES}, %s
    FROM new_items
"""  # noqa: S608 # of constants
_RESERVE: Final = """
    SELECT min(id), max(id),
        CASE WHEN max(id) - min(id) >= count(*) THEN array_agg(id ORDER BY id) END
    FROM (
        SELECT nextval((SELECT pg_get_serial_sequence('items', 'id')::regclass)) AS id
        FROM generate_series(1, %s)
    ) AS new
"""
_END_COPY: Final = "DROP TABLE new_items"
_NULL: Final = "\x00"
_JOINTS: Final = len(_COPIED) - 1
_ESCAPES: Final = (
    (b"\\", b"\\\\"),
    (b"\t", b"\\t"),
    (b"\n", b"\\n"),
    (b"\r", b"\\r"),
    (b"\x00", b"\\N"),
)
_ENDS: Final = bytes.maketrans(b"\x1f\x1e", b"\t\n")

_PLACES: Final = {status: place for place, status in enumerate(STATUSES)}
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


class _Row(NamedTuple):
    """An item with what is derived from it alone."""

    item: NewItem
    title_key: str
    searched_by: str


class Copied(NamedTuple):
    """What PostgreSQL copies, and the moments that are left out of it: all are the same, mostly."""

    rows: bytes
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class PreparedItems:
    """Items as they are stored, with all that is derived from them."""

    owner_id: int
    count: int
    stored: Copied | list[Any]
    """For SQLite all values of all rows."""
    zones: GatheredZones
    pack: Pack | None
    """Unless the text index would do as well."""


def prepare_items(owner_id: int, items: Iterable[NewItem], dialect: Dialect) -> PreparedItems:
    """Do all that needs no database, so also beside it, in another thread."""
    postings, rows = Postings(), list[_Row]()
    titles, dates = list[Zones](), list[Zones]()
    of_dates = cache(zones_of_dates)
    for place, item in enumerate(items):
        key, words = title_and_words(item.title, item.description)
        postings.add(words, place)
        titles.append(zones_of_title(key))
        dates.append(of_dates(item.updated_at, item.due_on or NO_DUE_DATE))
        rows.append(_Row(item, key, joined_words(words)))
    gathered = postings.gather(titles, dates)
    pack = pack_of(gathered, len(rows)) if are_worth_it(gathered) else None
    if pack is None:  # the text index needs the grams
        rows = [row._replace(searched_by=joined_grams(row.searched_by)) for row in rows]
    return PreparedItems(
        owner_id,
        len(rows),
        _as_copied(rows) if dialect == "postgresql" else _as_values(owner_id, rows),
        GatheredZones(owner_id, {gram: found.zones for gram, found in gathered.items()}),
        pack,
    )


async def reserve_ids(session: AsyncSession, owner_id: int, count: int) -> Sequence[int]:
    """Ids for a pack of new items, in order; on PostgreSQL only.

    No two packs of a user have ids that are mixed, so a search can go from one to the next. Who
    reserves some for the same user meanwhile waits for the end of this transaction.
    """
    connection = await session.connection()
    await connection.exec_driver_sql(_LOCK, (f"item packs of {owner_id}",))
    reserved = await connection.exec_driver_sql(_RESERVE, (count,))
    found: Sequence[Any] = reserved.one()
    first, last, with_gaps = found
    return with_gaps or range(first, last + 1)


async def are_reserved(session: AsyncSession, ids: Sequence[int]) -> bool:
    """Whether this server knows that: one that took over may not."""
    last = await (await session.connection()).exec_driver_sql(_LAST_ID)
    return (last.scalar_one() or 0) >= ids[-1]


async def insert_prepared(
    session: AsyncSession,
    items: PreparedItems,
    stored: StoredZones | None = None,
    *,
    ids: Sequence[int] | None = None,
    before: Awaitable[None] | None = None,
) -> None:
    """Store items, in order. Never commits.

    `stored` are zones that need not be sent again; the caller notes what is, once it is committed.
    For PostgreSQL: `ids` are reserved ones, and `before` is waited for as soon as the rows
    themselves are there, since what comes next changes rows that the batch before changes, too.

    It keeps other writers of SQLite waiting until the caller commits, so hand over some ten
    thousand at a time.
    """
    if not items.count:
        if before:
            await before
        return
    connection = await session.connection()
    is_packed = items.pack is not None
    if isinstance(items.stored, Copied):
        ids = ids or await reserve_ids(session, items.owner_id, items.count)
        await _insert_copied(connection, items.owner_id, items.stored, ids, is_packed)
    else:
        ids = await _insert_values(connection, items.stored, items.count, is_packed)
    if before:
        await before
    if isinstance(items.stored, Copied):  # two of several batches each would wait for each other
        await connection.exec_driver_sql(_LOCK, (f"item zones of {items.owner_id}",))
    items.zones.add_everywhere(zones_of_ids(ids[0], ids[-1]))
    await items.zones.store(session, stored)
    if items.pack:
        await items.pack.store(session, items.owner_id, ids)


async def insert_items(session: AsyncSession, owner_id: int, items: Iterable[NewItem]) -> int:
    """Prepare and store `items`, in order; how many there were. Never commits."""
    dialect = dialect_of(session)
    rest, count = iter(items), 0
    while batch := list(islice(rest, _ROWS_AT_ONCE)):
        await insert_prepared(session, prepare_items(owner_id, batch, dialect))
        count += len(batch)
    return count


async def _insert_copied(
    connection: AsyncConnection,
    owner_id: int,
    copied: Copied,
    ids: Sequence[int],
    is_packed: bool,  # noqa: FBT001 # the column's value
) -> None:
    await connection.exec_driver_sql(_BEGIN_COPY)
    raw = await connection.get_raw_connection()
    async with (
        raw.driver_connection.cursor() as cursor,  # type: ignore[union-attr]
        cursor.copy(_COPY) as copy,
    ):
        await copy.write(copied.rows)
    has_gaps = ids[-1] - ids[0] >= len(ids)
    values = (
        list(ids) if has_gaps else None,
        ids[0],
        owner_id,
        copied.created_at,
        copied.updated_at,
        is_packed,
    )
    await connection.exec_driver_sql(_INSERT_COPIED, values)
    await connection.exec_driver_sql(_END_COPY)


def _as_copied(rows: Sequence[_Row]) -> Copied:
    """In the text format of COPY."""
    created = rows[0].item.created_at if rows else None
    updated = rows[0].item.updated_at if rows else None
    # Cells end with signs that no validated text has; so what is to be escaped is, all at once.
    lines = [
        f"{title}\x1f{title_key}\x1f{description}\x1f{_PLACES[status]}\x1f{_day(due_on)}"
        f"\x1f{searched_by}\x1f{_NULL if created_at == created else created_at.isoformat()}"
        f"\x1f{_NULL if updated_at == updated else updated_at.isoformat()}"
        f"\x1f{_NULL if key is None else key}\x1e"
        for (
            (title, description, status, due_on, created_at, updated_at, key),
            title_key,
            searched_by,
        ) in rows
    ]
    text = "".join(lines).encode()
    if text.count(b"\x1e") != len(lines) or text.count(b"\x1f") != len(lines) * _JOINTS:
        raise ValueError("the text of an item has control characters")
    for sign, escaped in _ESCAPES:
        text = text.replace(sign, escaped)
    return Copied(text.translate(_ENDS), created, updated)


@lru_cache(maxsize=4096)  # most are close to each other
def _day(due_on: date | None) -> str:
    return due_on.isoformat() if due_on else _NULL


async def _insert_values(
    connection: AsyncConnection,
    values: Sequence[Any],
    count: int,
    is_packed: bool,  # noqa: FBT001 # the column's value
) -> Sequence[int]:
    row = f"({', '.join('?' * len(_COLUMNS))}, {is_packed:d})"
    last = await insert_rows(connection, _INSERT, row, values)
    # Nobody else writes before this is committed, and AUTOINCREMENT counts on.
    return range(last + 1 - count, last + 1)


def _as_values(owner_id: int, rows: Iterable[_Row]) -> list[Any]:
    """Times and dates as SQLAlchemy writes them there."""
    values = list[Any]()
    for item, title_key, searched_by in rows:
        title, description, status, due_on, created_at, updated_at, key = item
        place, due = _PLACES[status], due_on and due_on.isoformat()
        created, updated = _moment(created_at), _moment(updated_at)
        values += (owner_id, title, title_key, description, place, due, searched_by)
        values += (created, updated, 1, key)
    return values


@lru_cache(maxsize=2)  # the items of an import have all the same
def _moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
