"""The queues of DBOS, looked into for less where nothing waits in them."""

from dbos._sys_db import SystemDatabase
from sqlalchemy import bindparam, exists, select


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
