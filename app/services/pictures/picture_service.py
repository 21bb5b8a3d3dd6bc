"""What a user can do with the pictures of their items."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.logger import TraceLogger
from app.models.item import Item
from app.models.job import ENDED, Job
from app.models.picture import Picture
from app.schemas.picture import PictureState
from app.services.errors import NotFound
from app.services.job_service import JobService
from app.services.pictures.intake import MOST_AT_ONCE, TakenFile

MOST_PER_ITEM: Final = 30
JOB: Final = "Image_Optimization"


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture, and how far it is."""

    picture: Picture
    state: PictureState


class PictureService:
    """Pictures of one user's items: what is another's does not exist here. Never commits.

    All calls raise `NotFound` where the item or the picture is not there, or is deleted.
    """

    def __init__(self, session: AsyncSession, logger: TraceLogger, user_id: int) -> None:
        self._session = session
        self._logger = logger
        self._user_id = user_id

    async def of_item(self, item_id: int) -> list[ShownPicture]:
        """An item's pictures, in their order."""
        await self._title(item_id)
        found = await self._session.execute(
            select(Picture, Job.status)
            .outerjoin(Job, Job.id == Picture.job_id)
            .where(Picture.item_id == item_id)
            .order_by(Picture.position, Picture.id),
            execution_options={"populate_existing": True},
        )
        return [ShownPicture(picture, _state(picture, job)) for picture, job in found]

    async def get(self, item_id: int, picture_id: int) -> ShownPicture:
        """One picture."""
        for shown in await self.of_item(item_id):
            if shown.picture.id == picture_id:
                return shown
        raise NotFound

    async def room(self, item_id: int) -> int:
        """How many pictures can be added to an item now."""
        await self._title(item_id)
        there = await self._session.scalar(
            select(func.count()).select_from(Picture).where(Picture.item_id == item_id)
        )
        return min(MOST_PER_ITEM - (there or 0), MOST_AT_ONCE)

    async def add(self, item_id: int, files: Sequence[TakenFile]) -> Job:
        """Add files that were taken behind the pictures that are there; a job prepares them."""
        title = await self._title(item_id)
        async with (
            self._logger.task("Picture_Upload") as task,
            task.step("DB_Insert", {"item_id": item_id, "pictures": len(files)}) as step,
        ):
            last = await self._session.scalar(
                select(func.max(Picture.position)).where(Picture.item_id == item_id)
            )
            jobs = JobService(self._session, self._user_id)
            job = await jobs.queue(JOB, title, {"item_id": item_id})
            pictures = [
                Picture(
                    item_id=item_id,
                    key=file.key,
                    name=file.name,
                    alt="",
                    position=position,
                    status="waiting",
                    files=[],
                    width=file.width,
                    height=file.height,
                    job_id=job.id,
                    created_at=file.at,
                )
                for position, file in enumerate(files, (last or 0) + 1)
            ]
            self._session.add_all(pictures)
            await self._session.flush()
            step.output = {"picture_ids": [picture.id for picture in pictures]}
        return job

    async def describe(self, item_id: int, picture_id: int, alt: str) -> Picture:
        """Say in words what is to be seen."""
        picture = (await self.get(item_id, picture_id)).picture
        async with (
            self._logger.task("Picture_Describe") as task,
            task.step("DB_Update", {"picture_id": picture_id, "alt": alt}),
        ):
            picture.alt = alt
            await self._session.flush()
        return picture

    async def move(self, item_id: int, picture_id: int, position: int) -> None:
        """Give a picture its place, from 1; beyond the end is the end."""
        pictures = [shown.picture for shown in await self.of_item(item_id)]
        moved = next((picture for picture in pictures if picture.id == picture_id), None)
        if moved is None:
            raise NotFound
        pictures.remove(moved)
        pictures.insert(max(position, 1) - 1, moved)
        async with (
            self._logger.task("Picture_Move") as task,
            task.step("DB_Update", {"picture_id": picture_id, "position": position}) as step,
        ):
            for number, picture in enumerate(pictures, 1):
                picture.position = number
            await self._session.flush()
            step.output = {"order": [picture.id for picture in pictures]}

    async def delete(self, item_id: int, picture_id: int) -> None:
        """Delete a picture for good; the clock takes its files away within ten minutes."""
        picture = (await self.get(item_id, picture_id)).picture
        async with (
            self._logger.task("Picture_Delete") as task,
            task.step("DB_Delete", {"picture_id": picture_id, "key": picture.key}),
        ):
            await self._session.execute(delete(Picture).where(Picture.id == picture.id))

    async def file(self, item_id: int, picture_id: int, name: str) -> Picture:
        """The picture that has a file of this name."""
        picture = await self._session.scalar(
            select(Picture)
            .join(Item)
            .where(Picture.id == picture_id, Picture.item_id == item_id, *self._mine())
        )
        if picture is None or picture.status != "ready" or name not in picture.files:
            raise NotFound
        return picture

    async def _title(self, item_id: int) -> str:
        title = await self._session.scalar(
            select(Item.title).where(Item.id == item_id, *self._mine())
        )
        if title is None:
            raise NotFound
        return title

    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return Item.owner_id + 0 == self._user_id, Item.deleted_at.is_(None)


def _state(picture: Picture, job: str | None) -> PictureState:
    if picture.status == "waiting" and (job is None or job in ENDED):
        return "stopped"
    return picture.status
