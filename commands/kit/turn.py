"""One command at a time prepares a checkout. Standard library only."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.lib.tracelog.journal.locks import try_lock
from commands.kit.words import say

_LOCKED = Path(__file__).resolve().parents[2] / "manage.py"  # there, and readable, in any checkout
_PAUSE_SECONDS = 0.1


@contextmanager
def in_turn() -> Iterator[None]:
    """What is done within is done by no other command of this checkout at the same time.

    It waits for its turn, and says so. A process that dies gives its turn up.
    """
    descriptor = os.open(_LOCKED, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            _wait_for(descriptor)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int) -> None:
    told = False
    while not try_lock(descriptor):
        if not told:
            say("waits_for_turn", file=sys.stderr)
            told = True
        time.sleep(_PAUSE_SECONDS)
