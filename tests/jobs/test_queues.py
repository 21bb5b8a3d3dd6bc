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

SETTINGS_OF_A_QUEUE = "partition_concurrency"
"""In the statement with which each look into a queue begins."""


@pytest.fixture
async def engine(url: str) -> AsyncIterator[JobEngine]:
    engine = JobEngine(Settings(database_url=url), NullLogger())
    await to_thread.run_sync(engine.start)
    yield engine
    await to_thread.run_sync(engine.stop)


async def test_a_queue_in_which_nothing_waits_is_asked_for_that_alone(engine: JobEngine) -> None:
    sent: defaultdict[str, list[str]] = defaultdict(list)

    def record(_connection: object, _cursor: object, statement: str, *_: Any) -> None:
        sent[threading.current_thread().name].append(statement)

    def looks(kind: str) -> list[int]:
        asked = sent[f"queue-worker-{KINDS[kind].queue}"]
        return [at for at, text in enumerate(asked) if SETTINGS_OF_A_QUEUE in text]

    database = _get_dbos_instance()._sys_db.engine
    event.listen(database, "before_cursor_execute", record)
    await to_thread.run_sync(wait_until, lambda: all(len(looks(kind)) > 2 for kind in KINDS))
    event.remove(database, "before_cursor_execute", record)

    for kind in KINDS:
        first, *_, last = looks(kind)
        assert last - first == 2 * (len(looks(kind)) - 1), sent
