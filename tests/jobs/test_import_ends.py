"""Imports that are cancelled or fail on their way, and what a retry makes of them."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from inspect import iscoroutinefunction
from typing import Any

import psycopg
import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import OperationalError

from app.config import Settings
from app.database import Database
from app.jobs import bulk_import, import_commit
from app.jobs.bulk_import import Import
from app.jobs.engine import JobEngine
from app.jobs.import_commit import ImportCommit
from app.models.gram_zones import GramZones
from app.models.item import Item
from app.models.item_import import ItemImport
from app.models.item_pack import ItemPack
from app.models.job import Job
from app.services.imports.folder import ImportFolder
from app.services.job_service import JobService
from tests.jobs.queued import has_ended, job_when
from tests.jobs.test_bulk_import import ON_ONE, begin, imported, lines, the_import, titles, upload
from tests.jobs.test_bulk_import import engine as engine
from tests.jobs.test_bulk_import import settings as settings
from tests.jobs.test_engine import database as database
from tests.jobs.test_engine import url as url
from tests.lib.test_table_source import workbook

Part = Import | ImportCommit

FIVE = [f"Item {number}" for number in range(5)]
CONTENT = lines(*([title] for title in FIVE))
DONE = {"rows": 5, "good": 5, "bad": 0, "inserted": 5, "skipped": 0}


@pytest.fixture(autouse=True)
def _two_rows_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_commit, "_ROWS_A_BATCH", 2)
    monkeypatch.setattr(bulk_import, "_ROWS_A_LOOK", 1)


def once(
    monkeypatch: pytest.MonkeyPatch, method: str, what: Callable[[Any], None], at: int = 1
) -> None:
    """Do something before the call of the number `at` of a method of the job."""
    part = Import if hasattr(Import, method) else ImportCommit
    original, calls = getattr(part, method), 0

    def count(self: Part) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            what(self)

    def call(self: Part, *args: Any) -> Any:
        count(self)
        return original(self, *args)

    async def call_later(self: Part, *args: Any) -> Any:
        # With PostgreSQL the batch before may have rows locked that are wanted here.
        if before := [it for it in args if isinstance(it, asyncio.Task)]:
            await asyncio.wait(before)
        await asyncio.to_thread(count, self)
        return await original(self, *args)

    monkeypatch.setattr(part, method, call_later if iscoroutinefunction(original) else call)


def cancel(work: Part) -> None:
    """As its user does, from another process."""
    with work._running.transaction() as session:
        session.execute(update(Job).where(Job.id == work._running.id).values(cancel=True))
    work._running._noted = 0.0  # so that the next look at it is not too soon


def fail_with(text: str) -> Callable[[Part], None]:
    def fail(_work: Part) -> None:
        raise OperationalError("INSERT", {}, Exception(text))

    return fail


@pytest.fixture
def usual_turns() -> Iterator[float]:
    """Those of a process in which nothing else has asked for quicker ones."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    yield sys.getswitchinterval()
    sys.setswitchinterval(before)


@ON_ONE
async def test_threads_take_short_turns_where_jobs_run(
    usual_turns: float, engine: JobEngine
) -> None:
    assert sys.getswitchinterval() < usual_turns


async def retried(database: Database, job: Job) -> Job:
    async with database.session(1) as session:
        await JobService(session, 1).retry(job.id)
    return await job_when(database, job.id, has_ended)


@pytest.mark.parametrize(
    ("method", "at", "kept", "all_or_nothing"),
    # Before there are items it is the same whether all are taken back.
    [("read", 1, 0, False), ("validate", 1, 0, True), ("_add", 2, 4, False), ("_add", 2, 4, True)],
)
async def test_cancelled_at_a_step_and_run_again_from_there(
    database: Database,
    settings: Settings,
    engine: JobEngine,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    at: int,
    kept: int,
    all_or_nothing: bool,  # pytest hands it over
) -> None:
    once(monkeypatch, method, cancel, at)

    cancelled = await imported(database, settings, CONTENT, all_or_nothing=all_or_nothing)

    assert (cancelled.status, cancelled.problem) == ("cancelled", None)
    # With PostgreSQL the last batch may have begun when the one before is committed.
    whole = {kept, 5} if kept and not settings.database_url.startswith("sqlite") else {kept}
    assert await titles(database) in ([[]] if all_or_nothing else [FIVE[:some] for some in whole])
    done = await retried(database, cancelled)
    assert (done.status, done.result) == ("done", DONE)
    assert await titles(database) == FIVE


