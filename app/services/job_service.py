"""A user's jobs: queue, look at, cancel, run again. The engine in `app.jobs` does the work."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import case, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from app.lib.tracelog.trace import current_trace, new_trace_id
from app.lib.utils import utc_now
from app.models.job import Job
from app.services.errors import NotFound

MOST_SHOWN: Final = 50
_GOING_ON: Final = ("queued", "running")


def queued_job(
    user_id: int, kind: str, title: str, params: Mapping[str, Any]
) -> ReturningInsert[Job]:
    """What makes a new job, under the trace of this moment; for work by the clock, too."""
    now, trace = utc_now(), current_trace()
    return (
        insert(Job)
        .values(
            id=str(uuid.uuid4()),
            user_id=user_id,
            kind=kind,
            title=title[:200],
            params=dict(params),
            status="queued",
            handed_over=False,
            cancel=False,
            attempt=0,
            steps=[],
            step="",
            step_number=0,
            done=0,
            trace_id=trace.trace_id if trace else new_trace_id(),
            created_at=now,
            changed_at=now,
        )
        .returning(Job)
    )


class JobService:
    """The jobs of one user: what is another's does not exist here. Never commits."""

    def __init__(self, session: AsyncSession, user_id: int) -> None:
        self._session = session
        self._user_id = user_id
        self._mine = Job.user_id == user_id

    async def queue(self, kind: str, title: str, params: Mapping[str, Any]) -> Job:
        """A new job, under the trace of this moment. It starts once the transaction commits."""
        job = await self._session.scalars(queued_job(self._user_id, kind, title, params))
        return job.one()

    async def latest(self) -> list[Job]:
        """Those that go on, then the last ones that ended."""
        found = await self._session.scalars(
            select(Job)
            .where(self._mine)
            .order_by(case((Job.status.in_(_GOING_ON), 0), else_=1), Job.created_at.desc(), Job.id)
            .limit(MOST_SHOWN)
        )
        return list(found)

    async def get(self, job_id: str) -> Job:
        """Raises `NotFound`."""
        job = await self._session.scalar(
            select(Job).where(Job.id == job_id, self._mine),
            execution_options={"populate_existing": True},
        )
        if job is None:
            raise NotFound
        return job

    async def going_on(self) -> int:
        """How many jobs wait or run."""
        count = await self._session.scalar(
            select(func.count()).select_from(Job).where(self._mine, Job.status.in_(_GOING_ON))
        )
        return count or 0

    async def ended_since(self, moment: datetime) -> list[Job]:
        """Those that ended after a moment, oldest first."""
        found = await self._session.scalars(
            select(Job).where(self._mine, Job.ended_at > moment).order_by(Job.ended_at).limit(20),
            # One that this session has seen running is seen as it has become.
            execution_options={"populate_existing": True},
        )
        return list(found)

    async def cancel(self, job_id: str) -> Job:
        """Have a job end: at once where nobody runs it, else soon. Raises `NotFound`."""
        now = utc_now()
        mine = (Job.id == job_id, self._mine)
        await self._session.execute(
            update(Job)
            .where(*mine, Job.status == "queued")
            .values(status="cancelled", cancel=True, ended_at=now, changed_at=now)
        )
        await self._session.execute(
            update(Job).where(*mine, Job.status == "running").values(cancel=True)
        )
        return await self.get(job_id)

    async def retry(self, job_id: str) -> Job:
        """Queue a failed or cancelled job again; it goes on from the step at which it ended.

        Raises `NotFound`, also for one that has not ended so.
        """
        again: Job | None = await self._session.scalar(
            update(Job)
            .where(Job.id == job_id, self._mine, Job.status.in_(("failed", "cancelled")))
            .values(
                status="queued",
                handed_over=False,
                cancel=False,
                problem=None,
                ended_at=None,
                changed_at=utc_now(),
            )
            .returning(Job)
        )
        if again is None:
            raise NotFound
        return again
