"""A suggestion whose process dies while it is written."""

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.database import Database
from app.lib.logger import NullLogger
from app.lib.tracelog.schema import TABLES, TASK_PROGRESS_LOGS
from app.lib.tracelog.trace import Trace, new_trace_id, use_trace
from app.lib.utils import utc_now
from app.models.item import Item
from app.models.job import Job
from app.models.refinement import AiUsage, Refinement
from app.models.user import User
from app.services.item_bulk import insert_items
from app.services.item_seed import made_up_items
from app.services.refinement_service import Budget, RefinementService
from tests.faults.job_worker import Plan, run
from tests.lib.tracelog.rows import read_all
from tests.support import chat_server as chat
from tests.support.faulty_server import FaultyServer


def test_a_suggestion_whose_writer_is_killed_is_written_again(
    sqlite_database: str, tmp_path: Path, faulty_server: FaultyServer
) -> None:
    faulty_server.fault = chat.hangs(chat.piece("Buy "))
    job_id = asyncio.run(_ask(sqlite_database))
    settings = {"ai_base_url": faulty_server.url, "ai_model": "a-model"}

    for die_at in (3, 13):  # before the model is asked, and while it answers
        plan = Plan(die_at, step="AI_Generation", settings=settings)
        assert run(sqlite_database, tmp_path, plan) is None
    faulty_server.fault = chat.streams("Buy ", "tea.", tokens=100)
    assert run(sqlite_database, tmp_path, Plan(settings=settings)) == "done"

    job, text, usage = asyncio.run(_refined(sqlite_database, job_id))
    assert (job.status, job.attempt, text) == ("done", 3, "Buy tea.")
    assert faulty_server.requests <= usage.calls  # counted before it is asked
    assert attempts(tmp_path, job, "Fetch_Data")[-2:] == ["START", "SUCCESS"]
    generation = attempts(tmp_path, job, "AI_Generation")
    assert generation.count("SUCCESS") == 1
    assert generation.count("START") > 1


async def _ask(url: str) -> str:
    database = Database(url)
    try:
        async with database.system_session() as session:
            user = User(email="hana@example.com", name="Hana", role="user")
            session.add(user)
            await session.flush()
            await insert_items(session, user.id, made_up_items(1, now=utc_now()))
        async with database.session(user_id := user.id) as session:
            item = await session.scalar(select(Item).order_by(Item.id).limit(1))
            assert item is not None
            budget = Budget(daily=9, tokens=10**6)
            with use_trace(Trace(new_trace_id())):
                asked = RefinementService(session, NullLogger(), user_id, budget)
                return (await asked.start(item)).id
    finally:
        await database.close()


async def _refined(url: str, job_id: str) -> tuple[Job, str, AiUsage]:
    database = Database(url)
    try:
        async with database.system_session() as session:
            job = await session.get_one(Job, job_id)
            written = await session.get_one(Refinement, job_id)
            return job, written.text, (await session.scalars(select(AiUsage))).one()
    finally:
        await database.close()


def attempts(folder: Path, job: Job, step: str) -> list[Any]:
    """What the trace says of a step, in order."""
    table = TABLES[TASK_PROGRESS_LOGS]
    trace, name, status = map(table.column_names.index, ("trace_id", "step_name", "status"))
    rows = read_all(folder / "logs", table)[0]
    return [row[status] for row in rows if (row[trace], row[name]) == (job.trace_id, step)]
