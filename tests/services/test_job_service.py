"""A user's jobs as pages see them while the engine works on them."""

from datetime import timedelta

from sqlalchemy import update

from app.database import Database
from app.lib.utils import utc_now
from app.models.job import Job
from app.models.user import User
from app.services.job_service import JobService


async def test_a_job_that_ends_while_one_looks_is_seen_as_ended(database: Database) -> None:
    async with database.system_session() as session:
        session.add(user := User(email="hana@example.com", name="Hana", role="user"))
        await session.flush()
        job = await JobService(session, user.id).queue("Any", "a job", {})
    now = utc_now()

    async with database.session(user.id) as looking:
        jobs = JobService(looking, user.id)
        shown = await jobs.latest()
        assert [each.status for each in shown] == ["queued"]
        async with database.session(user.id) as working:
            await working.execute(
                update(Job).where(Job.id == job.id).values(status="done", ended_at=now)
            )
        (ended,) = await jobs.ended_since(now - timedelta(seconds=1))

        assert (ended.status, ended.ended_at) == ("done", now)
