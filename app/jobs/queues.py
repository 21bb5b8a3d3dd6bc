"""The queues of DBOS, one for each kind of job, looked into for less where nothing waits."""

from typing import Final

from dbos import DBOS
from dbos._sys_db import SystemDatabase
from sqlalchemy import bindparam, exists, select

from app.jobs.kinds import KINDS

_SECONDS: Final = 0.5
"""How often DBOS looks into each queue. Each look costs milliseconds, also where nothing waits."""


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


def look_before_claiming(database: SystemDatabase) -> None:
    """Have DBOS claim work from a queue only where some waits.

    It looks into each queue twice a second, and would claim by four statements that are put
    together anew each time: most of what an idle app does.
    """
    claim_from, jobs = database.dequeue_scopes, database.tables.workflow_status
    is_waiting = select(
        exists().where(
            jobs.c.queue_name == bindparam("queue"),
            jobs.c.status == "ENQUEUED",
            database._in_flight_status_prover(),  # by which SQLite finds the index
        )
    )

    def claim_where_work_waits(queue_name: str) -> list[str | None]:
        with database.engine.connect() as connection:
            waits = connection.scalar(is_waiting, {"queue": queue_name})
        return claim_from(queue_name) if waits else []

    database.dequeue_scopes = claim_where_work_waits  # type: ignore[method-assign]
