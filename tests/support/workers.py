"""The processes that share the tests, forked off one that has read all of them.

Each would take two seconds to start Python, and to read the app and the tests.

    python -m tests.support.workers

stands for one that is forked: the process that hands out the tests starts it in place of Python.
"""

import gc
import importlib
import os
import shlex
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.forks import ROOT, Fork, serve

if TYPE_CHECKING:
    import execnet
    import pytest

_COMMAND = shlex.join([sys.executable, "-m", "tests.support.workers"])


def forked(config: "pytest.Config", specs: "list[execnet.XSpec]", run: str) -> None:
    """Have all the processes of a `run` forked, unless they are asked for in a way of their own."""
    if sys.platform == "linux" and all(spec.popen and not spec.python for spec in specs):
        os.environ["PYTEST_XDIST_TESTRUNUID"] = run  # by which they find what they are forked off
        serve(config.invocation_params.args)
        for spec in specs:
            spec.python = _COMMAND


def read_tests(arguments: list[str]) -> None:
    """Import what pytest will with these arguments, in the way that pytest does."""
    import _hypothesis_globals  # type: ignore[import-untyped]
    from _pytest.assertion.rewrite import AssertionRewritingHook
    from _pytest.config import _prepareconfig

    # What the app has read of packages with plugins, such as anyio, it cannot rewrite any more.
    AssertionRewritingHook._warn_already_imported = lambda *_: None  # type: ignore[method-assign]
    config = _prepareconfig(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in dict.fromkeys(_modules(config.args)):
            # Whoever runs the test tells what is wrong with it.
            with suppress(Exception):
                importlib.import_module(name)
    config._ensure_unconfigure()
    # As where a session begins; and what each would gather then.
    _hypothesis_globals.in_initialization -= 1
    importlib.import_module("hypothesis.internal.conjecture.providers")._get_local_constants()


def _modules(arguments: list[str]) -> Iterator[str]:
    for argument in arguments:
        path = Path(argument.partition("::")[0]).resolve()
        for pattern in ("conftest.py", "test_*.py"):
            for file in sorted(path.rglob(pattern)) if path.is_dir() else [path]:
                if file.is_relative_to(ROOT):
                    yield ".".join(file.relative_to(ROOT).with_suffix("").parts)


def work(stdin: Connection, stdout: Connection) -> None:
    """Run the tests that are handed out, as the Python does that execnet starts."""
    from execnet import gateway_base

    gc.disable()  # as tests/conftest.py does, which is there already
    for number, connection in enumerate((stdin, stdout)):
        os.dup2(connection.fileno(), number)
        connection.close()
    with open(0, encoding="utf-8", closefd=False) as source:
        source.readline()  # execnet's own, which is there
    sys.argv = ["-c"]
    execmodel = gateway_base.get_execmodel("main_thread_only")
    io = gateway_base.init_popen_io(execmodel)
    io.write(b"1")
    gateway_base.serve(io, id="worker")  # type: ignore[arg-type] # as execnet does itself


def main() -> int:
    """Have one forked that reads and writes what this one was to, and wait for its end."""
    own = [Connection(os.dup(number)) for number in (0, 1)]
    work = importlib.import_module("tests.support.workers").work  # as its fork knows it
    fork = Fork(work, output=2, has="tests", cwd=Path.cwd(), connections=own)
    # Nothing but the end of the fork may keep these open.
    for connection in own:
        connection.close()
    os.closerange(0, 2)
    return fork.wait()


if __name__ == "__main__":
    sys.exit(main())
