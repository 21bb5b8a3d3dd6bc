"""A job while it runs: its steps, its progress, and its way to the database."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any, Final, TypeVar

from dbos import DBOS
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from app.acting import USER_ROLE, Actor, engine_for
from app.config import Settings
from app.database import Database
from app.jobs.pace import Pace
from app.lib.tracelog.steps import Step, Task
from app.lib.utils import utc_now
from app.mail import Mail, Mailer
from app.models.job import Job

NOTE_SECONDS: Final = 0.5
"""How often progress is written for the page that shows it."""

RECORD_SECONDS: Final = 5.0
"""How often progress becomes a row of the trace log."""

AWAY_SECONDS: Final = 300.0
"""How long a step waits for a database that is away."""

_MOST_STEPS: Final = 40

T = TypeVar("T")


class JobError(Exception):
    """A job cannot go on, for a reason that its user can be told.

    `app/routers/job_texts.py` has the sentence of each `code`.
    """

    def __init__(self, code: str, **values: str | int) -> None:
        super().__init__(" ".join([code, *(f"{name}={value}" for name, value in values.items())]))
        self.code = code
        self.values = values


class Cancelled(Exception):
    """The user wants the job to end."""


class Interrupted(BaseException):
    """This process must leave the job to another attempt: it ends, or was taken for dead.

    It is no `Exception`, so that neither work nor engine takes it for the job's failure.
    """


class RunningJob:
    """What a job's work gets.

    `should_stop` tells that this process ends. Blocking calls are fine: each job has a thread.
    """

    def __init__(
        self,
        row: Job,
        task: Task,
        engine: Engine,
        settings: Settings,
        should_stop: Callable[[], bool],
        mailer: Mailer,
    ) -> None:
        self.id = row.id
        self.user_id = row.user_id
        self.attempt = row.attempt
        self.settings = settings
        self.step_number = 0
        self._steps = list(row.steps)
        self._task = task
        self._engine = engine_for(engine, Actor(USER_ROLE, row.user_id))
        self._should_stop = should_stop
        self._mailer = mailer
        self._step: Step | None = None
        self._is_undoing = False
        self._pace = Pace()
        self._noted = 0.0
        self._looked = 0.0
        self._recorded = 0.0

    def step(self, name: str, work: Callable[..., T], *args: Any) -> T:
        """Call `work(*args)` as a step, or give what it gave in an earlier attempt.

        The arguments and the result are shown in the trace log and the result is kept, so both are
        small and plain. A step that a kill ended is called again: it must find out by itself, from
        what it has committed, where to go on. A database that is away is waited for.
        """
        self.step_number += 1
        step = self._task.step(name, list(args) or None)

        failure: Exception | None = None

        def once() -> T:
            nonlocal failure
            try:
                return self._with_patience(name, step, work, args)
            # Whatever it is: it is only remembered here.
            except Exception as error:
                failure = error
                raise

        try:
            return DBOS.run_step({"name": name}, once)
        # Whatever it is: it goes on, or what came before it does.
        except Exception:
            if failure is not None:  # where DBOS cannot keep it, that is not what went wrong first
                raise failure from None
            raise

    def undo(self, name: str, work: Callable[[], T]) -> None:
        """Call `work` as a step that nobody can cancel, and that is not done a first time."""
        self._is_undoing = True
        step = self._task.step(name)
        self._with_patience(name, step, work, ())

    def progress(self, done: int, total: int | None = None) -> None:
        """Say how far the step is, as often as you like.

        Raises `Cancelled` and `Interrupted`: it is where a long step can be ended.
        """
        now = time.monotonic()
        took = self._pace.seconds(done, now)
        if now - self._noted < NOTE_SECONDS:
            return
        self._noted = now
        self.check()
        self._note(done=done, total=total, step_at=utc_now() - timedelta(seconds=took))
        if now - self._recorded >= RECORD_SECONDS and self._step is not None:
            self._recorded = now
            self._step.progress(done, total)

    def look(self) -> None:
        """Raise what `progress` would, where there is nothing to say of how far it is."""
        now = time.monotonic()
        if now - self._looked >= NOTE_SECONDS:
            self._looked = now
            self.check()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction that counts only if this attempt still has the job. It acts for its user.

        Raises `Interrupted` where it does not.
        """
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session
            self._hold(session)

    @asynccontextmanager
    async def async_transaction(self, database: Database) -> AsyncIterator[AsyncSession]:
        """The same on an async engine."""
        async with database.session(self.user_id) as session:
            yield session
            await session.run_sync(self._hold)

    def send(self, mail: Mail) -> None:
        """Hand a mail to the server. Raises `MailFailed`, which the user is told as the reason.

        A step that a kill ended between this and its end sends it again.
        """
        asyncio.run(self._mailer.send(mail))

    def check(self) -> None:
        """Raise `Cancelled` or `Interrupted` where the job is not to go on."""
        if self._should_stop():
            raise Interrupted
        with Session(self._engine) as session:
            row = session.execute(
                select(Job.attempt, Job.cancel, Job.status).where(Job.id == self.id)
            ).one_or_none()
        if row is None or row.attempt != self.attempt or row.status != "running":
            raise Interrupted
        if row.cancel and not self._is_undoing:
            raise Cancelled

    def _with_patience(
        self, name: str, step: Step, work: Callable[..., T], args: tuple[Any, ...]
    ) -> T:
        deadline, pause = time.monotonic() + AWAY_SECONDS, 0.5
        while True:
            try:
                self.check()
                self._begin_step(name, step)
                with step:
                    result = work(*args)
                    step.output = result
                self._note(steps=self._steps_now("done"))
                return result
            except (OperationalError, InterfaceError) as error:
                if not _is_away(error) or time.monotonic() > deadline:
                    raise
            self._wait(pause)
            pause = min(pause * 2, 10.0)

    def _begin_step(self, name: str, step: Step) -> None:
        now = utc_now()
        begun = {"name": name, "attempt": self.attempt, "began_at": now.isoformat()}
        self._steps = [*self._steps_now("failed")[-_MOST_STEPS:], begun | {"status": "running"}]
        values = {"step": name, "step_at": now, "done": 0}
        if not self._is_undoing:  # a retry goes on from what was done before
            values["step_number"] = self.step_number
        self._note(**values, total=None, steps=self._steps)
        self._step = step
        self._noted = self._recorded = time.monotonic()
        self._pace = Pace()

    def _steps_now(self, status: str) -> list[dict[str, Any]]:
        """The steps, with the last one at its end if it ran."""
        self._steps = ended(self._steps, status)
        return self._steps

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._should_stop():
                raise Interrupted
            time.sleep(0.1)

    def _note(self, **values: Any) -> None:
        with Session(self._engine) as session, session.begin():
            self._hold(session, **values)

    def _hold(self, session: Session, /, **values: Any) -> None:
        """Write to the job's row, which also proves that it is still ours."""
        # The time that is left is reckoned from when progress was noted, and not from a proof.
        changed_at = utc_now() if values else Job.changed_at
        held = session.execute(
            update(Job)
            .where(Job.id == self.id, Job.attempt == self.attempt, Job.status == "running")
            .values(changed_at=changed_at, **values)
        )
        if held.rowcount != 1:  # type: ignore[attr-defined] # an UPDATE's result has it
            raise Interrupted


def ended(steps: list[dict[str, Any]], status: str) -> list[dict[str, Any]]:
    """The steps, with a last one that runs at its end."""
    if not steps or steps[-1]["status"] != "running":
        return steps
    return [*steps[:-1], steps[-1] | {"status": status, "ended_at": utc_now().isoformat()}]


def _is_away(error: DBAPIError) -> bool:
    """Whether the database does not answer; a busy SQLite is the same for us."""
    text = str(error.orig).lower()
    return error.connection_invalidated or any(
        words in text
        for words in (
            "locked",
            "busy",
            "connection",
            "closed",
            "terminat",
            "shutting down",
            "starting up",
            "refused",
            "timeout",
            "timed out",
        )
    )
