"""All faults at once, at random, for as long as wanted; the oracle is asked once a minute.

Writers and deliverers work on one log folder, on a small disk where one can be made. Between them
and a real `sqld` stands a proxy. Each second or so something is done to one of them. What is
decided comes from the seed; what it meets depends on the machine.
"""

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.lib.tracelog import codec
from app.lib.tracelog.schema import API_LOGS, TABLES
from app.lib.tracelog.shipper.accounting import Account
from app.lib.tracelog.shipper.checkpoint import FILE_NAME
from tests.faults.ledger import account_of, numbers
from tests.faults.scene import Scene
from tests.faults.store_faults import FAULTS
from tests.lib.tracelog.rows import api_row
from tests.support import faulty_server as proxies
from tests.support.disk import SmallDisk
from tests.support.faulty_server import FaultyServer
from tests.support.processes import Program
from tests.support.turso import TursoServer

ROUND_SECONDS: Final = 60.0
WRITERS: Final = 4
DELIVERERS: Final = 2

_TOGETHER: Final = 5
"""How many rows some writers append at once."""

_DISK: Final = "64m"
_FOLDER_BYTES: Final = 16 << 20
_SIZES: Final = (300, 300, 300, 2_000, 6_000, 100_000)
_SEGMENTS: Final = (60_000, 400_000, 2_000_000)
_FSYNCS: Final = ("no", "everysec", "everysec", "always")


@dataclass(frozen=True, slots=True)
class Round:
    """What became of a minute: the account when all had come to rest, and what does not hold."""

    number: int
    account: Account
    faults: int
    wrong: list[str]

    @property
    def identity(self) -> str:
        return numbers(self.account)


