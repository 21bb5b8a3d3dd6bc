"""A child that is forked while another thread of its parent is in the middle of something."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Final

import pytest

HANGING_SECONDS: Final = 60

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def child_does(work: Callable[[], object], *, while_held: AbstractContextManager[object]) -> bool:
    """Whether `work` ends in a child, forked while another thread has entered `while_held`."""
    with ThreadPoolExecutor(1) as other:
        other.submit(while_held.__enter__).result()
        if (child := os.fork()) == 0:
            # Whoever waits for a lock that nobody will ever release is ended by this.
            signal.alarm(HANGING_SECONDS)
            try:
                work()
            except BaseException:  # noqa: BLE001 # it must not go on as a second test run
                os._exit(1)
            os._exit(0)
        other.submit(while_held.__exit__, None, None, None).result()
    return os.waitpid(child, 0)[1] == 0
