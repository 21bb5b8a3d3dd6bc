"""Hurt the trace log at random, and see each minute whether every row is where it must be.

Processes are killed and stopped, the server and the way to it fail, the disk is full, rows are
torn and files are sealed in a hurry. With `--imports` it is the process that imports items which is
killed, so many times; with `--away` the database is gone for so long in the middle of an import:
PostgreSQL's server is stopped, and a SQLite file is locked by another program. The exit code is 1
as soon as a promise is broken.
"""

import argparse
import random
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
    from tests.faults import imports
    from tests.faults.chaos import Round


def main(arguments: list[str]) -> int:
    """Go on for `--minutes`, or until `--imports`; what is decided comes from `--seed`."""
    parser = argparse.ArgumentParser(
        prog="manage.py faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, help="as another run has printed it; else a new one")
    parser.add_argument("--imports", type=int, metavar="KILLS", help="kill imports instead")
    parser.add_argument("--away", type=float, metavar="SECONDS", help="an import without database")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--database", metavar="URL", help="an empty one for imports; else SQLite")
    where.add_argument("--postgresql", action="store_true", help="a server of its own for them")
    options = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    if options.database and options.away:
        raise Failure("faults_not_yours")
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    if not (options.imports or options.away):
        return _hurt_the_log(folder, seed, options.minutes)
    with ExitStack() as stack:
        url, away = _database(options, folder, stack)
        return _hurt_imports(url, folder, seed, options.imports or 0, options.away or 0.0, away)


def _database(
    options: argparse.Namespace, folder: Path, stack: ExitStack
) -> tuple[str, AbstractContextManager[object]]:
    """The URL for imports, and what takes the database away."""
    from tests.support.postgres import own_server
    from tests.support.sqlite import locked

    if options.postgresql:
        server = stack.enter_context(own_server())
        return server.url, server.away()
    path = folder / "app.db"
    return options.database or f"sqlite:///{path.as_posix()}", locked(path)


def _hurt_imports(
    url: str,
    folder: Path,
    seed: int,
    kills: int,
    seconds: float,
    away: AbstractContextManager[object],
) -> int:
    from app.database import upgrade
    from tests.faults.imports import ImportFaults

    upgrade(url)
    faults = ImportFaults(url, folder, seed)

    def rounds() -> "Iterator[imports.Round]":
        if kills:
            say("faults_begin_imports", seed=seed, kills=kills)
            yield from faults.run(kills)
        if seconds:
            say("faults_begin_away", seed=seed, seconds=f"{seconds:g}")
            yield faults.run_without(away, partial(time.sleep, seconds))

    done = 0
    for each in rounds():
        done += each.kills
        verdict = text("faults_wrong") if each.wrong else text("faults_right")
        say("faults_import", kills=done, attempts=each.attempts, verdict=verdict)
        for problem in each.wrong:
            print(f"        {problem}")
        if each.wrong:
            say("faults_broken", folder=folder, seed=seed)
            return 1
    shutil.rmtree(folder, ignore_errors=True)
    hurt = [text("faults_kills", kills=kills)] if kills else []
    hurt += [text("faults_away", seconds=f"{seconds:g}")] if seconds else []
    say("faults_imports_held", what=", ".join(hurt), seed=seed)
    return 0


def _hurt_the_log(folder: Path, seed: int, minutes: float) -> int:
    # Only where somebody wants it: an installation may be without its tests.
    from tests.faults.chaos import Chaos
    from tests.support.turso import open_server

    server = open_server(folder / "sqld")
    if server is None:
        folder.rmdir()
        raise Failure("faults_no_sqld")
    say("faults_begin", seed=seed, minutes=f"{minutes:g}")
    chaos = Chaos(folder, server, seed)
    rounds, started = 0, time.monotonic()
    try:
        for each in chaos.run(minutes * 60):
            _say(each, time.monotonic() - started)
            rounds += 1
            if each.wrong:
                say("faults_broken", folder=folder, seed=seed)
                return 1
    finally:
        chaos.close()
    shutil.rmtree(folder, ignore_errors=True)
    say("faults_held", seed=seed, faults=chaos.faults, killed=chaos.killed)
    return 0


def _say(done: "Round", seconds: float) -> None:
    verdict = text("faults_wrong") if done.wrong else text("faults_right")
    say(
        "faults_round",
        minute=f"{seconds / 60:5.1f}",
        identity=done.identity,
        unaccounted=done.account.unaccounted,
        faults=done.faults,
        verdict=verdict,
    )
    for problem in done.wrong:
        print(f"        {problem}")
