"""The commit of an import: its good rows, batch by batch, and how they are taken back."""

import asyncio
import gc
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import islice
from typing import IO, Final, TypeVar

import orjson
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.jobs.running import RunningJob
from app.models.item import Item
from app.models.item_import import ItemImport
from app.services.imports.folder import ImportFolder
from app.services.item_bulk import (
    NewItem,
    PreparedItems,
    are_reserved,
    insert_prepared,
    prepare_items,
    reserve_ids,
)
from app.services.item_order import Dialect, dialect_of
from app.services.item_packs import empty_packs
from app.services.item_zones import StoredZones

_ROWS_A_BATCH: Final = 10_000
"""A commit each: less than a second, for which SQLite keeps other writers waiting. Fewer make more
work, since the grams that they have in common are stored with each batch."""

_ROWS_AT_FIRST: Final = 1250
"""The database waits for the first batch. Each of the next is twice as large as the one before."""

_OVERLAPPING: Final = 8
"""After so many batches all are committed before the next begins. Each has its owner's row locked,
and whoever wants to delete that waits for a moment at which none has."""

_BYTES_A_BATCH: Final = 2 << 20
_GRAMS_A_BATCH: Final = 30_000
"""What items are searched by takes several times as much memory as their text, and more still where
they have little in common. How much that is, the batch before tells. Three are there at a time."""

