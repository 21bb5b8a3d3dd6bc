"""Files of pictures go when their rows are gone, whatever took the rows, and not before."""

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, update

from app.config import Settings
from app.database import Database
from app.jobs.item_clean_up import purge_items
from app.jobs.picture_clean_up import remove_dropped_files, remove_leftovers
from app.lib.logger import NullLogger
from app.lib.utils import utc_now
from app.models.item import Item
from app.models.job import Job
from app.models.picture import DroppedPicture, Picture, new_key
from app.models.user import User
from app.schemas.item import ItemIn
from app.services.item_service import KEPT_AFTER_DELETION, ItemService
from app.services.job_service import JobService
from app.services.pictures.errors import StorageAway
from app.services.pictures.picture_service import PictureService
from app.services.pictures.storage import PictureFolder, picture_storage

LONG_AGO = utc_now() - timedelta(days=2)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    async with database.system_session() as session:
        session.add(User(email="hana@example.com", name="Hana", role="user"))
    async with database.system_session() as session:
        await ItemService(session, NullLogger(), 1).create(ItemIn(title="Garden"))
    yield database
    await database.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(picture_dir=tmp_path)


async def add(database: Database, settings: Settings, **values: Any) -> str:
    """The key of a picture with a file."""
    created = values.get("created_at", utc_now())
    key = new_key(created)
    picture_storage(settings).write(key, "original", io.BytesIO(b"x"), "")
    texts = {"name": "", "alt": "", "files": [], "job_id": "", "created_at": created}
    row = texts | {"position": 1, "width": 1, "height": 1, "status": "ready"} | values
    async with database.system_session() as session:
        session.add(Picture(item_id=1, key=key, **row))
    return key


def keys(settings: Settings) -> set[str]:
    return set(picture_storage(settings).keys())


async def test_of_a_deleted_picture_alone(
    database: Database, engine: Engine, settings: Settings
) -> None:
    await add(database, settings)
    kept = await add(database, settings)
    assert remove_dropped_files(engine, settings)["pictures"] == 0
    async with database.session(1) as session:
        await PictureService(session, NullLogger(), 1).delete(1, 1)

    assert remove_dropped_files(engine, settings)["pictures"] == 1
    assert keys(settings) == {kept}
    assert remove_dropped_files(engine, settings)["pictures"] == 0


async def test_later_where_the_storage_is_away(
    database: Database, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        await add(database, settings)
    async with database.system_session() as session:
        await session.execute(delete(Picture))
    with monkeypatch.context() as patch:
        patch.setattr(PictureFolder, "remove", _away)
        assert remove_dropped_files(engine, settings) == {"pictures": 0, "failed": 3}
    assert remove_dropped_files(engine, settings) == {"pictures": 5, "failed": 0}
    assert keys(settings) == set()


def _away(*_: object) -> None:
    raise StorageAway


async def test_of_a_deleted_item_once_that_cannot_be_undone(
    database: Database, engine: Engine, settings: Settings
) -> None:
    key = await add(database, settings)
    async with database.session(1) as session:
        await ItemService(session, NullLogger(), 1).delete([1])
    assert purge_items(engine, settings) == {"items": 0, "packs": 0}
    remove_dropped_files(engine, settings)
    assert keys(settings) == {key}

    async with database.system_session() as session:
        long_ago = utc_now() - KEPT_AFTER_DELETION - timedelta(minutes=1)
        await session.execute(update(Item).values(deleted_at=long_ago))
    assert purge_items(engine, settings) == {"items": 1, "packs": 0}
    assert remove_dropped_files(engine, settings)["pictures"] == 1
    assert keys(settings) == set()


async def test_of_a_deleted_account(database: Database, engine: Engine, settings: Settings) -> None:
    await add(database, settings)
    async with database.system_session() as session:
        await session.execute(delete(User))

    assert remove_dropped_files(engine, settings)["pictures"] == 1
    assert keys(settings) == set()


async def test_not_when_the_deletion_was_rolled_back(
    database: Database, engine: Engine, settings: Settings
) -> None:
    key = await add(database, settings)
    async with database.system_session() as session:
        await session.execute(delete(User))
        await session.rollback()

    assert remove_dropped_files(engine, settings)["pictures"] == 0
    assert keys(settings) == {key}


async def test_of_uploads_that_never_became_a_picture(
    database: Database, engine: Engine, settings: Settings
) -> None:
    storage = picture_storage(settings)
    old, new = new_key(LONG_AGO), new_key(utc_now())
    for key in (old, new):
        storage.write(key, "original", io.BytesIO(b"x"), "")
    ready = await add(database, settings, created_at=LONG_AGO)

    assert remove_leftovers(engine, settings) == {"unfinished": 0, "orphans": 1}
    assert keys(settings) == {new, ready}


async def test_of_pictures_whose_job_has_ended_without_them(
    database: Database, engine: Engine, settings: Settings
) -> None:
    async with database.system_session() as session:
        jobs = JobService(session, 1)
        ended, running = [(await jobs.queue("Image_Optimization", "", {})).id for _ in range(2)]
        await session.execute(update(Job).where(Job.id == ended).values(status="cancelled"))
    waiting = {"status": "waiting", "created_at": LONG_AGO}
    for job_id in (ended, "forgotten"):
        await add(database, settings, **waiting, job_id=job_id)
    kept = {
        await add(database, settings, **waiting, job_id=running),
        await add(database, settings, status="waiting", job_id=ended),
    }

    assert remove_leftovers(engine, settings)["unfinished"] == 2
    assert remove_dropped_files(engine, settings)["pictures"] == 2
    assert keys(settings) == kept
    async with database.system_session() as session:
        assert set(await session.scalars(select(Picture.key))) == kept
        assert (await session.scalars(select(DroppedPicture.key))).all() == []
