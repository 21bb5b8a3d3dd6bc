"""Pictures of an item as JSON."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from app.dependencies import SessionDep
from app.lib.tracelog.trace import current_trace
from app.routers.picture_files import (
    FIELD,
    FileName,
    Pictures,
    Reception,
    Storage,
    file_response,
)
from app.schemas.numbers import RowId
from app.schemas.picture import (
    PictureFile,
    PictureOut,
    PicturePatch,
    PictureProblem,
    PicturesOut,
    RefusedFile,
    UploadOut,
)
from app.schemas.problem import PROBLEMS, Answers, Problem
from app.services.pictures.encoding import CONTENT_TYPES
from app.services.pictures.errors import StorageAway
from app.services.pictures.picture_service import ShownPicture


class UploadRefused(Problem):
    """No file was taken, and why."""

    refused: list[RefusedFile]


_AWAY: Final[Answers] = {
    503: {"model": Problem, "description": "The storage of the pictures does not answer."}
}
_FILES: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {
                        FIELD: {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "JPEG, PNG, WebP, GIF or AVIF, ten at most.",
                        }
                    },
                }
            }
        },
    }
}

router = APIRouter(
    prefix="/api/items/{item_id}/pictures",
    tags=["pictures"],
    responses={
        **PROBLEMS,
        404: {"model": Problem, "description": "There is no such picture, or it is another's."},
    },
)


@router.get("")
async def list_pictures(pictures: Pictures, item_id: RowId) -> PicturesOut:
    """An item's pictures, in their order."""
    return PicturesOut(pictures=[_out(shown) for shown in await pictures.of_item(item_id)])


@router.post(
    "",
    status_code=202,
    response_model=UploadOut,
    openapi_extra=_FILES,
    responses={422: {"model": UploadRefused, "description": "No file was taken."}, **_AWAY},
)
async def add_pictures(
    item_id: RowId, reception: Annotated[Reception, Depends()]
) -> UploadOut | JSONResponse:
    """Upload pictures. They are checked at once and prepared by a job; `state` says how far."""
    try:
        intake, job = await reception.receive(item_id)
    except StorageAway:
        raise HTTPException(503) from None
    refused = [
        RefusedFile(name=name, problem=PictureProblem(code=problem.code, values=problem.values))
        for name, problem in intake.refused
    ]
    if job is None:
        trace = current_trace()
        answer = UploadRefused(
            detail="No file was taken", trace_id=trace.trace_id if trace else "", refused=refused
        )
        return JSONResponse(answer.model_dump(mode="json"), 422)
    return UploadOut(job_id=job.id, taken=len(intake.taken), refused=refused)


@router.get("/{picture_id}")
async def get_picture(pictures: Pictures, item_id: RowId, picture_id: RowId) -> PictureOut:
    """One picture."""
    return _out(await pictures.get(item_id, picture_id))


@router.patch("/{picture_id}")
async def change_picture(
    pictures: Pictures, item_id: RowId, picture_id: RowId, patch: PicturePatch
) -> PictureOut:
    """Give a picture its description, or its place among the item's pictures."""
    if patch.alt is not None:
        await pictures.describe(item_id, picture_id, patch.alt)
    if patch.position is not None:
        await pictures.move(item_id, picture_id, patch.position)
    return _out(await pictures.get(item_id, picture_id))


@router.delete("/{picture_id}", status_code=204)
async def delete_picture(pictures: Pictures, item_id: RowId, picture_id: RowId) -> None:
    """Delete a picture for good."""
    await pictures.delete(item_id, picture_id)


@router.get("/{picture_id}/{file}", response_class=Response, responses=_AWAY)
async def get_file(
    request: Request,
    session: SessionDep,
    pictures: Pictures,
    storage: Storage,
    item_id: RowId,
    picture_id: RowId,
    file: FileName,
) -> Response:
    """A file that was made of a picture; `files` of the picture has their names."""
    picture = await pictures.file(item_id, picture_id, file)
    try:
        return await file_response(request, session, storage, picture, file)
    except StorageAway:
        raise HTTPException(503) from None


def _out(shown: ShownPicture) -> PictureOut:
    picture = shown.picture
    url = f"/api/items/{picture.item_id}/pictures/{picture.id}"
    problem = PictureProblem.model_validate(picture.problem) if picture.problem else None
    return PictureOut(
        id=picture.id,
        name=picture.name,
        alt=picture.alt,
        state=shown.state,
        problem=problem,
        width=picture.width,
        height=picture.height,
        files=[
            PictureFile(name=name, type=CONTENT_TYPES[name.rpartition(".")[2]], url=f"{url}/{name}")
            for name in picture.files
            if shown.state == "ready"
        ],
        created_at=picture.created_at,
    )
