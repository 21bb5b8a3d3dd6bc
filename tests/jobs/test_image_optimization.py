"""Image_Optimization: over a kill, over what is deleted meanwhile, and over files that are none."""

import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.jobs.image_optimization import Optimization
from app.jobs.running import JobError, RunningJob
from app.lib.logger import NullLogger
from app.lib.utils import utc_now
from app.mail import NoMailer
from app.models.item import Item
from app.models.job import Job
from app.models.picture import Picture, new_key
from app.models.user import User
from app.services.job_service import JobService
from app.services.pictures.errors import StorageAway
from app.services.pictures.storage import PictureFolder
from tests.jobs.queued import has_ended, job_when
from tests.jobs.test_engine import StartWorker, start_worker
from tests.support.pictures import photo, png
from tests.support.processes import wait_until

__all__ = ["start_worker"]

GOOD, BROKEN = photo(), photo()[:400]


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(getattr(request, "param", "sqlite_database"))
    return found


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    async with database.system_session() as session:
        session.add(User(email="hana@example.com", name="Hana", role="user"))
    yield database
    await database.close()


@pytest.fixture
def storage(tmp_path: Path) -> PictureFolder:
    return PictureFolder(tmp_path / "pictures")


async def queue(database: Database, storage: PictureFolder, *contents: bytes | None) -> str:
    """A job for uploads of these contents; None is one that is lost."""
    now = utc_now()
    async with database.system_session() as session:
        session.add(item := _item())
        await session.flush()
        job = await JobService(session, 1).queue("Image_Optimization", "a", {"item_id": item.id})
        for position, content in enumerate(contents, 1):
            key = new_key(now)
            if content is not None:
                storage.write(key, "original", io.BytesIO(content), "")
            values = {"name": "a", "alt": "", "width": 80, "height": 40, "files": []}
            session.add(
                Picture(
                    item_id=item.id,
                    key=key,
                    position=position,
                    status="waiting",
                    job_id=job.id,
                    created_at=now,
                    **values,
                )
            )
    return job.id


def _item() -> Item:
    now = utc_now()
    times = {"created_at": now, "updated_at": now}
    texts = {"title": "a", "title_key": "a", "description": "", "search_grams": ""}
    return Item(owner_id=1, status="todo", version=1, **times, **texts)


def pictures(engine: Engine) -> list[Picture]:
    with Session(engine) as session:
        return list(session.scalars(select(Picture).order_by(Picture.position)))


def work(engine: Engine, storage: PictureFolder, job_id: str) -> Optimization:
    """A new attempt at the job, without the engine."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        row = session.scalars(
            update(Job)
            .where(Job.id == job_id)
            .values(status="running", attempt=Job.attempt + 1)
            .returning(Job)
        ).one()
    task = NullLogger().task("Image_Optimization")
    running = RunningJob(row, task, engine, Settings(), lambda: False, NoMailer())
    return Optimization(running, storage)


@pytest.mark.parametrize("url", ["sqlite_database", "postgres_database"], indirect=True)
async def test_good_pictures_are_shown_and_bad_ones_say_why(
    database: Database, engine: Engine, storage: PictureFolder
) -> None:
    job_id = await queue(database, storage, GOOD, BROKEN, None)
    job = work(engine, storage, job_id)

    assert len(job.read(1)["picture_ids"]) == 3
    made = job.optimize()
    assert [picture.status for picture in pictures(engine)] == ["waiting", "failed", "failed"]
    assert job.store() == {"ready": 1, "failed": 2}

    good, broken, lost = pictures(engine)
    assert (good.status, good.width, good.height) == ("ready", 40, 80)
    assert (broken.problem or {})["code"] == "broken"
    assert (lost.problem or {})["code"] == "lost"
    assert list(storage.keys()) == [good.key], "what failed leaves no file behind"
    with pytest.raises(FileNotFoundError):
        storage.read(good.key, "original")
    for name in good.files:
        assert len(storage.read(good.key, name)) == made[0][name]


async def test_a_second_attempt_does_what_the_first_has_not(
    database: Database, engine: Engine, storage: PictureFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The end, in the middle."""

    job_id = await queue(database, storage, GOOD, GOOD)
    first = work(engine, storage, job_id)
    notes = first._note

    def note_once(picture: Picture, **values: object) -> bool:
        if picture.position == 2:
            raise Killed
        return notes(picture, **values)

    monkeypatch.setattr(first, "_note", note_once)
    with pytest.raises(Killed):
        first.optimize()
    second = work(engine, storage, job_id)

    assert [made["picture_id"] for made in second.optimize()] == [2]
    for _ in range(2):  # a kill between its commit and its end
        assert second.store() == {"ready": 2, "failed": 0}


async def test_a_picture_that_is_deleted_meanwhile_leaves_nothing(
    database: Database, engine: Engine, storage: PictureFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = work(engine, storage, await queue(database, storage, GOOD))
    encode = job._encode

    def delete_then_encode(picture: Picture) -> object:
        with Session(engine) as session, session.begin():
            session.delete(session.get_one(Picture, picture.id))
        return encode(picture)

    monkeypatch.setattr(job, "_encode", delete_then_encode)
    job.optimize()

    assert job.store() == {"ready": 0, "failed": 0}
    assert list(storage.keys()) == []


async def test_a_storage_that_is_away_is_a_reason_to_try_again(
    database: Database, engine: Engine, storage: PictureFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = work(engine, storage, await queue(database, storage, GOOD))
    with monkeypatch.context() as patch:
        patch.setattr(storage, "read", _away)
        with pytest.raises(JobError, match="picture_storage_away"):
            job.optimize()
    job.optimize()
    assert job.store() == {"ready": 1, "failed": 0}


def _away(*_: object) -> bytes:
    raise StorageAway


async def test_after_a_kill_it_goes_on_and_without_any_picture_it_has_failed(
    database: Database,
    engine: Engine,
    storage: PictureFolder,
    start_worker: StartWorker,
) -> None:
    job_id = await queue(database, storage, GOOD, png(), BROKEN)
    # The second upload is a pipe that nobody writes to: there the worker is held.
    pipe = storage._place(pictures(engine)[1].key) / "original"
    content = pipe.read_bytes()
    pipe.unlink()
    os.mkfifo(pipe)
    worker = start_worker()
    wait_until(lambda: bool(pictures(engine)[0].files), what="the first picture")
    worker.kill()
    assert [picture.status for picture in pictures(engine)] == ["waiting"] * 3
    pipe.unlink()
    pipe.write_bytes(content)
    start_worker()

    done = await job_when(database, job_id, has_ended)

    assert (done.status, done.attempt, done.result) == ("done", 2, {"ready": 2, "failed": 1})
    assert [step["name"] for step in done.steps] == ["Read", "Optimize", "Optimize", "Store"]
    first, second, broken = pictures(engine)
    assert (first.status, second.status, broken.status) == ("ready", "ready", "failed")
    assert set(storage.keys()) == {first.key, second.key}

    failed = await job_when(database, await queue(database, storage, BROKEN), has_ended)
    assert (failed.status, (failed.problem or {})["code"]) == ("failed", "pictures_refused")
