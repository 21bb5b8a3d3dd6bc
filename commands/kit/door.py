"""From the command line to a command: which ones there are, and what each needs first."""

import errno
import gc
import importlib
import os
import sys
from pathlib import Path

from commands.kit import environment, starting_folder
from commands.kit.words import Failure, cannot_print, say, text

APP = ("requirements.txt",)
TESTS = ("requirements.txt", "requirements-dev.txt")
BENCHMARKS = ("requirements.txt", "requirements-bench.txt")

COMMANDS = {
    "run": APP,
    "test": TESTS,
    "ci": TESTS,
    "install": APP,
    "migrate": APP,
    "seed": APP,
    "user": APP,
    "keys": APP,
    "logs": APP,
    "doctor": (),  # it looks at the packages, so it must not need them
    "css": TESTS,
    "messages": APP,
    "pictures": TESTS,
    "bench": BENCHMARKS,
    "faults": TESTS,
    "lock": TESTS,
    "rename": (),
    "remove": TESTS,
}
"""The commands, each a module beside this package, and the packages to install first."""

_CHECKED_FIRST = {"bench", "remove"}
"""Those with much to install, which tell without it whether their arguments are any good."""

_REFUSALS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC}


# 128 and the signal's number, as of a program that it ended.
_SIGPIPE = 141


def main(arguments: list[str]) -> int:
    """Run the command that `arguments` name and return the exit code."""
    try:
        return _run(arguments)
    except BrokenPipeError:
        # Whoever read along has enough, such as `head`.
        _say_no_more()
        return _SIGPIPE
    except OSError as error:
        if not cannot_print():
            raise
        _say_no_more()
        say("cannot_print", reason=error.strerror, file=sys.stderr)
        return 2


def _say_no_more() -> None:
    """Have what Python still writes go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: list[str]) -> int:
    starting_folder.remember()
    os.chdir(environment.ROOT)
    for name in ("stdin", "stdout", "stderr"):
        # There is none where whoever started this has closed it; no other file takes its number.
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A console that cannot show a character shows a question mark instead of a stack trace.
        stream.reconfigure(errors="replace", line_buffering=True)  # type: ignore[union-attr]
    name, *rest = arguments or ["help"]
    if name in {"help", "-h", "--help"}:
        _overview()
        return 0
    if name not in COMMANDS:
        say("unknown_command", name=name, file=sys.stderr)
        return 2
    try:
        if name in _CHECKED_FIRST:
            importlib.import_module(f"commands.{name}").check(rest)
        needed = COMMANDS[name]
        if needed is BENCHMARKS and not {"-h", "--help"}.isdisjoint(rest):
            needed = APP  # what others are measured with is much to install for a few words
        if needed is TESTS:
            # Hundreds of programs will read the same packages: they are compiled once.
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
            sys.dont_write_bytecode = False
        environment.provide(needed)
        # What importing makes is never garbage: to look for some, now and at the end, is a third of
        # all that a short command does.
        gc.disable()
        command = importlib.import_module(f"commands.{name}")
        gc.freeze()
        gc.enable()
        code: int = command.main(rest)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return failure.code
    except OSError as error:
        if error.errno not in _REFUSALS or cannot_print():
            raise
        path = error.filename or environment.ROOT
        say("cannot_write", path=path, reason=error.strerror, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _overview() -> None:
    say("overview")
    for name in COMMANDS:
        print(f"  {name:<9} {text(f'command_{name}')}")
    say("overview_more")
