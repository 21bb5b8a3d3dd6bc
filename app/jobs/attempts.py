"""One attempt at a job, from taking it to writing what became of it."""

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Engine, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.config import Settings
from app.jobs.kinds import KINDS, Kind, run
from app.jobs.problems import INTERNAL, problem_of
from app.jobs.running import Cancelled, Interrupted, RunningJob, ended
from app.lib.logger import TraceLogger
from app.lib.tracelog.trace import Trace, use_trace
from app.lib.utils import utc_now
from app.mail import Mailer
from app.models.job import ENDED, Job, JobStatus

log = logging.getLogger(__name__)

_LONGEST_PAUSE: Final = 10.0


class Attempts:
    """Runs jobs, each in a thread of whoever calls `execute`, until `stopping` is set."""

    def __init__(
        self,
        connected: Callable[[], Engine],
        settings: Settings,
        logger: TraceLogger,
        stopping: threading.Event,
        mailer: Mailer,
    ) -> None:
        self._connected = connected
        self._settings = settings
        self._logger = logger
        self._stopping = stopping
        self._mailer = mailer

    def execute(self, job_id: str) -> None:
        """Run a job as far as it goes. Raises `Interrupted` where another attempt must follow."""
        if self._stopping.is_set():
            raise Interrupted
        row = self._begin(job_id)
        if row is None:
            return
        kind = KINDS.get(row.kind)
        with use_trace(Trace(row.trace_id, user_id=row.user_id)):
            if kind is None:
                self._end(row, "failed", problem={"code": "unknown_kind", "values": {}})
                return
            self._attempt(row, kind)

    def _attempt(self, row: Job, kind: Kind) -> None:
        try:
            with self._logger.task(row.kind) as task:
                is_stopping = self._stopping.is_set
                running = RunningJob(
                    row, task, self._connected(), self._settings, is_stopping, self._mailer
                )
                try:
                    result = run(kind, running, row.params)
                # Whatever ends it; a process that must leave the job to another is no exception.
                except Exception:
                    if kind.undo is not None:
                        kind.undo(running, **row.params)
                    raise
        except Cancelled:
            self._end(row, "cancelled")
        # Whatever a job's work raises is that job's failure; its step is in the trace log.
        except Exception as error:
            problem = problem_of(error)
            if problem["code"] == INTERNAL:
                log.exception("Job %s (%s) failed.", row.id, row.kind)
            self._end(row, "failed", problem=problem)
        else:
            self._end(row, "done", result=dict(result))

    def _begin(self, job_id: str) -> Job | None:
        """The job at a new attempt; None where there is nothing to run."""
        with Session(self._connected(), expire_on_commit=False) as session, session.begin():
            session.execute(
                update(Job)
                .where(Job.id == job_id, Job.status == "queued", Job.cancel)
                .values(status="cancelled", ended_at=utc_now(), changed_at=utc_now())
            )
            return session.scalar(
                update(Job)
                .where(Job.id == job_id, Job.status.not_in(ENDED))
                .values(status="running", attempt=Job.attempt + 1, changed_at=utc_now())
                .returning(Job)
            )

    def _end(self, row: Job, status: JobStatus, **values: Any) -> None:
        """Write what became of a job, as soon as that can be written: the disk may be full."""
        pause = 0.5
        while True:
            try:
                return self._write_end(row, status, **values)
            except DBAPIError as error:
                log.warning("The end of job %s waits to be written: %s", row.id, error.orig)
            if self._stopping.wait(pause):
                raise Interrupted
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _write_end(self, row: Job, status: JobStatus, **values: Any) -> None:
        now = utc_now()
        mine = (Job.id == row.id, Job.attempt == row.attempt, Job.status == "running")
        with Session(self._connected()) as session, session.begin():
            steps = session.scalar(select(Job.steps).where(*mine)) or []
            values["steps"] = ended(steps, "done" if status == "done" else "failed")
            session.execute(
                update(Job)
                .where(*mine)
                .values(status=status, ended_at=now, changed_at=now, **values)
            )
