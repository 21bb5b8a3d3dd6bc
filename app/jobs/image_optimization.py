"""Image_Optimization: makes what is shown of uploaded pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from sqlalchemy import Select, select, update

from app.jobs.kinds import job
from app.jobs.running import JobError, RunningJob
from app.models.picture import Picture, PictureStatus
from app.services.pictures.child import Encoded, encode_apart
from app.services.pictures.encoding import CONTENT_TYPES
from app.services.pictures.errors import PictureRefused, StorageAway
from app.services.pictures.picture_service import JOB
from app.services.pictures.storage import ORIGINAL, PictureStorage, picture_storage


@job(JOB, at_once=1, per_user=1)
def optimize_pictures(running: RunningJob, item_id: int) -> dict[str, int]:
    """Read → Optimize → Store, for the pictures that wait for this job.

    What is made of a picture is noted with it, and shown once all of them are made.
    """
    work = Optimization(running, picture_storage(running.settings))
    running.step("Read", work.read, item_id)
    running.step("Optimize", work.optimize)
    counts = running.step("Store", work.store)
    if counts["failed"] and not counts["ready"]:
        raise JobError("pictures_refused")
    return counts


class Optimization:
    """The steps. Each finds out from the rows what an earlier attempt has done."""

    def __init__(self, running: RunningJob, storage: PictureStorage) -> None:
        self._running = running
        self._storage = storage

    def read(self, item_id: int) -> dict[str, Any]:
        """Which pictures there are to prepare."""
        waiting = self._pictures("waiting")
        return {"item_id": item_id, "picture_ids": [picture.id for picture in waiting]}

    def optimize(self) -> list[dict[str, Any]]:
        """Encode each picture and write its files."""
        pictures = self._pictures("waiting")
        made = []
        for number, picture in enumerate(pictures, 1):
            if not picture.files:
                made.append({"picture_id": picture.id} | self._make(picture))
            self._running.progress(number, len(pictures))
        return made

    def store(self) -> dict[str, int]:
        """Show what was made, and give up what was uploaded."""
        with self._running.transaction() as session:
            for picture in session.scalars(self._mine("waiting")):
                picture.status = "ready"
        ready = self._pictures("ready")
        with _storage_away():
            for picture in ready:
                self._storage.remove(picture.key, ORIGINAL)
        return {"ready": len(ready), "failed": len(self._pictures("failed"))}

    def _make(self, picture: Picture) -> dict[str, Any]:
        with _storage_away():
            try:
                encoded = self._encode(picture)
            except PictureRefused as refused:
                problem = {"code": refused.code, "values": refused.values}
                self._note(picture, status="failed", problem=problem)
                self._storage.remove(picture.key)
                return {"refused": refused.code}
            for name, content in encoded.files.items():
                kind = CONTENT_TYPES[name.rpartition(".")[2]]
                self._storage.write(picture.key, name, BytesIO(content), kind)
            size = {"width": encoded.width, "height": encoded.height}
            if not self._note(picture, files=list(encoded.files), **size):
                self._storage.remove(picture.key)  # it was deleted in the meantime
        return size | {name: len(content) for name, content in encoded.files.items()}

    def _encode(self, picture: Picture) -> Encoded:
        try:
            data = self._storage.read(picture.key, ORIGINAL)
        except FileNotFoundError:
            raise PictureRefused("lost") from None
        return encode_apart(data, self._running.settings.picture_max_pixels, self._running.check)

    def _note(self, picture: Picture, **values: Any) -> bool:
        """Write something to a picture's row, if it is still there."""
        with self._running.transaction() as session:
            mine = update(Picture).where(Picture.id == picture.id, Picture.status == "waiting")
            noted = session.execute(mine.values(**values).returning(Picture.id))
            return noted.scalar_one_or_none() is not None

    def _pictures(self, status: PictureStatus) -> list[Picture]:
        with self._running.transaction() as session:
            return list(session.scalars(self._mine(status)))

    def _mine(self, status: PictureStatus) -> Select[Picture]:
        mine = (Picture.job_id == self._running.id, Picture.status == status)
        return select(Picture).where(*mine).order_by(Picture.id)


@contextmanager
def _storage_away() -> Iterator[None]:
    """Tell the user that the storage does not answer; the job can be run again."""
    try:
        yield
    except StorageAway as error:
        raise JobError("picture_storage_away") from error
