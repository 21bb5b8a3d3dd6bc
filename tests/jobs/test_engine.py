"""Jobs over kills, in processes of their own, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text, update

from app.database import Database, parse_url
from app.jobs.kinds import KINDS, job
from app.jobs.system_database import system_url
from app.models.job import Job
from app.models.user import User
from app.services.errors import NotFound
from app.services.job_service import JobService
from tests.jobs.queued import TRACE, has_ended, job_when, queue, steps
from tests.jobs.worker import Worker
from tests.support.processes import wait_until

StartWorker = Callable[[], Worker]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_job_database")
    return found


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    async with database.system_session() as session:
        for name in ("hana", "taro"):
            session.add(User(email=f"{name}@example.com", name=name, role="user"))
    yield database
    await database.close()


@pytest.fixture
def start_worker(url: str, database: Database, tmp_path: Path) -> Iterator[StartWorker]:
    with ExitStack() as stack:

        def start() -> Worker:
            worker = Worker(url, tmp_path)
            stack.callback(worker.kill)
            return worker

        yield start


async def queue_and_fail(database: Database) -> None:
    async with database.system_session() as session:
        await JobService(session, 1).queue("Count", "never", {"upto": 1})
        raise NotFound


async def test_a_job_runs_in_the_trace_of_who_queued_it(
    database: Database, start_worker: StartWorker, tmp_path: Path
) -> None:
    start_worker()
    job_id = await queue(database, "Count", upto=20)

    done = await job_when(database, job_id, has_ended)

    assert (done.status, done.result, done.attempt) == ("done", {"counted": 20}, 1)
    assert [step["status"] for step in done.steps] == ["done", "done"]
    assert steps(tmp_path, "Count") == [
        ("Read", "START", 1, TRACE),
        ("Read", "SUCCESS", 1, TRACE),
        ("DB_Commit", "START", 2, TRACE),
        ("DB_Commit", "SUCCESS", 2, TRACE),
    ]


async def test_after_a_kill_a_job_goes_on_in_its_step(
    database: Database, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker()
    job_id = await queue(database, "Count", upto=150, hold=20)
    await job_when(database, job_id, lambda job: job.done == 20)
    worker.kill()
    (tmp_path / "go").touch()
    start_worker()

    done = await job_when(database, job_id, has_ended)

    assert (done.status, done.attempt) == ("done", 2)
    numbers = (tmp_path / f"{job_id}.txt").read_text().split()
    assert numbers == [str(number) for number in range(150)]
    assert len((tmp_path / f"{job_id}-read.txt").read_text().split()) == 1  # its result was kept
    starts = [row for row in steps(tmp_path, "Count") if row[1] == "START"]
    assert starts == [("Read", "START", 1, TRACE), *[("DB_Commit", "START", 2, TRACE)] * 2]


async def test_a_job_goes_on_however_often_it_was_ended(
    url: str, database: Database, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker()
    job_id = await queue(database, "Count", upto=30, hold=20)
    await job_when(database, job_id, lambda job: job.done == 20)
    worker.kill()
    engine = create_engine(system_url(parse_url(url)))
    table = "workflow_status" if url.startswith("sqlite") else "dbos.workflow_status"
    with engine.begin() as connection:  # as hundreds of deploys would have left it
        connection.execute(text(f"UPDATE {table} SET recovery_attempts = 1000"))
    engine.dispose()
    (tmp_path / "go").touch()
    start_worker()

    done = await job_when(database, job_id, has_ended)

    assert (done.status, done.attempt) == ("done", 2)


async def test_a_shutdown_hands_a_job_to_whoever_comes_next(
    database: Database, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker()
    job_id = await queue(database, "Count", upto=150, hold=20)
    await job_when(database, job_id, lambda job: job.done == 20)
    assert worker.end() == 0
    (tmp_path / "go").touch()
    start_worker()

    done = await job_when(database, job_id, has_ended)

    assert (done.status, done.attempt) == ("done", 2)
    assert len(set((tmp_path / f"{job_id}.txt").read_text().split())) == 150


async def test_of_two_workers_one_runs_a_job_and_the_other_takes_over(
    database: Database, start_worker: StartWorker, tmp_path: Path
) -> None:
    workers = [start_worker(), start_worker()]
    short = [await queue(database, "Count", user=2, upto=30) for _ in range(4)]
    long = await queue(database, "Count", upto=100, hold=20)
    await job_when(database, long, lambda job: job.done == 20)
    reader = int((tmp_path / f"{long}-read.txt").read_text())
    for job_id in short:
        done = await job_when(database, job_id, has_ended)
        assert (done.status, done.attempt) == ("done", 1)
    for worker in workers:
        if worker.process.pid == reader:
            worker.kill()
    (tmp_path / "go").touch()

    done = await job_when(database, long, has_ended)

    assert (done.status, done.attempt) == ("done", 2)
    numbers = (tmp_path / f"{long}.txt").read_text().split()
    assert numbers == [str(number) for number in range(100)]


async def test_a_job_that_failed_goes_on_from_the_step_that_failed(
    database: Database, start_worker: StartWorker, tmp_path: Path
) -> None:
    start_worker()
    job_id = await queue(database, "Fail")
    failed = await job_when(database, job_id, has_ended)
    assert failed.status == "failed"
    assert failed.problem == {"code": "bad_file", "values": {"line": 3}}

    (tmp_path / "mended").touch()
    async with database.system_session() as session:
        await JobService(session, 1).retry(job_id)
    done = await job_when(database, job_id, has_ended)

    assert (done.status, done.attempt, done.problem) == ("done", 2, None)
    assert (tmp_path / "first.txt").read_text() == "1\n"


async def test_an_error_of_ours_is_not_told_to_the_user(
    database: Database, start_worker: StartWorker
) -> None:
    start_worker()
    failed = await job_when(database, await queue(database, "Crash"), has_ended)

    assert failed.status == "failed"
    assert failed.problem == {"code": "internal", "values": {}}


async def test_a_job_is_cancelled_while_it_runs_and_before(
    database: Database, start_worker: StartWorker
) -> None:
    waiting = await queue(database, "Count", upto=10)
    async with database.system_session() as session:
        await JobService(session, 1).cancel(waiting)
    start_worker()
    running = await queue(database, "Count", upto=100_000)
    await job_when(database, running, lambda job: job.done > 10)
    async with database.system_session() as session:
        await JobService(session, 1).cancel(running)

    cancelled = await job_when(database, running, has_ended)
    never = await job_when(database, waiting, has_ended)

    assert cancelled.status == never.status == "cancelled"
    assert never.attempt == 0

    async with database.system_session() as session:
        await JobService(session, 1).retry(waiting)
    assert (await job_when(database, waiting, has_ended)).status == "done"


async def test_a_rolled_back_transaction_takes_its_job_back(
    database: Database, start_worker: StartWorker
) -> None:
    start_worker()

    with pytest.raises(NotFound):
        await queue_and_fail(database)
    after = await queue(database, "Count", upto=1)
    await job_when(database, after, has_ended)

    async with database.system_session() as session:
        assert [job.title for job in await session.scalars(select(Job))] == ["a job"]


async def test_who_was_taken_for_dead_writes_no_more(
    database: Database, start_worker: StartWorker, tmp_path: Path
) -> None:
    start_worker()
    job_id = await queue(database, "Count", upto=100_000)
    await job_when(database, job_id, lambda job: job.done > 10)
    async with database.system_session() as session:
        await session.execute(update(Job).where(Job.id == job_id).values(attempt=7))
    path = tmp_path / f"{job_id}.txt"
    wait_until(lambda: steps(tmp_path, "Count")[-1][1] == "FAILED", what="the step to be left")
    numbers = len(path.read_text().split())

    await job_when(database, await queue(database, "Count", user=2, upto=30), has_ended)
    assert len(path.read_text().split()) == numbers
    found = await job_when(database, job_id, lambda _job: True)
    assert (found.status, found.attempt) == ("running", 7)


async def test_each_user_has_jobs_of_their_own(database: Database) -> None:
    job_id = await queue(database, "Count", upto=1)
    async with database.system_session() as session:
        others = JobService(session, 2)
        assert await others.latest() == []
        assert await others.going_on() == 0
        for call in (others.get, others.cancel, others.retry):
            with pytest.raises(NotFound):
                await call(job_id)
        assert await JobService(session, 1).going_on() == 1


def test_two_kinds_cannot_have_one_name() -> None:
    register = job("Twice")
    try:
        register(lambda running: None)
        with pytest.raises(ValueError, match="Twice"):
            register(lambda running: None)
    finally:
        del KINDS["Twice"]
