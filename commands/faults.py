"""Hurt the trace log at random, and see each minute whether every row is where it must be.

Processes are killed and stopped, the server and the way to it fail, the disk is full, rows are
torn and files are sealed in a hurry. With `--imports` it is the process that imports items which is
killed, so many times. The exit code is 1 as soon as a promise is broken.
"""

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from commands.kit.words import Failure, say, text

if TYPE_CHECKING:
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
    parser.add_argument("--database", metavar="URL", help="an empty one for them; else SQLite")
    options = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    if options.imports:
        url = options.database or f"sqlite:///{(folder / 'app.db').as_posix()}"
        return _kill_imports(url, folder, seed, options.imports)
    return _hurt_the_log(folder, seed, options.minutes)


def _kill_imports(url: str, folder: Path, seed: int, kills: int) -> int:
    from app.database import upgrade
    from tests.faults.imports import ImportFaults

    upgrade(url)
    say("faults_begin_imports", seed=seed, kills=kills)
    done = 0
    for each in ImportFaults(url, folder, seed).run(kills):
        done += each.kills
        verdict = text("faults_wrong") if each.wrong else text("faults_right")
        say("faults_import", kills=done, attempts=each.attempts, verdict=verdict)
        for problem in each.wrong:
            print(f"        {problem}")
        if each.wrong:
            say("faults_broken", folder=folder, seed=seed)
            return 1
    shutil.rmtree(folder, ignore_errors=True)
    say("faults_imports_held", kills=done, seed=seed)
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
