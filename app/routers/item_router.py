"""Items as pages: each route answers browsers with a page or a redirect, and htmx with a part."""

from collections.abc import Mapping

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from pydantic import ValidationError

from app.dependencies import Items, SettingsDep
from app.forms import Form, problems, read_all, read_form
from app.models.item import Item
from app.routers import item_pages as pages
from app.routers.item_pages import (
    Listing,
    current_query,
    form_of,
    list_url,
    read_query,
    sent_form,
    values_of,
)
from app.routers.picture_files import Pictures
from app.routers.picture_pages import section
from app.routers.refinement_pages import Refinements, panel
from app.schemas.item import ItemIds, ItemIn, ItemPut, ItemQuery, ItemStatusChange
from app.schemas.numbers import RowId
from app.security import local_path, return_path
from app.services.errors import NotFound
from app.services.item_service import ItemChanged, ItemDeleted, ItemService
from app.templating import Toast, Undo, is_partial, language_of, redirect, render

router = APIRouter(prefix="/items", include_in_schema=False)


@router.get("")
async def list_items(request: Request, items: Items) -> Response:
    """One page of the list; searching, filtering, sorting and paging all come here."""
    query = read_query(request.query_params)
    listing = await _listing(items, query)
    if is_partial(request):
        headers = _history(request, query)
        return render(request, pages.ListPartial(listing), headers=headers)
    return render(request, pages.ListPage(listing))


@router.get("/new")
async def new_item(request: Request, items: Items) -> Response:
    """An empty form."""
    form = Form({"title": "", "description": "", "status": "todo", "due_on": ""})
    return _new_form(request, form)


@router.post("")
async def create_item(request: Request, items: Items) -> Response:
    """Make an item, or show what is wrong with the form."""
    _ = language_of(request).gettext
    sent = await read_form(request)
    try:
        item = await items.create(ItemIn.model_validate(sent, extra="ignore"))
    except ValidationError as error:
        return _new_form(request, sent_form(sent, problems(request, error)), 422)
    toast = Toast(_("“%(title)s” is added.") % {"title": item.title})
    if is_partial(request):
        listing = await _listing(items, current_query(request))
        return render(request, pages.CreatedPartial(listing), toast=toast)
    return redirect(request, "/items", toast)


@router.post("/delete")
async def delete_items(request: Request, items: Items) -> Response:
    """Delete one item or several; the toast brings them back."""
    language = language_of(request)
    try:
        chosen = ItemIds.model_validate({"ids": await read_all(request, "id")})
    except ValidationError as error:
        return await _nothing_chosen(request, items, error)
    deleted = await items.delete(chosen.ids)
    if not deleted:
        text = language.gettext("That is deleted already.")
        return await _changed(request, items, Toast(text, "info"))
    text = language.ngettext("%(count)s item deleted.", "%(count)s items deleted.", len(deleted))
    undo = Undo("/items/restore", "items", tuple(deleted))
    toast = Toast(text % {"count": len(deleted)}, "info", undo)
    return await _changed(request, items, toast)


@router.post("/restore")
async def restore_items(request: Request, items: Items) -> Response:
    """Take a deletion back."""
    language = language_of(request)
    try:
        chosen = ItemIds.model_validate({"ids": await read_all(request, "id")})
    except ValidationError as error:
        return await _nothing_chosen(request, items, error)
    restored = await items.restore(chosen.ids)
    if not restored:
        text = language.gettext("That is back already, or gone for good.")
        return await _changed(request, items, Toast(text, "info"))
    text = language.ngettext("%(count)s item is back.", "%(count)s items are back.", len(restored))
    return await _changed(request, items, Toast(text % {"count": len(restored)}))


@router.post("/status")
async def set_status_of_items(request: Request, items: Items) -> Response:
    """Give several items a status."""
    language = language_of(request)
    sent = await read_form(request)
    try:
        change = ItemStatusChange.model_validate(
            {"ids": await read_all(request, "id"), "status": sent.get("status")}
        )
    except ValidationError as error:
        return await _nothing_chosen(request, items, error)
    changed = await items.set_status(change.ids, change.status)
    if not changed:
        text = language.gettext("That is not there any more.")
        return await _changed(request, items, Toast(text, "info"))
    text = language.ngettext("%(count)s item changed.", "%(count)s items changed.", len(changed))
    return await _changed(request, items, Toast(text % {"count": len(changed)}))


@router.get("/{item_id}")
async def show_item(
    request: Request,
    settings: SettingsDep,
    items: Items,
    pictures: Pictures,
    refinements: Refinements,
    item_id: RowId,
) -> Response:
    """All there is to say about an item; its row for htmx."""
    item = await items.get(item_id)
    if is_partial(request):
        return render(request, pages.RowPartial(item))
    shown = await section(request, pictures, item_id)
    refinement = await panel(request, refinements, item, is_there=settings.uses_ai)
    return render(request, pages.DetailPage(item, shown, refinement))