class Chaos:
    """A log folder in trouble, below `folder`, where `faults.log` tells what is done when."""

    def __init__(self, folder: Path, server: TursoServer, seed: int) -> None:
        self.faults = 0
        self.killed = 0
        self._draw = random.Random(seed)
        self._server = server
        self._proxy = FaultyServer(server.url)
        self._disk = SmallDisk(folder / "disk", _DISK)
        self._scene = Scene(folder, self._disk.folder / "logs")
        self._scene.url = server.url
        self._scene.ledger.together = _TOGETHER
        self._started = 0
        self._began = time.monotonic()
        self._notes = (folder / "faults.log").open("w", encoding="utf-8")
        self._writers: list[Program] = []
        self._deliverers: list[Program] = []

    def run(self, seconds: float) -> Iterator[Round]:
        """Do harm for so long, and yield what the oracle says to each minute of it."""
        self._server.start()
        self._scene.store.migrate()
        end, number = time.monotonic() + seconds, 0
        while (left := end - time.monotonic()) > 0:
            number += 1
            self._work(min(left, ROUND_SECONDS))
            self._rest()
            wrong = self._scene.ledger.violations(
                self._scene.log_dir, self._scene.store, killed=self.killed
            )
            yield Round(number, account_of(self._scene.log_dir), self.faults, wrong)

    def close(self) -> None:
        self._scene.end()
        self._proxy.close()
        self._server.kill()
        self._disk.remove()
        self._notes.close()

    # --- work and rest -----------------------------------------------------------------------

    def _work(self, seconds: float) -> None:
        self._writers = [self._writer() for _ in range(WRITERS)]
        self._deliverers = [self._deliverer() for _ in range(DELIVERERS)]
        harm: dict[str, tuple[int, Callable[[], None]]] = {
            "kill a writer": (4, lambda: self._kill(self._writers, self._writer)),
            "end a writer": (2, lambda: self._end(self._writers, self._writer)),
            "stop a writer": (2, lambda: self._stop(self._writers)),
            "kill a deliverer": (3, lambda: self._kill(self._deliverers, self._deliverer)),
            "end a deliverer": (1, lambda: self._end(self._deliverers, self._deliverer)),
            "stop a deliverer": (3, lambda: self._stop(self._deliverers)),
            "kill the server": (2, self._kill_server),
            "stop the server": (2, self._stop_server),
            "trouble on the way": (6, self._trouble),
            "fill the disk": (2, self._fill_disk),
            "tear a row": (2, self._tear),
            "damage the checkpoint": (1, self._damage_checkpoint),
            "burst with rotation": (2, self._burst),
        }
        names, weights = list(harm), [weight for weight, _ in harm.values()]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            name = self._draw.choices(names, weights)[0]
            self._note(name)
            harm[name][1]()
            self.faults += 1
            time.sleep(self._draw.random())

    def _rest(self) -> None:
        """Let everything be well again, and everybody come to an end."""
        self._note("rest")
        self._proxy.fault = proxies.passes
        everybody = [*self._writers, *self._deliverers]
        self._scene.stop(*everybody)
        self._scene.settle(60.0)
        self._scene.programs.clear()

    # --- what is done ------------------------------------------------------------------------

    def _kill(self, programs: list[Program], another: Callable[[], Program]) -> None:
        place = self._draw.randrange(len(programs))
        programs[place].kill()
        self.killed += 1
        programs[place] = another()

    def _end(self, programs: list[Program], another: Callable[[], Program]) -> None:
        place = self._draw.randrange(len(programs))
        self._scene.stop(programs[place])
        programs[place] = another()

    def _stop(self, programs: list[Program]) -> None:
        program, seconds = self._draw.choice(programs), self._draw.uniform(0.1, 3.0)
        program.pause()
        time.sleep(seconds)
        program.resume()

    def _kill_server(self) -> None:
        self._server.kill()
        time.sleep(self._draw.random())
        self._server.start()

    def _stop_server(self) -> None:
        self._server.pause()
        time.sleep(self._draw.uniform(0.1, 3.0))
        self._server.resume()

    def _trouble(self) -> None:
        name, seconds = self._draw.choice(list(FAULTS)), self._draw.uniform(0.1, 2.0)
        self._note(f"  {name}")
        self._proxy.fault = FAULTS[name]
        time.sleep(seconds)
        self._proxy.fault = proxies.passes

    def _fill_disk(self) -> None:
        seconds = self._draw.uniform(0.1, 1.5)
        if not self._disk.is_there:
            return
        self._disk.fill()
        time.sleep(seconds)
        self._disk.free()

    def _tear(self) -> None:
        """As a writer does that is killed in the middle of its row, which nobody was promised."""
        line = codec.encode(TABLES[API_LOGS], api_row("torn " * 20, path="/torn"))
        part = line[: self._draw.randrange(20, len(line) - 1)]
        with contextlib.suppress(OSError):
            fd = os.open(self._scene.log_dir / f"{API_LOGS}.csv", os.O_WRONLY | os.O_APPEND)
            try:
                os.write(fd, part)
                self.killed += 1
            finally:
                os.close(fd)

    def _damage_checkpoint(self) -> None:
        place, how = self._draw.random(), self._draw.choice(("cut", "zero", "flip"))
        path = self._scene.log_dir / FILE_NAME
        with contextlib.suppress(OSError):
            data = bytearray(path.read_bytes())
            at = int(place * len(data))
            if how == "cut":
                del data[at:]
            elif how == "zero":
                data[:] = bytes(len(data))
            else:
                data[at] ^= 1
            path.write_bytes(data)

    def _burst(self) -> None:
        self._scene.writer(
            self._name("burst"), "--rows", "300", "--pause", "0", "--segment-bytes", "8000",
            deliver=False,
        ).wait()  # fmt: skip

    # --- processes ---------------------------------------------------------------------------

    def _writer(self) -> Program:
        draw = self._draw
        options = ["--size", str(draw.choice(_SIZES)), "--fsync", draw.choice(_FSYNCS)]
        options += ["--segment-bytes", str(draw.choice(_SEGMENTS))]
        together = draw.choice((1, _TOGETHER))
        options += ["--folder-bytes", str(_FOLDER_BYTES), "--pause", str(0.015 * together)]
        options += ["--together", str(together)]
        deliver = draw.random() < 0.5
        return self._scene.writer(self._name("w"), *options, deliver=deliver, url=self._proxy.url)

    def _deliverer(self) -> Program:
        options = ["--batch-rows", str(self._draw.choice((20, 200, 500))), "--seconds", "1.5"]
        options += ["--folder-bytes", str(_FOLDER_BYTES)]
        return self._scene.deliverer(self._name("d"), *options, url=self._proxy.url)

    def _name(self, kind: str) -> str:
        self._started += 1
        return f"{kind}{self._started}"

    def _note(self, what: str) -> None:
        self._notes.write(f"{time.monotonic() - self._began:8.2f} {what}\n")
        self._notes.flush()
