"""The processes off which others are forked, for all of a test run.

    python -m tests.support.fork_server FOLDER [TESTS]

They go on by themselves once they can be asked, at the sockets in the folder, and end with the last
that asks. They have no threads. `TESTS`, pytest's arguments in JSON, is for one more that has read
these; then this ends only when all have read theirs, with 1 where one could not.
"""

import atexit
import gc
import importlib
import json
import os
import pickle
import selectors
import shutil
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import get_args

gc.disable()

from tests.support.forks import Has, Task  # noqa: E402 # nothing that is imported is garbage

PACKAGES = (
    *("alembic.command", "aiosqlite", "babel.support", "dbos", "email_validator", "fastapi"),
    *("fastapi.openapi.utils", "httpx", "jinja2", "jwt", "psycopg", "pyotp"),
    *("python_multipart", "sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.sqlite"),
    *("sqlalchemy.ext.asyncio", "sqlalchemy.orm", "uvicorn.lifespan.on", "uvicorn.loops.auto"),
    *("uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto"),
)
"""Most of what the app's modules import."""
_OF_TESTS = ("anyio.pytest_plugin", "hypothesis", "pytest")
"""What tests of a copy import besides."""

_MOST_CONNECTIONS = 8
_UNASKED_SECONDS = 300.0
"""How long they wait for the first that asks."""


class _Server:
    def __init__(self, folder: Path, has: Has) -> None:
        path = folder / has
        path.unlink(missing_ok=True)  # of one that has died
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._forks: dict[int, socket.socket] = {}
        """Who asked for it, by its process id."""

    def close(self) -> None:
        self._listener.close()

    def serve(self) -> None:
        """Fork what is asked for until nobody is there any more."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        ends, wakes = socket.socketpair()
        ends.setblocking(False)
        wakes.setblocking(False)
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        asking = selectors.DefaultSelector()
        for own in (self._listener, ends):
            asking.register(own, selectors.EVENT_READ)
        while True:
            nobody_yet = len(asking.get_map()) == 2
            ready = asking.select(_UNASKED_SECONDS if nobody_yet else None)
            if not ready:
                return
            for key, _ in ready:
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                if connection is self._listener:
                    asking.register(connection.accept()[0], selectors.EVENT_READ)
                elif connection is ends:
                    ends.recv(4096)
                    self._tell_of_ends()
                elif not self._is_asked(connection):
                    asking.unregister(connection)
                    connection.close()
                    if len(asking.get_map()) == 2:
                        return

    def _is_asked(self, connection: socket.socket) -> bool:
        """Fork for whoever asks; False once they are gone."""
        size, given, _, _ = socket.recv_fds(connection, 4, _MOST_CONNECTIONS)
        if not size:
            return False
        task = connection.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
        if child := os.fork():
            for descriptor in given:
                os.close(descriptor)
            self._forks[child] = connection
            connection.sendall(child.to_bytes(4, "big"))
        else:
            _become(task, given)
        return True

    def _tell_of_ends(self) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                asked = self._forks.pop(ended[0], None)
                with suppress(OSError):  # who asked may be gone
                    if asked is not None:
                        asked.sendall(ended[1].to_bytes(4, "big"))


def _become(content: bytes, given: list[int]) -> None:
    """Do the task as a process of its own, and end."""
    code: object = 1
    try:
        output, *more = given
        for stream in (1, 2):
            os.dup2(output, stream)
        _close_all_but(more)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        task: Task = pickle.loads(content)
        os.environ.clear()
        os.environ.update(task.env)
        os.chdir(task.cwd)
        gc.enable()
        task.run(*task.arguments, *map(Connection, more))
        code = 0
    except SystemExit as end:
        code = end.code or 0
        if not isinstance(code, int):
            sys.stderr.write(f"{code}\n")
    # Whatever it is, it is the end of this process, and told where the test looks.
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        os._exit(code if isinstance(code, int) else 1)


def _close_all_but(descriptors: list[int]) -> None:
    first = 3
    for descriptor in sorted(descriptors):
        os.closerange(first, descriptor)
        os.set_inheritable(descriptor, False)
        first = descriptor + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def main(folder: Path, tests: str = "") -> None:
    """Serve in processes that whoever has started this one need not wait for."""
    folder.mkdir(mode=0o700, exist_ok=True)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    kinds: tuple[Has, ...] = get_args(Has)[: None if tests else -1]
    servers = {has: _Server(folder, has) for has in kinds}
    reads, tells = os.pipe()
    if os.fork():
        os.close(tells)
        os._exit(int(bool(tests) and _all_that_is_told(reads) != len(kinds)))
    os.close(reads)
    for has in kinds:
        _read(has, tests)
        if has == kinds[-1] or not os.fork():
            break
    for other in kinds:
        if other != has:
            servers[other].close()
    if has == "packages":
        for name in _OF_TESTS:
            importlib.import_module(name)
    assert threading.active_count() == 1
    gc.freeze()
    if tests:
        os.write(tells, b".")
        # Whoever has started this reads along until nobody writes any more.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        os.close(nowhere)
    os.close(tells)
    servers[has].serve()
    shutil.rmtree(folder, ignore_errors=True)


def _all_that_is_told(descriptor: int) -> int:
    """How many bytes come before the last that could write one has closed its end."""
    told = 0
    while some := os.read(descriptor, 64):
        told += len(some)
    return told


def _read(has: Has, tests: str) -> None:
    """Read what `has` has, after what those before it have."""
    if has == "packages":
        for name in PACKAGES:
            importlib.import_module(name)
    elif has == "app":
        for name in ("app.main", "app.jobs.engine"):
            importlib.import_module(name)
        importlib.import_module("sqlalchemy.orm").configure_mappers()
    else:
        importlib.import_module("tests.support.workers").read_tests(json.loads(tests))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
