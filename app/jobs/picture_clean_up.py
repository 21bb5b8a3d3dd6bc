"""Takes away the files of pictures that are gone, and uploads that nothing came of."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from app.config import Settings
from app.jobs.schedules import scheduled
from app.lib.utils import utc_now
from app.models.job import ENDED, Job
from app.models.picture import DroppedPicture, Picture, key_time
from app.services.pictures.errors import StorageAway
from app.services.pictures.storage import picture_storage

UNFINISHED_KEPT: Final = timedelta(days=1)
_AT_ONCE: Final = 500
_MOST_FAILURES: Final = 3


@scheduled("Picture_File_Clean_Up", "*/10 * * * *")
def remove_dropped_files(database: Engine, settings: Settings) -> dict[str, int]:
    """Remove the files of pictures whose rows were deleted, by whatever."""
    storage = picture_storage(settings)
    with Session(database) as session:
        # In any order, so that one that cannot be removed does not stand before the others.
        some = select(DroppedPicture.key).order_by(func.random()).limit(_AT_ONCE)
        keys = session.scalars(some).all()
    removed = failed = 0
    for key in keys:
        try:
            storage.remove(key)
        except StorageAway:
            failed += 1
            if failed == _MOST_FAILURES:
                break
            continue
        with Session(database) as session, session.begin():
            session.execute(delete(DroppedPicture).where(DroppedPicture.key == key))
        removed += 1
    return {"pictures": removed, "failed": failed}


@scheduled("Picture_Clean_Up", "57 3 * * *")
def remove_leftovers(database: Engine, settings: Settings) -> dict[str, int]:
    """Remove pictures whose job ended a day ago without them, and files that no row knows."""
    before = utc_now() - UNFINISHED_KEPT
    going_on = select(Job.id).where(Job.status.not_in(ENDED))
    with Session(database) as session, session.begin():
        unfinished = session.scalars(
            delete(Picture)
            .where(
                Picture.status == "waiting",
                Picture.created_at < before,
                Picture.job_id.not_in(going_on),
            )
            .returning(Picture.id)
        ).all()
    storage = picture_storage(settings)
    orphans = list(_orphans(database, storage.keys(), before))
    for key in orphans:
        storage.remove(key)
    return {"unfinished": len(unfinished), "orphans": len(orphans)}


def _orphans(database: Engine, keys: Iterator[str], before: datetime) -> Iterator[str]:
    """Of the keys that have files, those that no row has. A new one's row may be on its way."""
    old = (key for key in keys if key_time(key) < before.timestamp())
    while some := list(islice(old, _AT_ONCE)):
        with Session(database) as session:
            known = set(session.scalars(select(Picture.key).where(Picture.key.in_(some))))
            known |= set(
                session.scalars(select(DroppedPicture.key).where(DroppedPicture.key.in_(some)))
            )
        yield from (key for key in some if key not in known)
