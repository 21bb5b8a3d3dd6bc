"""Hurt the trace log at random, and see each minute whether every row is where it must be.

Processes are killed and stopped, the server and the way to it fail, the disk is full, rows are
torn and files are sealed in a hurry. With `--imports` it is the process that imports items which is
killed, so many times; with `--away` the database is gone for so long in the middle of an import:
PostgreSQL's server is stopped, and a SQLite file is locked by another program. The exit code is 1
as soon as a promise is broken.
"""

import math
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from commands.kit.arguments import Arguments
from commands.kit.import_faults import add_options, hurt_imports
from commands.kit.words import Failure, say, text

if TYPE_CHECKING:
    from tests.faults.chaos import Round


def main(arguments: list[str]) -> int:
    """Go on for `--minutes`, or hurt imports; what is decided comes from `--seed`."""
    parser = Arguments(prog="manage.py faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, help="as another run has printed it; else a new one")
    add_options(parser)
    options = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    if options.imports < 0 or not 0 <= options.away < math.inf:
        raise Failure("faults_negative")
    if options.imports or options.away:
        return hurt_imports(options, seed)
    if not 0 < options.minutes < math.inf:
        # Nothing would happen, and nothing be lost.
        raise Failure("faults_no_minutes")
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    return _hurt_the_log(folder, seed, options.minutes)


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
