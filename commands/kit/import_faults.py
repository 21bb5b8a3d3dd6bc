"""Imports that are hurt by `manage.py faults`: killed, or without their database for a while."""

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from commands.kit.words import Failure, say, text

if TYPE_CHECKING:
    from tests.faults.imports import ImportFaults, Round


def add_options(parser: argparse.ArgumentParser) -> None:
    """With either of the first two it is imports that are hurt."""
    parser.add_argument("--imports", type=int, default=0, metavar="KILLS", help="kill imports")
    parser.add_argument(
        "--away", type=float, default=0.0, metavar="SECONDS", help="an import without database"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--database", metavar="URL", help="an empty one for imports; else SQLite")
    where.add_argument("--postgresql", action="store_true", help="a server of its own for them")


def hurt_imports(options: argparse.Namespace, seed: int) -> int:
    """Say of each import what became of it; the exit code."""
    from app.migration import upgrade
    from tests.faults.imports import ImportFaults

    if options.database and options.away:
        raise Failure("faults_not_yours")
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    with ExitStack() as stack:
        url, away = _database(options, folder, stack)
        upgrade(url)
        killed = 0
        for each in _rounds(ImportFaults(url, folder, seed), options, seed, away):
            killed += each.kills
            verdict = text("faults_wrong") if each.wrong else text("faults_right")
            say("faults_import", kills=killed, attempts=each.attempts, verdict=verdict)
            for problem in each.wrong:
                print(f"        {problem}")
            if each.wrong:
                say("faults_broken", folder=folder, seed=seed)
                return 1
    shutil.rmtree(folder, ignore_errors=True)
    hurt = [text("faults_kills", kills=killed)] if options.imports else []
    hurt += [text("faults_away", seconds=f"{options.away:g}")] if options.away else []
    say("faults_imports_held", what=", ".join(hurt), seed=seed)
    return 0


def _database(
    options: argparse.Namespace, folder: Path, stack: ExitStack
) -> tuple[str, AbstractContextManager[object]]:
    """The URL, and what takes the database away."""
    from tests.support.postgres import own_server
    from tests.support.sqlite import locked

    if options.postgresql:
        server = stack.enter_context(own_server())
        return server.url, server.away()
    path = folder / "app.db"
    return options.database or f"sqlite:///{path.as_posix()}", locked(path)


def _rounds(
    faults: "ImportFaults",
    options: argparse.Namespace,
    seed: int,
    away: AbstractContextManager[object],
) -> Iterator["Round"]:
    if options.imports:
        say("faults_begin_imports", seed=seed, kills=options.imports)
        yield from faults.run(options.imports)
    if options.away:
        say("faults_begin_away", seed=seed, seconds=f"{options.away:g}")
        yield faults.run_without(away, partial(time.sleep, options.away))
