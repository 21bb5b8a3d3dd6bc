"""A process that runs the app's own jobs, and dies or waits at a moment of its own choice."""

import logging
import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from app.config import Settings
from tests.jobs.worker import Worker

IMPORT_BATCH = 100
EXPORT_PAGE = 20
SECONDS = 300.0
"""Longer than that no job takes, however busy the machine is."""

GO_ON = "go-on"
"""A process that waits goes on once there is a file of this name in its folder."""


@dataclass(frozen=True, slots=True)
class Plan:
    """At which moment a process dies, or waits; 0 is never.

    A moment is before or after each statement and commit of a job, the engine's own too, and at
    each look at how far a step is: so between any two things that a kill could part.
    """

    die_at: int = 0
    wait_at: int = 0
    is_idle: bool = False
    """Whether it waits at a look at how far it is, so outside of its transactions: the next one."""

    step: str = ""
    """Moments are counted from the beginning of this step on; without, from that of the job."""

    settings: Mapping[str, Any] = field(default_factory=dict)


def settings_of(url: str, folder: Path, **more: Any) -> Settings:
    """All files are in `folder`, unless `more` says otherwise."""
    folders = {"files_dir": folder / "files", "picture_dir": folder / "pictures"}
    return Settings(**{"database_url": url, **folders, **more})


def work(url: str, folder: Path, plan: Plan, parent: Connection) -> None:
    """Run jobs, and tell `parent` "waiting" and of each that has ended "done"."""
    from app.jobs import bulk_import, import_commit
    from app.jobs.attempts import Attempts
    from app.jobs.engine import JobEngine
    from app.jobs.running import RunningJob
    from app.lib.logger import CSVOnlyLogger
    from app.services import item_export

    logging.disable(logging.ERROR)
    import_commit._ROWS_A_BATCH = IMPORT_BATCH  # type: ignore[misc]
    bulk_import._ROWS_A_LOOK = 50  # type: ignore[misc]
    item_export.PAGE = EXPORT_PAGE  # type: ignore[misc]
    moments, at_work, has_begun = 0, set[int](), not plan.step
    waits = plan.wait_at > 0

    def moment(*given: object, **_named: object) -> None:
        nonlocal moments, waits
        if not has_begun or threading.get_ident() not in at_work:
            return  # the engine's own business goes on at its own pace
        moments += 1
        if moments == plan.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if waits and moments >= plan.wait_at and not (plan.is_idle and given):
            waits = False
            parent.send("waiting")
            while not (folder / GO_ON).exists():
                time.sleep(0.01)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, moment)
    progress, step = RunningJob.progress, RunningJob.step
    execute, end = Attempts.execute, Attempts._end

    def look(self: RunningJob, done: int, total: int | None = None) -> None:
        at_work.add(threading.get_ident())  # an import looks in a thread beside that of its job
        moment()
        progress(self, done, total)

    def begin(self: RunningJob, name: str, *given: Any) -> Any:
        nonlocal has_begun
        has_begun = has_begun or name == plan.step
        return step(self, name, *given)

    def execute_here(self: Attempts, job_id: str) -> None:
        at_work.add(threading.get_ident())
        execute(self, job_id)

    def end_and_tell(*given: Any, **named: Any) -> None:
        end(*given, **named)
        parent.send("done")

    RunningJob.progress = look  # type: ignore[method-assign]
    RunningJob.step = begin  # type: ignore[method-assign, assignment]
    Attempts.execute = execute_here  # type: ignore[method-assign]
    Attempts._end = end_and_tell  # type: ignore[method-assign]
    logger = CSVOnlyLogger(folder / "logs")
    engine = JobEngine(settings_of(url, folder, **plan.settings), logger)
    parent.send("ready")  # it may be dead soon
    engine.start()
    try:
        parent.recv()
    except EOFError:
        engine.stop()
        logger.close()


def run(url: str, folder: Path, plan: Plan) -> object:
    """What a process says last: "done", or nothing since it is dead."""
    worker = Worker(url, folder, work, plan)
    try:
        return worker.hear(SECONDS)
    finally:
        worker.kill()
