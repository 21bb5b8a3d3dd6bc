"""A process that runs one job, and what that took: seconds, CPU and memory."""

import gc
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from app.acting import SYSTEM, engine_for
from app.config import Settings
from app.database import parse_url, set_up_engine, sync_url
from app.jobs.engine import JobEngine
from app.lib.logger import CSVOnlyLogger
from app.models.job import ENDED, Job
from benchmarks.crew import CONTEXT

MOST_SECONDS: Final = 1800.0
_LOOK_SECONDS: Final = 0.02
_QUIET_SECONDS: Final = 0.5
_TICKS: Final = 100
"""In a second, as Linux counts CPU time for others."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one job: its own clock's seconds, the CPU's, and bytes of memory above idle."""

    seconds: float
    steps: Mapping[str, float]
    cpu: float
    server_cpu: float
    memory: int
    status: str
    problem: Any
    result: Mapping[str, Any]


class JobProcess:
    """Runs what is queued in a database. Use in `with`; it idles when that begins."""

    def __init__(self, url: str, folder: Path) -> None:
        self._connection, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_work, args=(url, folder, theirs))

    def __enter__(self) -> "JobProcess":
        self._process.start()
        self._hear()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()
        self._process.join(30)

    def wait_for(self, job_id: str) -> Measured:
        """The job must be queued after this process has begun, or it is not all measured."""
        self._connection.send(job_id)
        measured: Measured = self._hear()
        return measured

    def _hear(self) -> Any:
        if not self._connection.poll(MOST_SECONDS):
            raise TimeoutError("the process that runs jobs says nothing")
        return self._connection.recv()


def settings_of(url: str, folder: Path) -> Settings:
    """The settings of a benchmark's jobs: all in `folder`."""
    return Settings(
        database_url=url,
        files_dir=folder / "files",
        picture_dir=folder / "pictures",
        import_max_bytes=1 << 30,
    )


def server_cpu(url: str) -> float:
    """CPU seconds of a PostgreSQL server on this machine, all of its processes; 0 elsewhere."""
    if url.startswith("sqlite"):
        return 0.0
    with psycopg.connect(url) as connection:
        try:
            own = _stat(connection.info.backend_pid)
        except OSError:
            return 0.0
        server = int(own[1])
        children = Path(f"/proc/{server}/task/{server}/children").read_text(encoding="ascii")
        ticks = sum(map(int, _stat(server)[13 - 2 : 17 - 2]))
        for child in children.split():
            ticks += sum(map(int, _stat(int(child))[13 - 2 : 15 - 2]))
    return ticks / _TICKS


def _stat(pid: int) -> list[str]:
    """What Linux says of a process, from the third field on: its name may have spaces."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return text.rpartition(")")[2].split()


def _work(url: str, folder: Path, parent: Connection) -> None:
    logger = CSVOnlyLogger(folder / "logs")
    jobs = JobEngine(settings_of(url, folder), logger)
    jobs.start()
    gc.freeze()  # as `manage.py run` does
    time.sleep(_QUIET_SECONDS)
    try:
        with _highest() as highest:
            cpu, of_server = time.process_time(), server_cpu(url)
            parent.send("ready")
            job = _ended(url, parent.recv())
            measured = Measured(
                seconds=sum(_seconds(job).values()),
                steps=_seconds(job),
                cpu=time.process_time() - cpu,
                server_cpu=server_cpu(url) - of_server,
                memory=highest[0],
                status=job.status,
                problem=job.problem,
                result=job.result or {},
            )
        parent.send(measured)
    finally:
        jobs.stop()
        logger.close()


def memory_now() -> int:
    """Bytes that this process has in memory, but for files that it has mapped: SQLite's database.

    0 where the system does not tell.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024


@contextmanager
def _highest() -> Iterator[list[int]]:
    """Bytes of memory above those at the beginning, at the worst moment so far."""
    idle, highest, is_over = memory_now(), [0], threading.Event()

    def watch() -> None:
        while not is_over.wait(_LOOK_SECONDS):
            highest[0] = max(highest[0], memory_now() - idle)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield highest
    is_over.set()
    watcher.join()


def _ended(url: str, job_id: str) -> Job:
    engine = create_engine(sync_url(parse_url(url)))
    set_up_engine(engine)
    try:
        while True:
            with Session(engine_for(engine, SYSTEM), expire_on_commit=False) as session:
                job = session.scalars(select(Job).where(Job.id == job_id)).one()
            if job.status in ENDED:
                return job
            time.sleep(0.2)
    finally:
        engine.dispose()


def _seconds(job: Job) -> dict[str, float]:
    return {
        step["name"]: (
            datetime.fromisoformat(step["ended_at"]) - datetime.fromisoformat(step["began_at"])
        ).total_seconds()
        for step in job.steps
    }
