"""Runs jobs on DBOS: durable workflows in SQLite or PostgreSQL.

A job is a row of the app's own table. The engine hands queued ones over to DBOS, whose workflow has
the job's id, so that handing over twice is harmless. DBOS keeps what each step gave; after a kill
the workflow runs again and passes over the steps that are done. Who is alive is told by
heartbeats, and what a dead process had is run by another.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID
from dbos._dbos import _get_dbos_instance
from sqlalchemy import Engine, create_engine, delete, insert, select, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.acting import SYSTEM, engine_for
from app.config import Settings
from app.database import parse_url, set_up_engine
from app.jobs.kinds import KINDS, Kind, run
from app.jobs.running import Cancelled, Interrupted, JobError, RunningJob, ended
from app.jobs.schedules import SCHEDULES
from app.lib.logger import TraceLogger
from app.lib.tracelog.trace import Trace, use_trace
from app.lib.utils import utc_now
from app.models.job import ENDED, Job, JobStatus, JobWorker

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5
"""How often new jobs are looked for."""

BEAT_SECONDS: Final = 2.0
DEAD_AFTER: Final = timedelta(seconds=10)
_QUEUE_SECONDS: Final = 0.25
_BATCH: Final = 50
# Not the code's hash, which DBOS would take: jobs go on over a deploy. A change of a kind's steps
# that cannot take over what older code has done needs a kind of another name.
_VERSION: Final = "1"
_STOPPING_SECONDS: Final = 5.0


class JobEngine:
    """One per process, since DBOS has one instance per process. `start` and `stop` block."""

    def __init__(self, settings: Settings, logger: TraceLogger) -> None:
        self._settings = settings
        self._url = parse_url(settings.database_url)
        self._logger = logger
        self.worker = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._engine: Engine | None = None
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Connect, take back what dead processes had, and begin to run jobs."""
        engine = create_engine(_sync(self._url), **_pool(self._url))
        set_up_engine(engine)
        # The engine looks at everybody's jobs; what a job itself does, it does as its user.
        self._engine = engine_for(engine, SYSTEM)
        self._beat()
        DBOS(config=self._config())
        _join_app_log(logging.getLogger("dbos"))
        DBOS.launch()
        _engines[:] = [self]
        for kind in KINDS.values():
            DBOS.register_queue(
                kind.queue,
                worker_concurrency=kind.at_once,
                partition_concurrency=kind.per_user,
                polling_interval_sec=_QUEUE_SECONDS,
                on_conflict="always_update",
            )
        DBOS.apply_schedules(
            [
                {
                    "schedule_name": name,
                    "workflow_fn": _by_the_clock,
                    "schedule": it.cron,
                    "context": name,
                }
                for name, it in SCHEDULES.items()
            ]
        )
        for name, work, seconds in (
            ("jobs-dispatch", self._hand_over, LOOK_SECONDS),
            ("jobs-beat", self._beat_and_sweep, BEAT_SECONDS),
        ):
            target, args = self._repeat, (work, seconds)
            thread = threading.Thread(target=target, args=args, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """Say that a job was queued."""
        self._wake.set()

    def stop(self) -> None:
        """End: running jobs stop at their next sign of progress and go on elsewhere, or later."""
        if self._engine is None:
            return
        self._stopping.set()
        self._wake.set()
        # One budget for all of it: a platform counts the seconds.
        end = time.monotonic() + _STOPPING_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        # DBOS would wait for them in steps of a second.
        while _running_here() and time.monotonic() < end:
            time.sleep(0.01)
        DBOS.destroy(workflow_completion_timeout_sec=0)
        _engines.clear()
        try:
            with Session(self._engine) as session, session.begin():
                session.execute(delete(JobWorker).where(JobWorker.id == self.worker))
        except SQLAlchemyError as error:
            log.warning("The job worker could not sign off: %s", error)
        self._engine.dispose()
        self._engine = None

    def run_schedule(self, name: str) -> None:
        """Do work that the clock has called for, in a thread of DBOS."""
        schedule = SCHEDULES.get(name)
        if schedule is None:
            return  # a deploy has taken it away
        with self._logger.task(name) as task, task.step("Run") as step:
            step.output = schedule.work(self._connected, self._settings)

    # --- one job -----------------------------------------------------------------------------

    def execute(self, job_id: str) -> None:
        """Run one attempt at a job, in a thread of DBOS."""
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
        running: RunningJob | None = None
        try:
            with self._logger.task(row.kind) as task:
                running = RunningJob(
                    row, task, self._connected, self._settings, self._stopping.is_set
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
        except JobError as error:
            self._end(row, "failed", problem={"code": error.code, "values": error.values})
        # Whatever a job's work raises is that job's failure; its step is in the trace log.
        except Exception:
            log.exception("Job %s (%s) failed.", row.id, row.kind)
            self._end(row, "failed", problem={"code": "internal", "values": {}})
        else:
            self._end(row, "done", result=dict(result))

    def _begin(self, job_id: str) -> Job | None:
        """The job at a new attempt; None where there is nothing to run."""
        with Session(self._connected, expire_on_commit=False) as session, session.begin():
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
        now = utc_now()
        mine = (Job.id == row.id, Job.attempt == row.attempt, Job.status == "running")
        with Session(self._connected) as session, session.begin():
            steps = session.scalar(select(Job.steps).where(*mine)) or []
            values["steps"] = ended(steps, "done" if status == "done" else "failed")
            session.execute(
                update(Job)
                .where(*mine)
                .values(status=status, ended_at=now, changed_at=now, **values)
            )

    # --- in the background -------------------------------------------------------------------

    def _repeat(self, work: Any, seconds: float) -> None:
        while not self._stopping.is_set():
            try:
                work()
            # The database may be away, for as long as it likes.
            except Exception as error:  # noqa: BLE001
                log.warning("Jobs wait: %s", str(error).partition("\n")[0])
                self._stopping.wait(2.0)
            if work == self._hand_over:
                self._wake.wait(seconds)
                self._wake.clear()
            else:
                self._stopping.wait(seconds)

    def _hand_over(self) -> None:
        with Session(self._connected) as session:
            waiting = session.execute(
                select(Job.id, Job.kind, Job.user_id, Job.step_number)
                .where(Job.status == "queued", ~Job.handed_over)
                .order_by(Job.created_at)
                .limit(_BATCH)
            ).all()
        for job_id, kind_name, user_id, step_number in waiting:
            if (kind := KINDS.get(kind_name)) is None:
                continue  # an instance with newer code knows it
            if not _hand_over(kind, job_id, str(user_id), step_number):
                continue
            with Session(self._connected) as session, session.begin():
                session.execute(update(Job).where(Job.id == job_id).values(handed_over=True))

    def _beat_and_sweep(self) -> None:
        self._beat()
        alive = self._alive()
        pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        dead = {w.executor_id for w in pending if w.executor_id} - alive - {self.worker}
        if dead:
            log.warning("Jobs of %s are taken over.", ", ".join(sorted(dead)))
            DBOS._recover_pending_workflows(sorted(dead))

    def _beat(self) -> None:
        now = utc_now()
        with Session(self._connected) as session, session.begin():
            seen = update(JobWorker).where(JobWorker.id == self.worker).values(seen_at=now)
            if session.execute(seen).rowcount == 0:  # type: ignore[attr-defined]
                session.execute(insert(JobWorker).values(id=self.worker, seen_at=now))
            old = JobWorker.seen_at < now - DEAD_AFTER * 6
            session.execute(delete(JobWorker).where(old))

    def _alive(self) -> set[str]:
        """The workers that were seen lately; of this host's those whose process is there."""
        with Session(self._connected) as session:
            seen = session.scalars(
                select(JobWorker.id).where(JobWorker.seen_at > utc_now() - DEAD_AFTER)
            ).all()
        host = self.worker.partition(":")[0]
        return {
            worker
            for worker in seen
            if not worker.startswith(f"{host}:") or _process_exists(int(worker.split(":")[1]))
        }

    @property
    def _connected(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("the job engine is not started")
        return self._engine

    def _config(self) -> DBOSConfig:
        return {
            "name": "app",
            "system_database_url": _system_url(self._url),
            "executor_id": self.worker,
            "application_version": _VERSION,
            "sys_db_pool_size": 5,
            # Nothing listens, so looking costs no query; the end waits for the next look.
            "notification_listener_polling_interval_sec": 0.1,
            "log_level": "WARNING",
            "enable_otlp": False,
        }


# DBOS would give a job up that was taken back 100 times, and leave it as running for ever.
@DBOS.workflow(name="job", max_recovery_attempts=None)
def _workflow(job_id: str) -> None:
    _engines[0].execute(job_id)


@DBOS.workflow(name="schedule")
def _by_the_clock(_due: datetime, name: str) -> None:
    _engines[0].run_schedule(name)


_engines: list[JobEngine] = []
"""The engine of this process, for DBOS, which calls plain functions."""


def _running_here() -> bool:
    return bool(_get_dbos_instance()._active_workflows_set.activeList())


def _hand_over(kind: Kind, job_id: str, user: str, step_number: int) -> bool:
    """Have DBOS run a job, one that has ended from the step at which it did; whether it will."""
    known = DBOS.get_workflow_status(job_id)
    if known is None:
        with SetWorkflowID(job_id), SetEnqueueOptions(queue_partition_key=user):
            DBOS.enqueue_workflow(kind.queue, _workflow, job_id)
        return True
    if known.status in {"ENQUEUED", "PENDING"}:
        # It is on its way, or about to end: then it is tried again.
        return known.status == "ENQUEUED"
    first = max(step_number, 1)
    queue, key = kind.queue, user
    DBOS.rewind_workflow(job_id, start_step=first, queue_name=queue, queue_partition_key=key)
    return True


def _join_app_log(logger: logging.Logger) -> None:
    """DBOS brings a handler of its own, whose lines are not those of the app log."""
    logger.setLevel(logging.WARNING)
    logger.handlers.clear()
    logger.propagate = True


def _sync(url: URL) -> URL:
    return url.set(drivername=url.drivername.replace("+aiosqlite", ""))


def _pool(url: URL) -> Mapping[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": 30}}
    return {
        "pool_size": 5,
        "max_overflow": 5,
        "pool_pre_ping": True,
        "connect_args": {"connect_timeout": 5, "prepare_threshold": None},
    }


def _system_url(url: URL) -> str:
    """Where DBOS keeps its own tables: a file beside the app's, or a schema in its database."""
    if url.get_backend_name() == "sqlite":
        path = (url.database or "").removesuffix(".db") + ".jobs.db"
        return f"sqlite:///{path}"
    return url.render_as_string(hide_password=False)


def _process_exists(pid: int) -> bool:
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
