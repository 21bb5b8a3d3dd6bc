"""A log folder, processes that write into it and deliver from it, a store, and the oracle."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from app.lib.tracelog.shipper.shipper import AnotherDelivers, Shipper
from app.lib.tracelog.store.opening import open_store
from app.lib.tracelog.store.store import Store
from commands.kit.environment import ROOT
from tests.faults.ledger import Ledger, account_of
from tests.support.live_app import clean_env
from tests.support.processes import Program, wait_until


class Scene:
    """Where a test has its log. `url` is the store's; give it another before the first process."""

    def __init__(self, folder: Path, log_dir: Path | None = None) -> None:
        self.folder = folder
        self.log_dir = log_dir or folder / "logs"
        self.url = f"file:{folder / 'store.db'}"
        self.token = ""
        self.ledger = Ledger(folder / "ledger")
        self.programs: list[Program] = []
        self._store: Store | None = None

    @property
    def store(self) -> Store:
        """The store itself, also where the processes reach it through something that fails."""
        if self._store is None:
            self._store = open_store(self.url, self.token)
            self._store.migrate()
        return self._store

    def writer(self, name: str, *options: str, deliver: bool = True, url: str = "") -> Program:
        """Start a writer and wait until its first row is taken."""
        command = [sys.executable, "-m", "tests.faults.writer", str(self.log_dir)]
        command += [str(self.ledger.path(name)), *options]
        if deliver:
            command += ["--url", url or self.url, "--token", self.token]
        return self._start(name, command, lambda: self.ledger.count(name) > 0)

    def deliverer(self, name: str, *options: str, url: str = "") -> Program:
        """Start a process that delivers and does nothing else, and wait until it tries to."""
        command = [sys.executable, "-m", "tests.faults.deliverer", str(self.log_dir)]
        command += [url or self.url, "--token", self.token, *options]
        log = self.folder / f"{name}.log"
        return self._start(name, command, lambda: b"tries" in log.read_bytes())

    def stop(self, *programs: Program) -> None:
        """Ask these to end, all at once, and wait until they have."""
        for program in programs:
            program.process.terminate()
        assert [program.wait() for program in programs] == [0] * len(programs)

    def settle(self, seconds: float = 90.0) -> None:
        """Deliver all that waits, in this process."""
        shipper = Shipper(self.log_dir, lambda: open_store(self.url, self.token))
        deadline = time.monotonic() + seconds
        try:
            while account_of(self.log_dir).pending:
                try:
                    shipper.run_once()
                except AnotherDelivers:
                    time.sleep(0.1)
                assert time.monotonic() < deadline, shipper.status()
        finally:
            shipper.stop()

    def shipped(self) -> int:
        return account_of(self.log_dir).shipped

    def wait_for(self, ready: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        wait_until(ready, seconds=seconds, what=what)

    def check(self, *, killed: int = 0, damaged: int = 0, drained: bool = True) -> None:
        """Ask the oracle; nobody may be at work any more."""
        wrong = self.ledger.violations(
            self.log_dir, self.store, killed=killed, damaged=damaged, drained=drained
        )
        assert not wrong, wrong

    def end(self) -> None:
        for program in self.programs:
            program.kill()
        if self._store is not None:
            self._store.close()

    def _start(self, name: str, command: list[str], ready: Callable[[], bool]) -> Program:
        program = Program(
            command,
            ready=ready,
            log=self.folder / f"{name}.log",
            env=clean_env(PYTHONPATH=str(ROOT)),
            cwd=ROOT,
        )
        self.programs.append(program)
        program.start()
        return program
