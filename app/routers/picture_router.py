"""Pictures of an item as a part of its page: plain forms, and parts of it for htmx."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import ValidationError

from app.dependencies import SessionDep, SettingsDep
from app.errors import ErrorPage
from app.forms import read_form
from app.routers.job_router import note_job
from app.routers.picture_files import (
    FileName,
    Pictures,
    Reception,
    Storage,
    file_response,
)
from app.routers.picture_pages import (
    GonePartial,
    PictureTile,
    SectionPartial,
    TilePartial,
    section,
    tiles,
)
from app.routers.picture_texts import away, refusals
from app.schemas.numbers import RowId
from app.schemas.picture import PicturePatch
from app.services.errors import NotFound
from app.services.pictures.errors import StorageAway
from app.services.pictures.intake import Intake
from app.services.pictures.picture_service import PictureService
from app.templating import Toast, is_partial, language_of, redirect, render

router = APIRouter(prefix="/items/{item_id}/pictures", include_in_schema=False)


@router.post("")
async def upload_pictures(
    request: Request,
    settings: SettingsDep,
    reception: Annotated[Reception, Depends()],
    item_id: RowId,
) -> Response:
    """Take files; a job prepares those that are pictures."""
    try:
        intake, job = await reception.receive(item_id)
    except StorageAway:
        return redirect(request, f"/items/{item_id}", Toast(away(language_of(request)), "error"))
    response = redirect(request, f"/items/{item_id}", _upload_toast(request, intake))
    return note_job(response, settings) if job else response


@router.get("/{picture_id}")
async def show_picture(
    request: Request, pictures: Pictures, item_id: RowId, picture_id: RowId
) -> Response:
    """One picture for htmx, which asks until it is ready or gone; browsers get the item's page."""
    try:
        tile = await _tile(request, pictures, item_id, picture_id)
    except NotFound:
        if is_partial(request):
            return render(request, GonePartial())
        raise
    if is_partial(request):
        return render(request, TilePartial(tile))
    return redirect(request, f"/items/{item_id}")


@router.post("/{picture_id}/alt")
async def describe_picture(
    request: Request, pictures: Pictures, item_id: RowId, picture_id: RowId
) -> Response:
    """Keep what the user says is to be seen."""
    _ = language_of(request).gettext
    sent = await read_form(request)
    try:
        alt = PicturePatch.model_validate({"alt": sent.get("alt", "")}).alt or ""
    except ValidationError:
        text = _("The description is too long, or has characters that cannot be stored.")
        toast = Toast(text, "error")
    else:
        await pictures.describe(item_id, picture_id, alt)
        toast = Toast(_("The description is saved."))
    tile = await _tile(request, pictures, item_id, picture_id)
    if is_partial(request):
        return render(request, TilePartial(tile), toast=toast)
    return redirect(request, f"/items/{item_id}", toast)


@router.post("/{picture_id}/move")
async def move_picture(
    request: Request, pictures: Pictures, item_id: RowId, picture_id: RowId
) -> Response:
    """Exchange a picture with the one before or behind it."""
    to = (await read_form(request)).get("to", "")
    shown = await pictures.of_item(item_id)
    place = next((n for n, one in enumerate(shown, 1) if one.picture.id == picture_id), None)
    if place is None:
        raise NotFound
    step = {"earlier": -1, "later": 1}.get(to, 0)
    await pictures.move(item_id, picture_id, place + step)
    return await _changed(request, pictures, item_id, None)


@router.post("/{picture_id}/delete")
async def delete_picture(
    request: Request, pictures: Pictures, item_id: RowId, picture_id: RowId
) -> Response:
    """Delete a picture for good."""
    await pictures.delete(item_id, picture_id)
    text = language_of(request).gettext("The picture is deleted.")
    return await _changed(request, pictures, item_id, Toast(text))


@router.get("/{picture_id}/{file}")
async def show_file(
    request: Request,
    session: SessionDep,
    pictures: Pictures,
    storage: Storage,
    item_id: RowId,
    picture_id: RowId,
    file: FileName,
) -> Response:
    """A file that was made of a picture."""
    picture = await pictures.file(item_id, picture_id, file)
    try:
        return await file_response(request, session, storage, picture, file)
    except StorageAway:
        _ = language_of(request).gettext
        page = ErrorPage(503, _("The pictures are out of reach."), _("Please try again later."))
        return render(request, page, 503)


async def _tile(
    request: Request, pictures: PictureService, item_id: int, picture_id: int
) -> PictureTile:
    shown = tiles(request, await pictures.of_item(item_id))
    tile = next((tile for tile in shown if tile.picture.id == picture_id), None)
    if tile is None:
        raise NotFound
    return tile


async def _changed(
    request: Request, pictures: PictureService, item_id: int, toast: Toast | None
) -> Response:
    """The pictures as they are now."""
    if is_partial(request):
        part = SectionPartial(await section(request, pictures, item_id))
        return render(request, part, toast=toast)
    return redirect(request, f"/items/{item_id}", toast)


def _upload_toast(request: Request, intake: Intake) -> Toast:
    language = language_of(request)
    count = len(intake.taken)
    if not count and not intake.refused:
        return Toast(language.gettext("Choose the pictures first."), "error")
    text = language.ngettext(
        "%(count)s picture is being prepared.", "%(count)s pictures are being prepared.", count
    ) % {"count": count}
    if not intake.refused:
        return Toast(text)
    problems = refusals(language, intake.refused)
    return Toast(f"{text}{language.gap}{problems}" if count else problems, "error")
