"""A process that runs made-up jobs, for tests that kill it."""

import logging
import multiprocessing
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from tests.support.forks import Fork


def main(url: str, folder: Path, test: Connection) -> None:
    """Run jobs until the test closes its end of the connection."""
    # Here, since jobs are known to whole processes: the test's is to know the app's own alone.
    from app.config import Settings
    from app.jobs import engine as engines
    from app.jobs import queues
    from app.lib.logger import CSVOnlyLogger
    from tests.jobs import made_up_jobs

    engines.LOOK_SECONDS = queues._SECONDS = 0.1  # type: ignore[misc] # for the tests' sake
    made_up_jobs.FOLDER = folder
    logging.disable(logging.ERROR)
    logger = CSVOnlyLogger(folder / "logs")
    settings = Settings(database_url=url, picture_dir=folder / "pictures")
    engine = engines.JobEngine(settings, logger)
    engine.start()
    test.send("ready")
    try:
        test.recv()
    except EOFError:
        engine.stop()
        logger.close()


class Worker:
    """Such a process, once it is ready; or another that takes the same, after `more`."""

    def __init__(
        self, url: str, folder: Path, run: Callable[..., None] = main, *more: object
    ) -> None:
        self._connection, theirs = multiprocessing.Pipe()
        self.process: Fork | _Spawned
        if sys.platform == "win32":
            self.process = _Spawned(target=run, args=(url, folder, *more, theirs))
            self.process.start()
        else:
            self.process = Fork(run, url, folder, *more, output=2, connections=[theirs])
        theirs.close()
        assert self._connection.recv() == "ready"

    def hear(self, seconds: float) -> object:
        """What it says next; none once it is dead. Raises `TimeoutError`."""
        if not self._connection.poll(seconds):
            raise TimeoutError("the process says nothing")
        try:
            return self._connection.recv()
        except EOFError:
            return None

    def end(self) -> int | None:
        """End it as a shutdown does; its exit code."""
        self._connection.close()
        return self.process.wait(30)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._connection.close()


class _Spawned(SpawnProcess):
    def wait(self, seconds: float | None = None) -> int | None:
        self.join(seconds)
        return self.exitcode
