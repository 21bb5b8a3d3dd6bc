"""Runs jobs on DBOS: durable workflows in SQLite or PostgreSQL.

A job is a row of the app's own table. The engine hands queued ones over to DBOS, whose workflow has
the job's id, so that handing over twice is harmless. DBOS keeps what each step gave; after a kill
the workflow runs again and passes over the steps that are done. Who is alive is told by
heartbeats, and what a dead process had is run by another.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID
from dbos._dbos import _get_dbos_instance
from sqlalchemy import Engine, create_engine, select, update
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from app.acting import SYSTEM, engine_for
from app.config import Settings
from app.database import parse_url, set_up_engine, sync_url
from app.jobs.attempts import Attempts
from app.jobs.kinds import KINDS, Kind
from app.jobs.queues import Waiting, look_for_delays_seldom, register_queues
from app.jobs.schedules import SCHEDULES
from app.jobs.system_database import engine_options, system_url
from app.jobs.workers import BEAT_SECONDS, Workers
from app.lib.logger import TraceLogger
from app.lib.tracelog.short_turns import take_short_turns
from app.mail import Mailer, make_mailer
from app.models.job import Job

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5
"""How often new jobs are looked for."""

ENGINE: Final = "app"
"""What DBOS knows its queues and workflows by, of whatever process."""

_BATCH: Final = 50
_JOBS: Final = Job.__table__.c
_QUEUED: Final = (
    select(_JOBS.id, _JOBS.kind, _JOBS.user_id, _JOBS.step_number)
    .where(_JOBS.status == "queued", ~_JOBS.handed_over)
    .order_by(_JOBS.created_at)
    .limit(_BATCH)
)
# Not the code's hash, which DBOS would take: jobs go on over a deploy. A change of a kind's steps
# that cannot take over what older code has done needs a kind of another name.
_VERSION: Final = "1"
_STOPPING_SECONDS: Final = 5.0


class JobEngine:
    """One per process, since DBOS has one instance per process. `start` and `stop` block."""

    def __init__(
        self, settings: Settings, logger: TraceLogger, mailer: Mailer | None = None
    ) -> None:
        """`mailer` is the app's, so that in development one finds what jobs send."""
        self._settings = settings
        self._url = parse_url(settings.database_url)
        self._logger = logger
        self._engine: Engine | None = None
        self._workers = Workers(lambda: self._connected)
        self._stopping = threading.Event()
        mailer = mailer or make_mailer(settings)
        self._attempts = Attempts(lambda: self._connected, settings, logger, self._stopping, mailer)
        self._wake = threading.Event()
        self._waiting: Waiting
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Connect, take back what dead processes had, and begin to run jobs."""
        take_short_turns()
        engine = create_engine(sync_url(self._url), **_pool(self._url))
        set_up_engine(engine)
        # The engine looks at everybody's jobs; what a job itself does, it does as its user.
        self._engine = engine_for(engine, SYSTEM)
        self._workers.beat()
        look_for_delays_seldom()
        DBOS(config=self._config())
        _join_app_log(logging.getLogger("dbos"))
        DBOS.launch()
        _engines[:] = [self]
        register_queues()
        self._waiting = Waiting(_get_dbos_instance()._sys_db)
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
        self._workers.sign_off()
        self._engine.dispose()
        self._engine = None

    def execute(self, job_id: str) -> None:
        """Run one attempt at a job, in a thread of DBOS."""
        self._attempts.execute(job_id)

    def run_schedule(self, name: str) -> None:
        """Do work that the clock has called for, in a thread of DBOS."""
        schedule = SCHEDULES.get(name)
        if schedule is None:
            return  # a deploy has taken it away
        with self._logger.task(name) as task, task.step("Run") as step:
            step.output = schedule.work(self._connected, self._settings)

    def _repeat(self, work: Callable[[], None], seconds: float) -> None:
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
        with self._connected.connect() as connection:
            waiting = connection.execute(_QUEUED).all()
        for job_id, kind_name, user_id, step_number in waiting:
            if (kind := KINDS.get(kind_name)) is None:
                continue  # an instance with newer code knows it
            if not _hand_over(kind, job_id, str(user_id), step_number):
                continue
            with Session(self._connected) as session, session.begin():
                session.execute(update(Job).where(Job.id == job_id).values(handed_over=True))
        self._waiting.look()

    def _beat_and_sweep(self) -> None:
        self._workers.beat()
        if dead := self._workers.dead(self._waiting.at_work()):
            log.warning("Jobs of %s are taken over.", ", ".join(dead))
            DBOS._recover_pending_workflows(dead)
            self._wake.set()

    @property
    def _connected(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("the job engine is not started")
        return self._engine

    def _config(self) -> DBOSConfig:
        return {
            "name": ENGINE,
            "system_database_url": system_url(self._url),
            "db_engine_kwargs": {**engine_options(self._url)},
            "executor_id": self._workers.own,
            "application_version": _VERSION,
            "sys_db_pool_size": 5,
            # Nothing listens, so looking costs no query; the end waits for the next look.
            "notification_listener_polling_interval_sec": 0.1,
            "notification_coalesce_sec": 0.1,
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


def _pool(url: URL) -> Mapping[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": 30}}
    return {
        "pool_size": 5,
        "max_overflow": 5,
        "pool_pre_ping": True,
        "connect_args": {"connect_timeout": 5, "prepare_threshold": None},
    }
