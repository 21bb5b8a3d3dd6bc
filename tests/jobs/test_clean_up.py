"""What the clock takes away, and what it leaves."""

import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Engine, select, update

from app.config import Settings
from app.database import Database
from app.jobs.clean_up import JOBS_KEPT, delete_log_rows, end_sessions, forget_jobs
from app.jobs.engine import JobEngine
from app.jobs.schedules import SCHEDULES, scheduled
from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.upkeep.retention import DAY
from app.lib.utils import utc_now
from app.models.job import Job
from app.models.login_session import LoginSession
from app.models.user import User
from app.services.job_service import JobService
from app.services.session_service import IDLE, SessionService
from app.trace_log import make_store
from tests.jobs.queued import steps
from tests.lib.tracelog.aged import NOW, fill, left, request


async def test_ended_sessions_go_and_the_others_stay(database: Database, engine: Engine) -> None:
    now = utc_now()
    async with database.system_session() as session:
        session.add(user := User(email="hana@example.com", name="Hana", role="user"))
        await session.flush()
        for _ in range(3):
            await SessionService(session).start(user)
        old, idle, good = (await session.scalars(select(LoginSession.id))).all()
        for row, values in (
            (old, {"expires_at": now}),
            (idle, {"last_seen_at": now - IDLE - timedelta(minutes=1)}),
        ):
            await session.execute(
                update(LoginSession).where(LoginSession.id == row).values(**values)
            )

    assert end_sessions(engine, Settings()) == {"sessions": 2}

    async with database.system_session() as session:
        assert (await session.scalars(select(LoginSession.id))).all() == [good]


async def test_jobs_that_ended_long_ago_are_forgotten(database: Database, engine: Engine) -> None:
    long_ago = utc_now() - JOBS_KEPT - timedelta(minutes=1)
    async with database.system_session() as session:
        session.add(user := User(email="hana@example.com", name="Hana", role="user"))
        await session.flush()
        jobs = JobService(session, user.id)
        for title, values in (
            ("old", {"status": "done", "ended_at": long_ago}),
            ("new", {"status": "failed", "ended_at": utc_now()}),
            ("waits", {"created_at": long_ago}),
        ):
            job = await jobs.queue("Any", title, {})
            await session.execute(update(Job).where(Job.id == job.id).values(**values))

    assert forget_jobs(engine, Settings()) == {"jobs": 1}

    async with database.system_session() as session:
        assert set(await session.scalars(select(Job.title))) == {"new", "waits"}


def test_old_rows_of_the_trace_log_go_once_an_hour(tmp_path: Path) -> None:
    settings = Settings(log_dir=tmp_path)
    to_now = (NOW - time.time()) / DAY
    with closing(make_store(settings)) as store:
        store.migrate()
        fill(store, [request(to_now + 15), young := request(to_now + 13)])

        assert delete_log_rows(cast(Engine, None), settings) == {"rows": 1}
        assert left(store) == [young[0]]
        fill(store, [late := request(to_now + 15)])
        assert delete_log_rows(cast(Engine, None), settings) == {"rows": 0}
        assert left(store) == [late[0], young[0]]


def test_a_trace_log_that_is_away_is_tended_later(tmp_path: Path) -> None:
    (tmp_path / "trace.db").mkdir()
    done = delete_log_rows(cast(Engine, None), Settings(log_dir=tmp_path))
    assert done["rows"] == 0
    assert done["goes_on_later"]


def test_work_by_the_clock_leaves_its_step_in_the_trace_log(
    sqlite_database: str, tmp_path: Path
) -> None:
    logger = CSVOnlyLogger(tmp_path / "logs")
    engine = JobEngine(Settings(database_url=sqlite_database), logger)
    engine.start()
    try:
        engine.run_schedule("Session_Clean_Up")
    finally:
        engine.stop()
        logger.close()

    assert [row[:2] for row in steps(tmp_path, "Session_Clean_Up")] == [
        ("Run", "START"),
        ("Run", "SUCCESS"),
    ]


def test_two_schedules_cannot_have_one_name() -> None:
    register = scheduled("Twice", "0 0 * * *")
    try:
        register(lambda _database, _settings: {})
        with pytest.raises(ValueError, match="Twice"):
            register(lambda _database, _settings: {})
    finally:
        del SCHEDULES["Twice"]
