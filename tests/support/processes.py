"""Programs that a test starts, waits for, disturbs and ends."""

import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, TypedDict
from urllib.parse import urlsplit

import psutil

from tests.support.forks import Fork, Process, run_module, run_pytest, run_script


def _ports() -> Iterator[int]:
    # Below what the system hands out for outgoing connections, so that none of those takes a port
    # between being found and being used. Each process of a test run has ports of its own, and
    # hands out all of them before one comes again: a program may need minutes until it listens.
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = list(range(20_000 + number % 16, 32_000, 16))
    random.shuffle(own)
    yield from itertools.cycle(own)


_PORTS = _ports()

_FORKED = {"tests.faults.deliverer", "tests.faults.writer", "tests.support.served"}
"""Modules that need no Python of their own: each has a `main` that takes the arguments."""

SPARE_SECONDS = 20.0
"""What a machine that is busy with other tests may take longer than the program promises.

Whoever breaks such a promise hangs, for good or for minutes.
"""


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    for port in _PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("the ports have no end")


def wait_until(ready: Callable[[], bool], *, seconds: float = 60.0, what: str = "it") -> None:
    """Ask `ready` every 10 ms until it says yes; after `seconds` raise `TimeoutError`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come about within {seconds} s")
        time.sleep(0.01)


def open_descriptors() -> int:
    """How many files this process has open. Windows does not tell."""
    count: int = psutil.Process().num_fds()
    return count


def answers(url: str) -> bool:
    """Whether an HTTP server answers there, whatever it says."""
    # Asked again and again while a program starts: httpx would read all certificates each time.
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.netloc, timeout=1.0)) as connection:
        try:
            connection.request("GET", parts.path or "/")
            connection.getresponse().read()
        except (OSError, HTTPException):
            return False
    return True


def begin(command: Sequence[str], output: IO[bytes], env: Mapping[str, str], cwd: Path) -> Process:
    """Start a program; as a fork where that does the same, without what Python takes to start."""
    if sys.platform != "win32" and command[0] == sys.executable:
        given: _Given = {"output": output.fileno(), "env": env, "cwd": cwd}
        match command[1:]:
            case ["-m", module, *arguments] if module in _FORKED:
                return Fork(run_module, module, arguments, **given)
            case ["-m", "pytest", *arguments] if not _tells_python(env):
                return Fork(run_pytest, arguments, has="packages", **given)
            # Settings of Python itself are for one that starts.
            case [script, *arguments] if script.endswith("manage.py") and not _tells_python(env):
                return Fork(run_script, str(cwd / script), arguments, has="packages", **given)
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=env, cwd=cwd
    )


class _Given(TypedDict):
    output: int
    env: Mapping[str, str]
    cwd: Path


def _tells_python(env: Mapping[str, str]) -> bool:
    return any(name.startswith("PYTHON") for name in env)


def finish(
    command: Sequence[str], env: Mapping[str, str], cwd: Path, seconds: float = 600.0
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; standard error is part of `stdout`."""
    with tempfile.TemporaryFile() as output:
        process = begin(command, output, env, cwd)
        try:
            code = process.wait(seconds)
        finally:
            process.kill()
            process.wait()
        output.seek(0)
        return subprocess.CompletedProcess(command, code, output.read().decode())


class Program:
    """One program, started anew as often as a test likes, always with the same command.

    `ready` tells when it can be used; what it prints goes to `log`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        ready: Callable[[], bool],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.command = list(command)
        self.ready = ready
        self.log = log
        self.env = dict(os.environ if env is None else env)
        self.cwd = cwd
        self._process: Process | None = None
        self._output: IO[bytes] | None = None

    @property
    def process(self) -> Process:
        assert self._process is not None, "not started"
        return self._process

    def start(self, seconds: float = 90.0) -> None:
        """Start it and return once it is ready, or has done its work and ended.

        Raises `AssertionError` with its output.
        """
        self._output = self.log.open("ab")
        self._process = self._begin(self._output)
        try:
            wait_until(self._is_up, seconds=seconds, what=f"the start of {self.command[0]}")
        except TimeoutError as error:
            self.kill()
            raise AssertionError(f"{error}:\n{self.output()}") from None
        except BaseException:
            self.kill()
            raise
        if (code := self._process.poll()) is not None and (code or not self.ready()):
            self.kill()
            raise AssertionError(f"{self.command} ended at once:\n{self.output()}")

    def stop(self, seconds: float = 60.0) -> int:
        """Ask it to end (SIGTERM), wait, and return its exit code."""
        self.process.terminate()
        return self.wait(seconds)

    def wait(self, seconds: float = 60.0) -> int:
        """Wait for its end and return its exit code. Raises `AssertionError` with its output."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.command} did not end:\n{self.output()}") from None
        finally:
            self._close()

    def kill(self) -> None:
        """End it and what it started at once (SIGKILL); harmless where it is not running."""
        if self._process is not None:
            if self._process.poll() is None:
                for child in psutil.Process(self._process.pid).children(recursive=True):
                    with suppress(psutil.NoSuchProcess):
                        child.kill()
            self._process.kill()
            self._process.wait()
        self._close()

    def pause(self) -> None:
        """Let it hang (SIGSTOP): it takes connections and answers none."""
        self.process.send_signal(signal.SIGSTOP)
        # The signal is on its way until the system says that it has stopped.
        process = psutil.Process(self.process.pid)
        wait_until(lambda: process.status() == psutil.STATUS_STOPPED, what="its stop")

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def output(self) -> str:
        """What it has printed, over all its starts."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def _begin(self, output: IO[bytes]) -> Process:
        return begin(self.command, output, self.env, self.cwd or Path.cwd())

    def _is_up(self) -> bool:
        return self.process.poll() is not None or self.ready()

    def _close(self) -> None:
        if self._output is not None:
            self._output.close()
            self._output = None
