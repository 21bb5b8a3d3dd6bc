"""Jobs as a worker left them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.lib.utils import utc_now
from app.models.job import Job
from app.services.job_service import JobService


@asynccontextmanager
async def session_of(app: FastAPI) -> AsyncIterator[AsyncSession]:
    database: Database = app.state.database
    async with database.system_session() as session:
        yield session


async def add_job(app: FastAPI, title: str = "list.csv", user: int = 1, **values: Any) -> str:
    """A job of the first user, as a worker left it."""
    now = utc_now()
    moments = {"ended_at": now} if values.get("status") in {"done", "failed", "cancelled"} else {}
    async with session_of(app) as session:
        job = await JobService(session, user).queue("Report", "", {})
        values = {"title": title} | moments | values
        await session.execute(update(Job).where(Job.id == job.id).values(**values))
    return job.id


async def jobs_of(app: FastAPI, user: int = 1) -> list[Job]:
    async with session_of(app) as session:
        return await JobService(session, user).latest()
