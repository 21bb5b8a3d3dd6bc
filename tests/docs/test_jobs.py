"""The job in docs/jobs.md runs, and does what the text around it says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio import to_thread

from app.config import Settings
from app.database import Database
from app.jobs.engine import JobEngine
from app.jobs.kinds import KINDS
from app.lib.logger import CSVOnlyLogger
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
    KINDS.pop("Token_Count", None)


async def test_the_worked_example(blocks: list[str], sqlite_database: str, tmp_path: Path) -> None:
    kind, queue = blocks
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