@router.get("/{item_id}/edit")
async def edit_item(request: Request, items: Items, item_id: RowId) -> Response:
    """The form that changes an item: in its row for htmx, else a page."""
    form = form_of(await items.get(item_id))
    return _edit_form(request, item_id, form, return_path(request, "/items"))


@router.post("/{item_id}")
async def update_item(request: Request, items: Items, item_id: RowId) -> Response:
    """Save an item, or show what is wrong with the form, or the version that came in between."""
    _ = language_of(request).gettext
    sent = await read_form(request)
    back = local_path(sent.get("back", ""), "/items")
    try:
        data = ItemPut.model_validate(sent, extra="ignore")
    except ValidationError as error:
        form = sent_form(sent, problems(request, error))
        return _edit_form(request, item_id, form, back, 422)
    if taken := sent.get("take"):
        # In a conflict: one field as it is saved now, the others stay as the reader has them.
        current = await items.get_even_deleted(item_id)
        mine = values_of(data)
        if taken in pages.FIELDS:
            mine[taken] = values_of(current)[taken]
        return _conflict(request, current, mine, back)
    # In a conflict with a deletion: what is saved brings the item back.
    was_back = bool(sent.get("restore") and await items.restore([item_id]))
    try:
        item = await items.update(item_id, data, data.version + was_back)
    except (ItemChanged, ItemDeleted) as conflict:
        return _conflict(request, conflict.current, values_of(data), back)
    toast = Toast(_("“%(title)s” is saved.") % {"title": item.title})
    if is_partial(request):
        return render(request, pages.RowPartial(item), toast=toast)
    return redirect(request, back, toast)


@router.post("/{item_id}/status")
async def set_status_of_item(request: Request, items: Items, item_id: RowId) -> Response:
    """Give one item a status."""
    sent = await read_form(request)
    try:
        change = ItemStatusChange.model_validate({"ids": [item_id], "status": sent.get("status")})
    except ValidationError:
        raise HTTPException(422) from None
    changed = await items.set_status(change.ids, change.status)
    if not changed:
        raise NotFound
    if is_partial(request):
        return render(request, pages.RowPartial(changed[0]))
    return redirect(request, return_path(request, "/items"))


async def _listing(items: ItemService, query: ItemQuery) -> Listing:
    page = await items.page(query)
    if not page.items and (query.after or query.before):
        # The page's last item has just been deleted, or was by somebody else: start over.
        query = query.model_copy(update={"after": None, "before": None})
        page = await items.page(query)
    return Listing(query, page)


def _history(request: Request, query: ItemQuery) -> dict[str, str]:
    """The URL goes into the browser's history; typing on in a search stays one step of it."""
    url = list_url(query, after=query.after, before=query.before)
    before = current_query(request)
    typing = bool(before.q and query.q and before.q != query.q)
    return {"HX-Replace-Url" if typing else "HX-Push-Url": url}


def _new_form(request: Request, form: Form, status: int = 200) -> Response:
    if is_partial(request):
        return render(request, pages.NewPartial(form), status)
    return render(request, pages.NewPage(form), status)


def _edit_form(
    request: Request, item_id: int, form: Form, back: str, status: int = 200
) -> Response:
    if is_partial(request):
        return render(request, pages.EditPartial(item_id, form), status)
    return render(request, pages.EditPage(item_id, form, back), status)


def _conflict(request: Request, current: Item, mine: Mapping[str, str], back: str) -> Response:
    saved = values_of(current)
    form = Form({**mine, "version": str(current.version)})
    differing = tuple(name for name in pages.FIELDS if mine[name] != saved[name])
    if is_partial(request):
        return render(request, pages.ConflictPartial(current, form, differing), 409)
    if current.deleted_at and not back.startswith("/items?"):
        back = "/items"  # its own page is gone
    return render(request, pages.ConflictPage(current, form, differing, back), 409)


async def _changed(request: Request, items: ItemService, toast: Toast) -> Response:
    """The list as it is after a change, and what the change was."""
    if is_partial(request):
        listing = await _listing(items, current_query(request))
        return render(request, pages.ListPartial(listing), toast=toast)
    back = return_path(request, "/items")
    # The page of an item that is gone is no place to go back to.
    return redirect(request, back if back.startswith("/items?") else "/items", toast)


async def _nothing_chosen(request: Request, items: ItemService, error: ValidationError) -> Response:
    _ = language_of(request).gettext
    text = _("Select the items first.")
    for problem in error.errors(include_url=False, include_input=False):
        if problem["type"] == "too_long":
            most = problem["ctx"]["max_length"]
            text = _("Select at most %(count)s items, please.") % {"count": most}
    return await _changed(request, items, Toast(text, "error"))
