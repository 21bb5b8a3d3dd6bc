"""Files of pictures over HTTP: how they come in, and how they go out."""

import re
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Depends, HTTPException, Path, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect

from app.config import Settings
from app.dependencies import LoggerDep, SessionDep, SettingsDep, SignedIn
from app.models.job import Job
from app.models.picture import Picture
from app.services.errors import NotFound
from app.services.pictures.encoding import CONTENT_TYPES
from app.services.pictures.errors import StorageAway
from app.services.pictures.intake import Intake, Upload, take_files
from app.services.pictures.picture_service import PictureService
from app.services.pictures.storage import PictureStorage, in_thread, picture_storage

FIELD: Final = "files"
"""The name of the field with files."""

_MOST_FILES: Final = 50
_UPLOADS_A_REQUEST: Final = 5
_UPLOADS: Final = re.compile(r"(?:/api)?/items/\d+/pictures")
_HEADERS: Final = {
    # Opened by itself, a picture is no page: nothing runs in it. Browsers lay it out with a style
    # of their own, which `default-src` would forbid.
    "Content-Security-Policy": "sandbox; script-src 'none'; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    # The browser keeps it and asks each time, so that it is gone with the session.
    "Cache-Control": "private, no-cache",
    "Vary": "Cookie, Authorization",
}

FileName = Annotated[str, Path(pattern=r"^(large|thumb)\.[a-z]{3,4}$")]


async def picture_service(session: SessionDep, logger: LoggerDep, user: SignedIn) -> PictureService:
    """The pictures of the signed-in user's items."""
    return PictureService(session, logger, user.id)


async def storage(settings: SettingsDep) -> PictureStorage:
    """Where the files are."""
    return picture_storage(settings)


Pictures = Annotated[PictureService, Depends(picture_service)]
Storage = Annotated[PictureStorage, Depends(storage)]


def picture_uploads(settings: Settings) -> tuple[re.Pattern[str], int]:
    """The paths that take pictures, and the largest body there; the rest is for other requests."""
    return _UPLOADS, _UPLOADS_A_REQUEST * settings.picture_max_bytes + settings.max_body_bytes


class Reception:
    """Takes what somebody uploads. Reads nothing before it is known that they may.

    The database's connection is given back while files come in, however slow the line is.
    """

    def __init__(
        self,
        request: Request,
        session: SessionDep,
        logger: LoggerDep,
        settings: SettingsDep,
        storage: Storage,
        user: SignedIn,
    ) -> None:
        self._request = request
        self._session = session
        self._logger = logger
        self._settings = settings
        self._storage = storage
        self._user_id = user.id

    async def receive(self, item_id: int) -> tuple[Intake, Job | None]:
        """What was taken and what was not, and the job that prepares it.

        Raises `NotFound`, and `StorageAway`.
        """
        room = await PictureService(self._session, self._logger, self._user_id).room(item_id)
        await self._session.close()
        try:
            form = await self._request.form(max_files=_MOST_FILES, max_fields=_MOST_FILES)
        except ClientDisconnect:
            raise HTTPException(400) from None  # somebody thought better of it
        except OSError as error:
            raise StorageAway from error  # the disk that files come in on is full
        uploads = [
            Upload(sent.filename or "", sent.size or 0, sent.file)
            for sent in form.getlist(FIELD)
            # A browser sends a form without files as one file without a name.
            if isinstance(sent, UploadFile) and (sent.filename or sent.size)
        ]
        try:
            intake = await take_files(
                uploads,
                room,
                logger=self._logger,
                storage=self._storage,
                settings=self._settings,
            )
        finally:
            await form.close()
        if not intake.taken:
            return intake, None
        async with self._request.app.state.database.session(self._user_id) as session:
            service = PictureService(session, self._logger, self._user_id)
            job = await service.add(item_id, intake.taken)
        self._request.app.state.jobs.wake()
        return intake, job


async def file_response(
    request: Request,
    session: AsyncSession,
    storage: PictureStorage,
    picture: Picture,
    name: str,
) -> Response:
    """A file of a picture, or 304. Raises `NotFound` and `StorageAway`."""
    tag = f'"{picture.key}-{name}"'
    headers = {**_HEADERS, "ETag": tag}
    if tag in re.findall(r'"[^"]*"', request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    await session.close()
    try:
        content = await in_thread(storage.read, picture.key, name)
    except FileNotFoundError:
        raise NotFound from None
    headers["Content-Disposition"] = _disposition(picture, name)
    return Response(content, media_type=CONTENT_TYPES[name.rpartition(".")[2]], headers=headers)


def _disposition(picture: Picture, name: str) -> str:
    """Shown, and saved under the name that its user knows, with the ending that it has now."""
    ending = name.rpartition(".")[2]
    stem = picture.name.rpartition(".")[0] or picture.name or "picture"
    plain = re.sub(r"[^A-Za-z0-9 _-]", "_", stem)
    return (
        f"inline; filename=\"{plain}.{ending}\"; filename*=UTF-8''{quote(stem, safe='')}.{ending}"
    )
