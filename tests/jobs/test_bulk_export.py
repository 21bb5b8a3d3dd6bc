"""Exports as the engine runs them, on SQLite and on PostgreSQL."""

import json
import os
import time
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from anyio import to_thread
from sqlalchemy import Engine

from app.config import Settings
from app.database import Database
from app.jobs.bulk_export import export_items
from app.jobs.clean_up import delete_files
from app.jobs.engine import JobEngine
from app.jobs.running import Cancelled, RunningJob
from app.lib.logger import CSVOnlyLogger, NullLogger
from app.lib.utils import utc_now
from app.models.job import Job
from app.models.user import User
from app.schemas.item import ItemFilter, ItemIn
from app.services import item_export
from app.services.item_list import ItemList
from app.services.item_service import ItemService
from app.services.job_files import FILES_KEPT, JobFiles
from app.services.job_service import JobService
from tests.jobs.queued import has_ended, job_when, steps

SEVEN = [f"Item {number}" for number in range(7)]


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=url, files_dir=tmp_path / "files")


@pytest.fixture
async def database(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """Seven items of Hana beside one of Taro."""
    database = Database(url)
    async with database.system_session() as session:
        for name in ("hana", "taro"):
            session.add(User(email=f"{name}@example.com", name=name, role="user"))
    for user, titles in ((1, SEVEN), (2, ["another's"])):
        await add(database, user, *titles)
    yield database
    await database.close()


async def add(database: Database, user: int, *titles: str) -> None:
    logger = NullLogger()
    async with database.session(user) as session:
        for title in titles:
            await ItemService(session, logger, user).create(ItemIn(title=title))


async def queue(database: Database, kind: str, **wanted: Any) -> str:
    params = {"kind": kind, "name": f"items.{kind}", "wanted": wanted}
    async with database.session(1) as session:
        return (await JobService(session, 1).queue("Bulk_Export", "items", params)).id


async def test_a_list_of_many_pages_becomes_a_file(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_export, "PAGE", 3)
    lines = await queue(database, "jsonl", sort="title", direction="asc")
    book = await queue(database, "xlsx", q="item 5")
    logger = CSVOnlyLogger(tmp_path / "logs")
    engine = JobEngine(settings, logger)
    await to_thread.run_sync(engine.start)
    try:
        listed: Job = await job_when(database, lines, has_ended)
        found: Job = await job_when(database, book, has_ended)
    finally:
        await to_thread.run_sync(engine.stop)
        logger.close()

    files = JobFiles(settings.files_dir)
    path = files.find(listed)
    assert path is not None
    assert [json.loads(line)["title"] for line in path.read_text().splitlines()] == SEVEN
    size = path.stat().st_size
    assert listed.result == {"rows": 7, "bytes": size, "file": "items.jsonl"}
    assert found.result is not None
    assert (found.result["rows"], found.result["file"]) == (1, "items.xlsx")
    path = files.find(found)
    assert path is not None
    with zipfile.ZipFile(path) as zipped:
        assert b">Item 5<" in zipped.read("xl/worksheets/sheet1.xml")
    assert {name for name, *_ in steps(tmp_path, "Bulk_Export")} == {"DB_Count", "Write_File"}
    assert files.find(listed, utc_now() + FILES_KEPT) is None


async def test_what_changes_meanwhile_is_not_in_it(database: Database) -> None:
    query = item_export.first_page(ItemFilter())
    async with item_export.snapshot(database, 1) as session:
        before = await ItemList(session, 1).page(query)
        await add(database, 1, "too late")
        assert await ItemList(session, 1).page(query) == before
    async with database.session(1) as session:
        assert await item_export.count(session, 1, ItemFilter()) == 8
        assert await item_export.count(session, 1, ItemFilter(status="done")) == 0


def run(settings: Settings, progress: BaseException | None = None) -> Any:
    """An export without the engine, that ends as `progress` says."""

    def report(_done: int, _total: int | None) -> None:
        if progress is not None:
            raise progress

    running = SimpleNamespace(id="a-job", user_id=1, settings=settings, progress=report)
    running.step = lambda _name, work, *args: work(*args)
    running.check = lambda: None
    return export_items(cast(RunningJob, running), "xlsx", "items.xlsx", {})


@pytest.mark.usefixtures("database")
async def test_a_cancelled_one_leaves_no_file(settings: Settings) -> None:
    with pytest.raises(Cancelled):
        await to_thread.run_sync(run, settings, Cancelled())
    assert list((settings.files_dir / "jobs").iterdir()) == []


def test_old_files_are_swept(tmp_path: Path) -> None:
    settings = Settings(files_dir=tmp_path)
    files = JobFiles(tmp_path)
    assert delete_files(cast(Engine, None), settings) == {"files": 0}
    for name in ("old", "new"):
        files.draft(name).write_text("x")
        files.keep(name)
    long_ago = time.time() - (FILES_KEPT + timedelta(minutes=1)).total_seconds()

    os.utime(tmp_path / "jobs" / "old", (long_ago, long_ago))
    (tmp_path / "jobs" / "killed.part.scratch").mkdir()
    os.utime(tmp_path / "jobs" / "killed.part.scratch", (long_ago, long_ago))

    assert delete_files(cast(Engine, None), settings) == {"files": 2}
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["new"]
