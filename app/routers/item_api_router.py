"""Items as JSON: the same service as the pages, for programs that have a session cookie."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from app.dependencies import Items
from app.lib.tracelog.trace import current_trace
from app.models.item import Item
from app.schemas.item import (
    ItemIds,
    ItemIn,
    ItemOut,
    ItemPage,
    ItemPatch,
    ItemPut,
    ItemQuery,
    ItemStatusChange,
)
from app.schemas.numbers import RowId
from app.schemas.problem import PROBLEMS, Answers, Problem
from app.services.errors import NotFound
from app.services.item_service import ItemChanged


class ItemConflict(Problem):
    """Somebody changed the item in the meantime: it is `current` now."""

    current: ItemOut


class ItemsOut(BaseModel):
    """Items, in the order in which they were named."""

    items: list[ItemOut]


class DeletedIds(BaseModel):
    """Ids of the items that were deleted."""

    ids: list[int]


_NOT_FOUND: Final[Answers] = {
    404: {"model": Problem, "description": "There is no such item, or it is another's."}
}
_CHANGES: Final[Answers] = _NOT_FOUND | {
    409: {"model": ItemConflict, "description": "The item is not at this version any more."}
}

router = APIRouter(prefix="/api/items", tags=["items"], responses=PROBLEMS)


@router.get("")
async def list_items(items: Items, query: Annotated[ItemQuery, Query()]) -> ItemPage:
    """One page of the items that fit, sorted."""
    return await items.page(query)


@router.post("", status_code=201)
async def create_item(items: Items, data: ItemIn, response: Response) -> ItemOut:
    """Make an item; `Location` says where it is."""
    item = await items.create(data)
    response.headers["Location"] = f"{router.prefix}/{item.id}"
    return ItemOut.model_validate(item)


@router.post("/status")
async def set_status_of_items(items: Items, change: ItemStatusChange) -> ItemsOut:
    """Give items a status. Those that have it already are in the answer too."""
    return _items_out(await items.set_status(change.ids, change.status))


@router.post("/delete")
async def delete_items(items: Items, chosen: ItemIds) -> DeletedIds:
    """Delete items; for 30 days they can be restored."""
    return DeletedIds(ids=await items.delete(chosen.ids))


@router.post("/restore")
async def restore_items(items: Items, chosen: ItemIds) -> ItemsOut:
    """Bring deleted items back."""
    return _items_out(await items.restore(chosen.ids))


@router.get("/{item_id}", responses=_NOT_FOUND)
async def get_item(items: Items, item_id: RowId) -> ItemOut:
    """One item."""
    return ItemOut.model_validate(await items.get(item_id))


@router.put("/{item_id}", response_model=ItemOut, responses=_CHANGES)
async def replace_item(items: Items, item_id: RowId, data: ItemPut) -> ItemOut | JSONResponse:
    """Replace an item's content, if it is still at `version`."""
    return await _update(items, item_id, data, data.version)


@router.patch("/{item_id}", response_model=ItemOut, responses=_CHANGES)
async def change_item(items: Items, item_id: RowId, patch: ItemPatch) -> ItemOut | JSONResponse:
    """Change what is given and leave the rest, if the item is still at `version`."""
    current = await items.get(item_id)
    if current.version != patch.version:
        # What is left as it is must be of the version that the caller knows.
        return _conflict(current)
    data = patch.applied_to(ItemIn.model_validate(current, from_attributes=True))
    return await _update(items, item_id, data, patch.version)


@router.delete("/{item_id}", status_code=204, responses=_NOT_FOUND)
async def delete_item(items: Items, item_id: RowId) -> None:
    """Delete an item; for 30 days it can be restored."""
    if not await items.delete([item_id]):
        raise NotFound


@router.post("/{item_id}/restore", responses=_NOT_FOUND)
async def restore_item(items: Items, item_id: RowId) -> ItemOut:
    """Bring a deleted item back."""
    restored = await items.restore([item_id])
    if not restored:
        raise NotFound
    return ItemOut.model_validate(restored[0])


async def _update(items: Items, item_id: int, data: ItemIn, version: int) -> ItemOut | JSONResponse:
    try:
        return ItemOut.model_validate(await items.update(item_id, data, version))
    except ItemChanged as conflict:
        return _conflict(conflict.current)


def _conflict(current: Item) -> JSONResponse:
    trace = current_trace()
    answer = ItemConflict(
        detail="Conflict",
        trace_id=trace.trace_id if trace else "",
        current=ItemOut.model_validate(current),
    )
    return JSONResponse(answer.model_dump(mode="json"), 409)


def _items_out(items: list[Item]) -> ItemsOut:
    return ItemsOut(items=[ItemOut.model_validate(item) for item in items])
