"""A process of the app's own that delivers in its place.

The making of batches takes the interpreter, and a request waits for it meanwhile. So who leads
starts a process that does nothing else, and hands it the lock once it is ready: as an open file,
so that there is no moment at which nobody holds it, and another could start a second process. The
process ends with the app, however that ends; whoever of the app's processes finds the lock free
then goes on.

`python -m app.lib.tracelog.shipper.beside LOCK ANSWER` is that process; it gets two open files. It
imports little, since it costs its memory for as long as the app runs.
"""

import json
import logging
import logging.config
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from app.lib.tracelog.upkeep.retention import Rules

log = logging.getLogger("tracelog")

AGAIN_SECONDS: Final = 60.0
"""How long after its start a process that has ended is started anew, at the soonest."""

_PARENT_SECONDS: Final = 1.0
_IDLE_SECONDS: Final = 0.1
_READY: Final = b"ready\n"
_GO: Final = b"go\n"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be delivered, where to, and what is kept.

    `log_config`, for `logging.config.dictConfig`, says how the process tells what goes wrong; all
    in it can be written as JSON.
    """

    log_dir: str
    url: str
    token: str
    rules: Rules
    log_config: Mapping[str, object] | None = None


class Beside:
    """The process beside this one, of which there is at most one at a time. Used by one thread."""

    def __init__(self, order: Order, *, again_seconds: float = AGAIN_SECONDS) -> None:
        self._order = order
        self._again_seconds = again_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._answer: int | None = None
        self._started_at = -again_seconds
        self.leads = False
        """Whether the lock was handed to it."""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def runs(self) -> bool:
        if self._process is None:
            return False
        if self._process.poll() is None:
            return True
        self.end()
        return False

    def start(self, lock: int) -> None:
        """Start it with the open file that holds the lock, unless that was tried lately."""
        now = time.monotonic()
        if now - self._started_at < self._again_seconds:
            return
        self._started_at = now
        answer = None
        try:
            self._answer, answer = os.pipe()
            os.set_blocking(self._answer, False)
            self._process = subprocess.Popen(  # noqa: S603 # our own module
                [sys.executable, "-m", __spec__.name, str(lock), str(answer)],
                stdin=subprocess.PIPE,
                env=_with_path(os.environ),
                pass_fds=[lock, answer],
                # What ends the app from its terminal is not meant for it: the app ends it.
                start_new_session=True,
            )
            # The token is not for the list of processes.
            self._tell(json.dumps(asdict(self._order)).encode() + b"\n")
        except OSError as error:
            log.warning("No process delivers beside this one: %s", error)
            self.end()
        finally:
            if answer is not None:
                os.close(answer)

    def is_ready(self) -> bool:
        """Whether it waits for the lock."""
        if self._answer is None:
            return False
        try:
            return os.read(self._answer, len(_READY)) == _READY
        except BlockingIOError:
            return False

    def lead(self) -> None:
        """Tell it that the lock is its own from now on."""
        self.leads = True
        try:
            self._tell(_GO)
        except OSError:
            self.end()

    def end(self) -> None:
        """Have it end, without waiting for that; it lets go of the lock."""
        process, self._process = self._process, None
        answer, self._answer = self._answer, None
        self.leads = False
        if answer is not None:
            os.close(answer)
        if process is None:
            return
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        if process.poll() is None:
            _ending.append(process)
        _ending[:] = [each for each in _ending if each.poll() is None]

    def _tell(self, line: bytes) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(line)
            self._process.stdin.flush()


_ending: Final[list[subprocess.Popen[bytes]]] = []


def _with_path(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process that finds the same modules."""
    # What is no text there Python itself passes over.
    folders = [folder for folder in sys.path if folder and isinstance(folder, str)]
    return {**environ, "PYTHONPATH": os.pathsep.join(folders)}


def main(lock: int, answer: int) -> None:
    """Deliver what standard input orders, until that is at its end."""
    try:
        _main(lock, answer)
    # Whatever ends it is told as the app tells things, and not by Python as it likes.
    except Exception:
        log.critical("The process that delivers the trace log ends.", exc_info=True)


def _main(lock: int, answer: int) -> None:
    # Imported by the process alone; the app has what it needs of them.
    from app.lib.tracelog.journal.tally import Tally
    from app.lib.tracelog.shipper.accounting import Accountant
    from app.lib.tracelog.shipper.shipper import Shipper
    from app.lib.tracelog.store.opening import address_of, open_store
    from app.lib.tracelog.upkeep.housekeeping import Housekeeper

    parent = os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT):
        # The app drains the log when it is asked to end, and ends this process itself.
        signal.signal(number, signal.SIG_IGN)
    order = json.loads(sys.stdin.buffer.readline() or b"null")
    if order is None:
        return
    if order["log_config"] is not None:
        logging.config.dictConfig(order["log_config"])
    else:
        logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.captureWarnings(capture=True)
    log_dir, rules = Path(order["log_dir"]), Rules(**order["rules"])
    address = address_of(order["url"], log_dir)
    shipper = Shipper(
        log_dir,
        lambda: open_store(order["url"], order["token"]),
        # Nobody can wake it.
        idle_seconds=_IDLE_SECONDS,
        housekeeper=Housekeeper(log_dir, rules, Accountant(log_dir, Tally(log_dir))),
        address=address,
    )
    try:
        os.write(answer, _READY)
    except BrokenPipeError:  # the app has ended meanwhile
        return
    if sys.stdin.buffer.readline() != _GO:
        return
    shipper.start(lock=lock)
    # A process that the app has forked may keep the pipe open.
    while not select.select([sys.stdin], [], [], _PARENT_SECONDS)[0] and os.getppid() == parent:
        continue
    shipper.stop(1.0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
    # A call to the store that is under way is not waited for.
    os._exit(0)