_PARTS_A_COLLECTION: Final = 20_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some lines of the good rows, and their bytes. It is prepared if all seem to be new."""

    count: int
    size: int
    items: Sequence[NewItem]
    """Empty where none can be known: all are prepared, and take as much memory again."""
    prepared: PreparedItems | None


class _SetBack(Exception):
    """The database is not where it was said to be.

    A standby took over that lacks what was committed last, or a commit counts that gave no word.
    """


class ImportCommit:
    """Inserts the good rows of one import, or takes back what was inserted of them."""

    def __init__(self, running: RunningJob, import_id: int, *, skip_known: bool) -> None:
        """`skip_known`: whether rows that an earlier import has brought are passed over."""
        self._running = running
        self._import_id = import_id
        self._skip_known = skip_known
        self._zones = StoredZones()
        self._rows = min(_ROWS_AT_FIRST, _ROWS_A_BATCH)
        self._bytes = _BYTES_A_BATCH
        self._prepares = True

    async def insert(self, folder: ImportFolder, good: int) -> dict[str, int]:
        """Insert what is not yet, of `good` rows; how many there are now, and how many were."""
        database = Database(self._running.settings.database_url)
        try:
            while True:
                begun = await self._begin(database)
                try:
                    await self._insert_rest(database, begun, folder, good)
                except _SetBack:
                    await database.engine.dispose()  # to ask whoever answers now, and nobody else
                    continue
                self._running.check()
                return {"inserted": begun.inserted, "skipped": begun.skipped}
        finally:
            await database.close()

    async def _insert_rest(
        self, database: Database, begun: ItemImport, folder: ImportFolder, good: int
    ) -> None:
        self._zones = StoredZones()  # a database that was away may come back without its last ones
        made_at = begun.begun_at or begun.created_at
        with folder.good.open("rb") as file, _rare_collections():
            file.seek(begun.position)
            self._running.progress(begun.inserted + begun.skipped, good)
            read = partial(self._read, file, made_at, dialect_of(database))
            async with (
                aclosing(_ahead(read)) as batches,
                aclosing(self._added(database, begun, batches)) as added,
            ):
                async for _ in added:
                    # It may wait for a row of the next batch, which needs this loop to commit.
                    await asyncio.to_thread(
                        self._running.progress, begun.inserted + begun.skipped, good
                    )

    async def take_back(self) -> int:
        """Delete what was inserted; how many items that were."""
        database = Database(self._running.settings.database_url)
        try:
            async with self._running.async_transaction(database) as session:
                begun = await session.get_one(ItemImport, self._import_id)
                begun.is_undoing = True
            return await self._delete(database, begun)
        finally:
            await database.close()

    async def _begin(self, database: Database) -> ItemImport:
        """How far it is. What an attempt has left that was to be taken back goes before."""
        async with self._running.async_transaction(database) as session:
            begun = await session.get_one(ItemImport, self._import_id)
            if not begun.is_undoing and begun.last_id is None:
                begun.last_id = await session.scalar(select(func.max(Item.id))) or 0
        if begun.is_undoing:
            await self._delete(database, begun)
            return await self._begin(database)  # at the first row
        return begun

    def _read(self, file: IO[bytes], made_at: datetime, dialect: Dialect) -> _Batch | None:
        items, size = list[NewItem](), 0
        for line in islice(file, self._rows):
            title, description, status, due_on, key = orjson.loads(line)
            due = date.fromisoformat(due_on) if due_on else None
            items.append(NewItem(title, description, status, due, made_at, made_at, key))
            size += len(line)
            if size >= self._bytes:
                break
        if not items:
            return None
        prepared = self._prepare(items, dialect) if self._prepares else None
        self._rows = min(2 * self._rows, _ROWS_A_BATCH)
        if prepared and prepared.zones:
            self._bytes = min(size * _GRAMS_A_BATCH // len(prepared.zones), _BYTES_A_BATCH)
        return _Batch(len(items), size, items if self._skip_known else [], prepared)

    def _prepare(self, items: Sequence[NewItem], dialect: Dialect) -> PreparedItems:
        return prepare_items(self._running.user_id, items, dialect)

    async def _added(
        self, database: Database, begun: ItemImport, batches: AsyncIterable[_Batch]
    ) -> AsyncGenerator[None]:
        """Give word of each batch that is committed, in order.

        PostgreSQL takes the rows of one while it is told where those of the one before are found.
        """
        overlap = dialect_of(database) == "postgresql" and not self._skip_known
        adding: deque[asyncio.Task[None]] = deque()
        number = 0
        try:
            async for batch in batches:
                number += 1
                ids = await self._reserve(database, batch) if overlap else None
                before = adding[-1] if adding else None
                adding.append(asyncio.create_task(self._add(database, begun, batch, ids, before)))
                while len(adding) > (overlap and number % _OVERLAPPING > 0):
                    await adding.popleft()
                    yield
            while adding:
                await adding.popleft()
                yield
        finally:  # one behind a batch that failed fails, too, and another may be committing
            await asyncio.gather(*adding, return_exceptions=True)

    async def _reserve(self, database: Database, batch: _Batch) -> Sequence[int]:
        async with database.session(self._running.user_id) as session:
            return await reserve_ids(session, self._running.user_id, batch.count)

    async def _add(
        self,
        database: Database,
        begun: ItemImport,
        batch: _Batch,
        ids: Sequence[int] | None = None,
        before: asyncio.Task[None] | None = None,
    ) -> None:
        """Commit a batch, behind the one `before`. `ids` are those that were reserved for it."""
        async with self._running.async_transaction(database) as session:
            if ids and not await are_reserved(session, ids):
                raise _SetBack
            prepared = batch.prepared
            known = await self._known(session, begun, batch.items) if self._skip_known else set()
            if known or prepared is None:
                new = [item for item in batch.items if item.import_key not in known]
                prepared = self._prepare(new, dialect_of(database))
            self._prepares = not known  # of the next ones some may be known, too
            await insert_prepared(session, prepared, self._zones, ids=ids, before=before)
            inserted = prepared.count
            after = {
                "position": begun.position + batch.size,
                "inserted": begun.inserted + inserted,
                "skipped": begun.skipped + batch.count - inserted,
            }
            moved = await session.execute(
                update(ItemImport)
                .where(
                    ItemImport.id == self._import_id,
                    ItemImport.position == begun.position,
                    ItemImport.last_id == begun.last_id,
                )
                .values(**after)
            )
            if moved.rowcount != 1:  # type: ignore[attr-defined] # an UPDATE's result has it
                raise _SetBack
        prepared.zones.note(self._zones)
        for name, value in after.items():
            setattr(begun, name, value)

    async def _known(
        self, session: AsyncSession, begun: ItemImport, items: Sequence[NewItem]
    ) -> set[int | None]:
        """Of these those that came with an earlier import, and that are there."""
        found = await session.scalars(
            select(Item.import_key).where(
                Item.owner_id == self._running.user_id,
                Item.import_key.in_([item.import_key for item in items]),
                Item.deleted_at.is_(None),
                Item.id <= begun.last_id,
            )
        )
        return set(found)

    async def _delete(self, database: Database, begun: ItemImport) -> int:
        """Delete what this import has inserted. No other import of its owner runs meanwhile."""
        some = (
            select(Item.id)
            .where(
                Item.id > begun.last_id,
                Item.owner_id + 0 == self._running.user_id,
                Item.import_key.is_not(None),
            )
            .order_by(Item.id)
            .limit(_ROWS_A_BATCH)
        )
        deleted, size = 0, _ROWS_A_BATCH
        while size == _ROWS_A_BATCH:
            async with self._running.async_transaction(database) as session:
                gone = await session.scalars(
                    delete(Item).where(Item.id.in_(some)).returning(Item.id),
                    execution_options={"synchronize_session": False},
                )
                size = len(gone.all())
                if size < _ROWS_A_BATCH:
                    await session.run_sync(empty_packs, self._running.user_id)
                    begun = await session.merge(begun)
                    begun.position = begun.inserted = begun.skipped = 0
                    begun.is_undoing = False
            deleted += size
        return deleted


async def _ahead(read: Callable[[], T | None]) -> AsyncGenerator[T]:
    """What `read` gives, until that is none; each is read while the one before is worked on."""
    coming = asyncio.create_task(asyncio.to_thread(read))
    try:
        while (found := await coming) is not None:
            coming = asyncio.create_task(asyncio.to_thread(read))
            yield found
    finally:
        await asyncio.gather(coming, return_exceptions=True)  # whoever reads must not be left


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Have Python look for garbage less often: of a batch's thousands of parts none is."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _PARTS_A_COLLECTION) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
