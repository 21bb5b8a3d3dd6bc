"""Processes forked off one that has read the app, where to start Python anew would take a second.

`tests/support/fork_server.py` is that one, and another that has read packages alone: off it come
the commands of a copy of the project, which read its files. Where several processes share the tests
there is one more, which has read those. There is none on Windows.

    python -m tests.support.forks RUN TESTS

starts all three ahead of a run, by its id of pytest-xdist, of `TESTS`: pytest's arguments in JSON.
"""

import importlib
import json
import multiprocessing.connection
import os
import pickle
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, get_args

ROOT = Path(__file__).resolve().parents[2]

Has = Literal["packages", "app", "tests"]
"""What a server has read: the latter also what those before it have."""


class Task(NamedTuple):
    """What a fork is to do, and where."""

    run: Callable[..., object]
    arguments: Sequence[object]
    env: dict[str, str]
    cwd: Path


class Process(Protocol):
    """What a `subprocess.Popen` and a `Fork` have in common."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, number: int, /) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Fork:
    """A process that calls `run` with `arguments`, and after them with `connections`.

    What it prints goes to the descriptor `output`.
    """

    def __init__(
        self,
        run: Callable[..., object],
        *arguments: object,
        output: int,
        has: Has = "app",
        env: Mapping[str, str] = os.environ,
        cwd: Path = ROOT,
        connections: Sequence[Connection] = (),
    ) -> None:
        task = pickle.dumps(Task(run, arguments, dict(env), cwd))
        given = [output, *(connection.fileno() for connection in connections)]
        self._code: int | None = None
        self._server = _ask(has)
        socket.send_fds(self._server, [len(task).to_bytes(4, "big")], given)
        self._server.sendall(task)
        self.pid = self._told()

    def poll(self) -> int | None:
        """Its exit code once it has ended; below 0 by a signal."""
        if self._code is None and multiprocessing.connection.wait([self._server], 0):
            self._end()
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit code. Raises `subprocess.TimeoutExpired`."""
        if self._code is None:
            if not multiprocessing.connection.wait([self._server], timeout):
                raise subprocess.TimeoutExpired(f"the fork {self.pid}", timeout or 0)
            self._end()
        assert self._code is not None
        return self._code

    def send_signal(self, number: int, /) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _end(self) -> None:
        self._code = os.waitstatus_to_exitcode(self._told())
        self._server.close()

    def _told(self) -> int:
        number = self._server.recv(4, socket.MSG_WAITALL)
        assert len(number) == 4, "the server of forks is gone"
        return int.from_bytes(number, "big")


def run_module(name: str, arguments: list[str]) -> object:
    """What `python -m` does, for a module with a `main` that takes the arguments."""
    sys.argv = [name, *arguments]
    return importlib.import_module(name).main(arguments)


def run_script(path: str, arguments: list[str]) -> None:
    """What `python PATH` does with a script of a copy of the project."""
    sys.argv = [path, *arguments]
    _forget_this_project(Path(path).parent)
    runpy.run_path(path, run_name="__main__")


def run_pytest(arguments: list[str]) -> None:
    """What `python -m pytest` does in a copy of the project."""
    rewrite = importlib.import_module("_pytest.assertion.rewrite")
    # What was read before, such as anyio, it cannot rewrite any more.
    rewrite.AssertionRewritingHook._warn_already_imported = lambda *_: None
    _forget_this_project(Path.cwd())
    sys.exit(importlib.import_module("pytest").main(arguments))


def _forget_this_project(copy: Path) -> None:
    sys.path[0] = str(copy)
    for name in [name for name in sys.modules if (ROOT / name.partition(".")[0]).is_dir()]:
        del sys.modules[name]


_STAYING: list[socket.socket] = []
"""The connections by which the servers know that this process may ask for more."""


def serve(tests: Sequence[str]) -> None:
    """Have servers for all of a run of `tests`, pytest's arguments, and one that has read these."""
    try:
        _stay(*get_args(Has))  # they were begun ahead
    except OSError:
        _start(json.dumps(tests))
        _stay(*get_args(Has))


@cache
def _folder() -> Path:
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
    # The address of a socket has 100 bytes or a few more, and a test's own folder takes most.
    return Path(tempfile.gettempdir()) / f"forks-{run[:8]}"


def _start(*arguments: str) -> None:
    command = [sys.executable, "-m", "tests.support.fork_server", str(_folder()), *arguments]
    subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=True)


def _ask(has: Has) -> socket.socket:
    if not _STAYING:
        _folder().mkdir(mode=0o700, exist_ok=True)
        with _turn():
            try:
                _stay("packages", "app")
            except OSError:
                _start()
                _stay("packages", "app")
    return _connect(has)


@contextmanager
def _turn() -> Iterator[None]:
    if sys.platform == "win32":
        raise OSError("nothing is forked here")
    import fcntl

    with (_folder() / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _stay(*kinds: Has) -> None:
    _STAYING.extend([_connect(has) for has in kinds])


def _connect(has: Has) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(_folder() / has))
    except OSError:
        connection.close()
        raise
    return connection


if __name__ == "__main__":
    os.environ["PYTEST_XDIST_TESTRUNUID"], arguments = sys.argv[1:]
    _start(arguments)
