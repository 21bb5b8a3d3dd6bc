"""Takes files that somebody sends as pictures into the storage, without the database.

So that no connection to it is held while files come in and go out over slow lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Final

from starlette.concurrency import run_in_threadpool

from app.config import Settings
from app.lib.logger import TraceLogger
from app.lib.tracelog.steps import Task
from app.lib.utils import utc_now
from app.models.picture import new_key
from app.services.pictures.errors import PictureRefused
from app.services.pictures.inspection import clean_name, size_of
from app.services.pictures.storage import ORIGINAL, PictureStorage, in_thread

MOST_AT_ONCE: Final = 10


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent, under the name that its sender gives it."""

    name: str
    size: int
    file: IO[bytes]


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A file in the storage that may become a picture."""

    key: str
    name: str
    width: int
    height: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of files: those that were taken, and those that were not, by name."""

    taken: list[TakenFile] = field(default_factory=list)
    refused: list[tuple[str, PictureRefused]] = field(default_factory=list)


async def take_files(
    uploads: Sequence[Upload],
    room: int,
    *,
    logger: TraceLogger,
    storage: PictureStorage,
    settings: Settings,
) -> Intake:
    """Check files by what is in them and store what can be a picture, at most `room` of them.

    Raises `StorageAway`. What is stored and never becomes a picture is swept up by the clock.
    """
    intake = Intake()
    async with logger.task("Picture_Upload") as task:
        for upload in uploads:
            name = clean_name(upload.name)
            try:
                _require_room(room - len(intake.taken))
                width, height = await _validated(task, name, upload, settings)
            except PictureRefused as problem:
                intake.refused.append((name, problem))
                continue
            now = utc_now()
            key = new_key(now)
            async with task.step("Store", {"key": key}):
                kind = "application/octet-stream"
                await in_thread(storage.write, key, ORIGINAL, upload.file, kind)
            intake.taken.append(TakenFile(key, name, width, height, now))
    return intake


def _require_room(room: int) -> None:
    if room <= 0:
        raise PictureRefused("too_many", limit=MOST_AT_ONCE)


async def _validated(task: Task, name: str, upload: Upload, settings: Settings) -> tuple[int, int]:
    async with task.step("Validation", {"name": name, "bytes": upload.size}) as step:
        width, height = await run_in_threadpool(
            size_of,
            upload.file,
            size=upload.size,
            max_bytes=settings.picture_max_bytes,
            max_pixels=settings.picture_max_pixels,
        )
        step.output = {"width": width, "height": height}
    return width, height
