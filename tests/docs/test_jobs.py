"""The job in docs/jobs.md runs, and does what the text around it says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio import to_thread
from sqlalchemy import select

from app.config import Settings
from app.database import Database
from app.jobs.engine import JobEngine
from app.jobs.kinds import KINDS
from app.jobs.schedules import SCHEDULES
from app.lib.logger import CSVOnlyLogger
from app.mail import Mail, Mailbox, MailFailed
from app.models.job import Job
from app.models.user import User
from app.schemas.account import NewAccessToken
from app.services.access_token_service import AccessTokens
from app.services.account_events import AccountEvents
from tests.docs.examples import examples, load
from tests.jobs.queued import has_ended, job_when


@pytest.fixture(params=["jobs.md", "jobs.ja.md"])
def blocks(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    yield examples(f"docs/{request.param}", "python")
    for name in ("Token_Count", "Greeting"):
        KINDS.pop(name, None)
    SCHEDULES.pop("Greeting_Round", None)


async def test_the_worked_example(blocks: list[str], sqlite_database: str, tmp_path: Path) -> None:
    kind, queue, _ = blocks
    load(kind)
    queue_count = load(queue)["queue_count"]
    database, logger = Database(sqlite_database), CSVOnlyLogger(tmp_path / "logs")
    async with database.system_session() as session:
        session.add(user := User(email="hana@example.com", name="Hana", role="user"))
        await session.flush()
        few = (await queue_count(session, user.id)).id
    engine = JobEngine(Settings(database_url=sqlite_database), logger)
    await to_thread.run_sync(engine.start)
    try:
        failed: Job = await job_when(database, few, has_ended)
        week = NewAccessToken(name="Mine", scope="read", days=7)
        async with database.system_session() as session:
            await AccessTokens(session, AccountEvents(session)).make(user.id, week)
            enough = (await queue_count(session, user.id)).id
        engine.wake()
        done: Job = await job_when(database, enough, has_ended)
    finally:
        await to_thread.run_sync(engine.stop)
        await database.close()
        logger.close()

    assert failed.problem == {"code": "too_few", "values": {"tokens": 0}}
    assert (done.status, done.result) == ("done", {"tokens": 1})


class TaroIsFull(Mailbox):
    """Takes no mail to Taro."""

    async def send(self, mail: Mail) -> None:
        if mail.to == "taro@example.com":
            raise MailFailed("mailbox full")
        await super().send(mail)


async def test_what_the_clock_calls_for_is_a_job_for_each_user_that_sends_mail(
    blocks: list[str], sqlite_database: str, tmp_path: Path
) -> None:
    load(blocks[2])
    database, logger = Database(sqlite_database), CSVOnlyLogger(tmp_path / "logs")
    async with database.system_session() as session:
        for name in ("hana", "taro"):
            session.add(User(email=f"{name}@example.com", name=name, role="user"))
    mailbox = TaroIsFull()
    engine = JobEngine(Settings(database_url=sqlite_database), logger, mailbox)
    await to_thread.run_sync(engine.start)
    try:
        await to_thread.run_sync(engine.run_schedule, "Greeting_Round")
        async with database.system_session() as session:
            queued = (await session.scalars(select(Job.id).order_by(Job.user_id))).all()
        ended = [await job_when(database, job_id, has_ended) for job_id in queued]
    finally:
        await to_thread.run_sync(engine.stop)
        await database.close()
        logger.close()

    assert [job.status for job in ended] == ["done", "failed"]
    assert ended[1].problem == {"code": "mail_failed", "values": {}}
    assert [mail.to for mail in mailbox.mails] == ["hana@example.com"]
    assert len({job.trace_id for job in ended}) == 1
    logged = (tmp_path / "logs" / "task_progress_logs.csv").read_text(encoding="utf-8")
    assert ended[0].trace_id in logged
    assert "@example.com" not in logged
