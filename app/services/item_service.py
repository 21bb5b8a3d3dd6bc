"""What a user can do with items. Everything here is about the items of one user."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.logger import TraceLogger
from app.lib.search_grams import grams, sort_key
from app.lib.utils import utc_now
from app.models.item import Item, Status
from app.schemas.item import ItemIn, ItemPage, ItemQuery
from app.services.errors import Conflict, NotFound
from app.services.item_list import ItemList
from app.services.item_zones import note_items

KEPT_AFTER_DELETION: Final = timedelta(days=30)
_PURGED_AT_ONCE: Final = 100


class ItemChanged(Conflict):
    """Somebody changed the item in the meantime; `current` is how it is now."""

    def __init__(self, current: Item) -> None:
        super().__init__(f"item {current.id} is at version {current.version}")
        self.current = current


class ItemDeleted(NotFound):
    """The user has deleted the item in the meantime; `current` is how it was then."""

    def __init__(self, current: Item) -> None:
        super().__init__(f"item {current.id} is deleted")
        self.current = current


class ItemService:
    """The items of one user: what is another's does not exist here. Never commits.

    Calls with several ids pass over ids that are another's, deleted or unknown, and answer in the
    order of the ids that they were given.
    """

    def __init__(
        self,
        session: AsyncSession,
        logger: TraceLogger,
        user_id: int,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._session = session
        self._logger = logger
        self._user_id = user_id
        # "+ 0": beside ids, SQLite would rather read all items of the owner than those few.
        self._mine = Item.owner_id + 0 == user_id
        self._clock = clock

    async def page(self, query: ItemQuery) -> ItemPage:
        """One page of the list, sorted and filtered."""
        return await ItemList(self._session, self._user_id).page(query)

    async def get(self, item_id: int) -> Item:
        """Raises `NotFound`."""
        item = await self.get_even_deleted(item_id)
        if item.deleted_at:
            raise NotFound
        return item

    async def get_even_deleted(self, item_id: int) -> Item:
        """An item that is there, or that can be restored. Raises `NotFound`."""
        item = await self._session.scalar(
            select(Item).where(Item.id == item_id, self._mine),
            execution_options={"populate_existing": True},
        )
        if item is None:
            raise NotFound
        return item

    async def create(self, data: ItemIn) -> Item:
        """A new item, at version 1."""
        async with self._logger.task("Item_Create") as task:
            async with task.step("Validation", data.model_dump(mode="json")) as step:
                values = item_values(data)
                step.output = {"title": data.title}
            async with task.step("DB_Insert") as step:
                now = self._clock()
                values |= {"owner_id": self._user_id, "created_at": now, "updated_at": now}
                inserted = insert(Item).values(**values, version=1).returning(Item)
                item = (await self._session.scalars(inserted)).one()
                await note_items(self._session, self._user_id, [item.id])
                step.output = {"item_id": item.id}
        return item

    async def update(self, item_id: int, data: ItemIn, version: int) -> Item:
        """Replace an item's content if it is still at `version`.

        Raises `ItemChanged` or `ItemDeleted` with the item as it is now, or `NotFound`.
        """
        async with self._logger.task("Item_Update") as task:
            async with task.step("Validation", data.model_dump(mode="json")) as step:
                values = item_values(data)
                step.output = {"title": data.title}
            async with task.step("DB_Update", {"item_id": item_id, "version": version}) as step:
                item: Item | None = await self._session.scalar(
                    update(Item)
                    .where(Item.id == item_id, Item.version == version, self._mine, _LIVING)
                    .values(**values, updated_at=self._clock(), version=Item.version + 1)
                    .returning(Item),
                    execution_options=_FRESH,
                )
                if item is None:
                    current = await self.get_even_deleted(item_id)
                    raise ItemDeleted(current) if current.deleted_at else ItemChanged(current)
                await note_items(self._session, self._user_id, [item_id])
                step.output = {"version": item.version}
        return item

    async def set_status(self, item_ids: Sequence[int], status: Status) -> list[Item]:
        """Give items a status; those that have it already stay at their version.

        Returns all of them, changed or not.
        """
        async with self._logger.task("Item_Set_Status") as task:
            received = {"item_ids": list(item_ids), "status": status}
            async with task.step("DB_Update", received) as step:
                changed = await self._session.scalars(
                    update(Item)
                    .where(Item.id.in_(item_ids), Item.status != status, self._mine, _LIVING)
                    .values(status=status, updated_at=self._clock(), version=Item.version + 1)
                    .returning(Item.id),
                    execution_options=_FRESH,
                )
                ids = sorted(changed)
                await note_items(self._session, self._user_id, ids)
                step.output = {"changed": ids}
        found = await self._session.scalars(
            select(Item).where(Item.id.in_(item_ids), self._mine, _LIVING),
            execution_options={"populate_existing": True},
        )
        return _in_order(found.all(), item_ids)

    async def delete(self, item_ids: Sequence[int]) -> list[int]:
        """Delete items so that `restore` brings them back; returns the ids that were there.

        What this user deleted more than 30 days ago goes for good, a few items at each call.
        """
        async with self._logger.task("Item_Delete") as task:
            now = self._clock()
            async with task.step("DB_Update", {"item_ids": list(item_ids)}) as step:
                deleted = await self._session.scalars(
                    update(Item)
                    .where(Item.id.in_(item_ids), self._mine, _LIVING)
                    .values(deleted_at=now, version=Item.version + 1)
                    .returning(Item.id),
                    execution_options=_FRESH,
                )
                gone = set(deleted)
                step.output = {"deleted": sorted(gone)}
            async with task.step("Purge") as step:
                step.output = {"purged": await self._purge(now - KEPT_AFTER_DELETION)}
        return [item_id for item_id in dict.fromkeys(item_ids) if item_id in gone]

    async def restore(self, item_ids: Sequence[int]) -> list[Item]:
        """Bring deleted items back; returns those that were."""
        async with (
            self._logger.task("Item_Restore") as task,
            task.step("DB_Update", {"item_ids": list(item_ids)}) as step,
        ):
            restored = await self._session.scalars(
                update(Item)
                .where(Item.id.in_(item_ids), self._mine, Item.deleted_at.is_not(None))
                .values(deleted_at=None, version=Item.version + 1)
                .returning(Item),
                execution_options=_FRESH,
            )
            items = _in_order(restored.all(), item_ids)
            step.output = {"restored": [item.id for item in items]}
        return items

    async def _purge(self, before: datetime) -> int:
        old = (
            select(Item.id)
            .where(Item.owner_id == self._user_id, Item.deleted_at < before)
            .limit(_PURGED_AT_ONCE)
        )
        purged = await self._session.scalars(
            delete(Item).where(Item.id.in_(old)).returning(Item.id),
            execution_options={"synchronize_session": False},
        )
        return len(purged.all())


_LIVING: Final = Item.deleted_at.is_(None)
_FRESH: Final = {"synchronize_session": False, "populate_existing": True}


def item_values(data: ItemIn) -> dict[str, object]:
    """The columns that follow from what the user said."""
    return {
        "title": data.title,
        "title_key": sort_key(data.title),
        "description": data.description,
        "status": data.status,
        "due_on": data.due_on,
        "search_grams": grams(f"{data.title}\n{data.description}"),
        "is_packed": False,
    }


def _in_order(items: Sequence[Item], item_ids: Sequence[int]) -> list[Item]:
    by_id = {item.id: item for item in items}
    return [by_id[item_id] for item_id in dict.fromkeys(item_ids) if item_id in by_id]
