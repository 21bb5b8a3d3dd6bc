"""The queues of DBOS, one for each kind of job, kept in memory where nothing waits in them.

DBOS has a thread for each queue, which asks the database for the queue's settings and, by four
statements that are put together anew each time, for work: most of what an idle app would do. Here
the settings are read once, and one statement tells of all queues in which anything waits.
"""

from typing import Any, Final

from dbos import DBOS, Queue, _workflow_commands
from dbos._sys_db import SystemDatabase
from sqlalchemy import select

from app.jobs.kinds import KINDS

_SECONDS: Final = 0.25
"""How often DBOS looks into each queue, which costs next to nothing where nothing waits."""


def register_queues() -> None:
    """Write the queues down in the database of DBOS, which has been launched.

    It finds new ones a second later; those of an earlier start it has at once.
    """
    for kind in KINDS.values():
        DBOS.register_queue(
            kind.queue,
            worker_concurrency=kind.at_once,
            partition_concurrency=kind.per_user,
            polling_interval_sec=_SECONDS,
            on_conflict="always_update",
        )


def look_for_delays_seldom() -> None:
    """Have DBOS, before its launch, look for workflows with a delay or a deadline less often.

    No job has one. PostgreSQL takes the lock of whoever looks away after five seconds.
    """
    _workflow_commands._BACKGROUND_JOBS_INTERVAL_SEC = 4.0


class Waiting:
    """Tells DBOS in which queues work waits, as of the last `look`: that is to be often."""

    def __init__(self, database: SystemDatabase) -> None:
        """The queues are those registered so far, also of kinds that the code knows no more."""
        self._engine = database.engine
        self._names: frozenset[str] = frozenset()
        jobs = database.tables.workflow_status
        in_flight = database._in_flight_status_prover()  # by which SQLite finds the index
        ours = database._name_filter(jobs.c.application_name, database.app_name)
        self._waiting = (
            select(jobs.c.queue_name).where(jobs.c.status == "ENQUEUED", in_flight).distinct()
        )
        self._at_work = (
            select(jobs.c.executor_id)
            .where(jobs.c.status == "PENDING", in_flight, ours, jobs.c.executor_id.is_not(None))
            .distinct()
        )
        by_name = {queue.name: queue for queue in database.list_queues()}
        claim_from = database.dequeue_scopes

        def claim_where_work_waits(queue_name: str) -> list[str | None]:
            return claim_from(queue_name) if queue_name in self._names else []

        def get_queue(name: str, **_: Any) -> Queue | None:
            return by_name.get(name)

        def list_queues(**_: Any) -> list[Queue]:
            return list(by_name.values())

        database.dequeue_scopes = claim_where_work_waits  # type: ignore[method-assign]
        database.get_queue = get_queue  # type: ignore[method-assign]
        database.list_queues = list_queues  # type: ignore[method-assign]

    def look(self) -> None:
        """See in which queues anything waits."""
        with self._engine.connect() as connection:
            self._names = frozenset(connection.scalars(self._waiting))

    def at_work(self) -> set[str]:
        """Those who have begun what is not at its end, dead or alive."""
        with self._engine.connect() as connection:
            return set(connection.scalars(self._at_work))
