"""Jobs that were queued, and what becomes of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from app.database import Database
from app.lib.tracelog.schema import TABLES, TASK_PROGRESS_LOGS
from app.lib.tracelog.trace import Trace, use_trace
from app.models.job import Job
from app.services.job_service import JobService
from tests.lib.tracelog.rows import read_all

TRACE = "6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"


async def queue(database: Database, kind: str, user: int = 1, **params: Any) -> str:
    async with database.system_session() as session:
        with use_trace(Trace(TRACE)):
            return (await JobService(session, user).queue(kind, "a job", params)).id


async def job_when(database: Database, job_id: str, is_so: Callable[[Job], bool]) -> Job:
    """The job as soon as something is true of it."""
    with anyio.fail_after(60):
        while True:
            async with database.system_session() as session:
                found = await session.get(Job, job_id)
            assert found is not None
            if is_so(found):
                return found
            await anyio.sleep(0.1)


def has_ended(job: Job) -> bool:
    return job.ended_at is not None


def steps(tmp_path: Path, task: str) -> list[tuple[Any, ...]]:
    """What the trace log has of a task: step, status, order and trace.

    Other tasks may be in it, which the clock called for.
    """
    table = TABLES[TASK_PROGRESS_LOGS]
    names = ("step_name", "status", "execution_order", "trace_id")
    places = [table.column_names.index(name) for name in names]
    rows = read_all(tmp_path / "logs", table)[0]
    kept = [row for row in rows if row[table.column_names.index("task_name")] == task]
    return [tuple(row[i] for i in places) for row in kept]
