"""The time that is left is told from this attempt's pace alone, as it was when it was noted."""

from typing import cast

from sqlalchemy import create_engine, update

from app.config import Settings
from app.database import Database, sync_url
from app.jobs.pace import Pace
from app.jobs.running import RunningJob
from app.lib.tracelog.steps import Task
from app.mail import NoMailer
from app.models.job import Job
from app.services.job_service import JobService
from tests.jobs.queued import job_when, queue
from tests.jobs.test_engine import database as database
from tests.jobs.test_engine import url as url


def test_what_an_earlier_attempt_has_done_makes_a_step_no_faster() -> None:
    pace = Pace()

    assert pace.seconds(900, now=50.0) == 0
    assert pace.seconds(900, now=51.0) == 0
    assert pace.seconds(910, now=60.0) == 910


def test_a_step_from_its_beginning_takes_what_it_takes() -> None:
    pace = Pace()
    pace.seconds(0, now=50.0)

    assert pace.seconds(300, now=53.0) == 3


async def test_what_is_written_besides_makes_it_no_longer(database: Database) -> None:
    job_id = await queue(database, "Count")
    async with database.system_session() as session:
        await session.execute(update(Job).values(status="running", attempt=1))
    found = await job_when(database, job_id, lambda _: True)
    engine = create_engine(sync_url(database.url))
    running = RunningJob(found, cast(Task, None), engine, Settings(), lambda: False, NoMailer())

    running.progress(5, 10)
    noted = await job_when(database, job_id, lambda job: job.done == 5)
    with running.transaction():
        pass
    async with database.session(1) as session:
        await JobService(session, 1).cancel(job_id)

    cancelled = await job_when(database, job_id, lambda job: job.cancel)
    assert cancelled.changed_at == noted.changed_at
    engine.dispose()
