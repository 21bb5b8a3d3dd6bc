"""What an engine with nothing to do asks its database."""

import threading
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import pytest
from anyio import to_thread
from dbos._dbos import _get_dbos_instance
from sqlalchemy import event

from app.config import Settings
from app.jobs.engine import JobEngine
from app.jobs.kinds import KINDS
from app.lib.logger import NullLogger
from tests.jobs.test_engine import url as url
from tests.support.processes import wait_until


@pytest.fixture
async def engine(url: str) -> AsyncIterator[JobEngine]:
    engine = JobEngine(Settings(database_url=url), NullLogger())
    await to_thread.run_sync(engine.start)
    yield engine
    await to_thread.run_sync(engine.stop)


async def test_of_all_queues_in_which_nothing_waits_one_statement_tells(engine: JobEngine) -> None:
    sent: defaultdict[str, list[str]] = defaultdict(list)
    workers = {f"queue-worker-{kind.queue}" for kind in KINDS.values()}

    def record(_connection: object, _cursor: object, statement: str, *_: Any) -> None:
        sent[threading.current_thread().name].append(statement)

    await to_thread.run_sync(
        wait_until, lambda: workers <= {thread.name for thread in threading.enumerate()}
    )
    database = _get_dbos_instance()._sys_db.engine
    event.listen(database, "before_cursor_execute", record)
    # What a worker had begun before it was told of all queues is at its end by then.
    await to_thread.run_sync(wait_until, lambda: len(sent["jobs-dispatch"]) > 10)
    sent.clear()
    await to_thread.run_sync(wait_until, lambda: len(sent["jobs-dispatch"]) > 10)
    event.remove(database, "before_cursor_execute", record)

    assert len(set(sent["jobs-dispatch"])) == 1
    assert not [name for name in sent if name in workers or "queue_thread" in name], sent