async def test_a_workbook_without_rows_is_cancelled_while_they_are_looked_for(
    database: Database, settings: Settings, engine: JobEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await upload(database, settings, CONTENT)
    found = await the_import(database)
    found.shape["kind"] = "xlsx"
    async with database.system_session() as session:
        await session.execute(update(ItemImport).values(shape=found.shape))
    workbook(ImportFolder(settings.files_dir, found.key).upload, "<row/>" * 9000 + "<damaged")
    once(monkeypatch, "read", cancel)

    job = await job_when(database, await begin(database, import_id), has_ended)

    assert (job.status, job.problem) == ("cancelled", None)


async def test_at_the_last_step_it_is_too_late_to_cancel(
    database: Database, settings: Settings, engine: JobEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    once(monkeypatch, "summarize", cancel)

    job = await imported(database, settings, CONTENT, all_or_nothing=True)

    assert (job.status, job.result) == ("done", DONE)


@pytest.mark.parametrize("all_or_nothing", [False, True])
async def test_a_full_disk_is_told_and_the_retry_goes_on(
    database: Database,
    settings: Settings,
    engine: JobEngine,
    monkeypatch: pytest.MonkeyPatch,
    all_or_nothing: bool,
) -> None:
    once(monkeypatch, "_add", fail_with("database or disk is full"), at=2)

    failed = await imported(database, settings, CONTENT, all_or_nothing=all_or_nothing)

    assert failed.problem == {"code": "disk_full", "values": {}}
    assert await titles(database) == ([] if all_or_nothing else FIVE[:2])
    assert (await retried(database, failed)).result == DONE
    assert await titles(database) == FIVE


async def test_what_could_not_be_taken_back_is_taken_back_first(
    database: Database, settings: Settings, engine: JobEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    once(monkeypatch, "_add", cancel, at=2)
    once(monkeypatch, "_delete", fail_with("something else"))
    failed = await imported(database, settings, CONTENT, all_or_nothing=True)
    assert (failed.status, bool(await titles(database))) == ("failed", True)

    assert (await retried(database, failed)).result == DONE
    assert await titles(database) == FIVE


async def test_a_database_that_is_away_is_waited_for(
    database: Database, settings: Settings, engine: JobEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    once(monkeypatch, "_add", fail_with("connection refused"), at=2)

    job = await imported(database, settings, CONTENT)

    assert (job.status, job.result, job.attempt) == ("done", DONE, 1)
    assert await titles(database) == FIVE
    assert [step["status"] for step in job.steps if step["name"] == "DB_Commit"] == [
        "failed",
        "done",
    ]


def fail_over(work: Part) -> None:
    """What a standby does that takes over and lacks what was committed last."""
    with work._running.transaction() as session:
        for table in (Item, ItemPack, GramZones):
            session.execute(delete(table))
        session.execute(update(ItemImport).values(position=0, inserted=0, skipped=0))


@pytest.mark.parametrize("is_told", [False, True])
async def test_what_a_failover_loses_comes_in_again(
    database: Database,
    settings: Settings,
    engine: JobEngine,
    monkeypatch: pytest.MonkeyPatch,
    is_told: bool,  # pytest hands it over
) -> None:
    def take_over(work: Part) -> None:
        fail_over(work)
        if is_told:
            fail_with("server closed the connection unexpectedly")(work)

    once(monkeypatch, "_add", take_over, at=2)

    done = await imported(database, settings, CONTENT)

    assert (done.status, done.result) == ("done", DONE)
    assert await titles(database, q="item") == FIVE


@pytest.mark.parametrize(
    "url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
async def test_ids_that_a_failover_forgets_are_reserved_again(
    database: Database, settings: Settings, engine: JobEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(_work: Part) -> None:
        with psycopg.connect(settings.database_url) as connection:
            connection.execute(
                "SELECT setval(pg_get_serial_sequence('items', 'id'), max(id)) FROM items"
            )

    once(monkeypatch, "_add", forget, at=2)

    done = await imported(database, settings, CONTENT)

    assert (done.status, done.result) == ("done", DONE)
    assert await titles(database) == FIVE
    again = await imported(database, settings, lines(["One more"]))
    assert again.status == "done"


@ON_ONE
async def test_files_that_are_gone_are_told(
    database: Database, settings: Settings, engine: JobEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    once(monkeypatch, "validate", lambda work: work._folder.remove())

    job = await imported(database, settings, CONTENT)

    assert job.problem == {"code": "import_file_lost", "values": {}}
