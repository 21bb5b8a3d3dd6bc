"""Processes that begin to work at the same moment, and what each of them measured."""

import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

CONTEXT: multiprocessing.context.SpawnContext | multiprocessing.context.ForkServerContext
if sys.platform == "win32":
    CONTEXT = multiprocessing.get_context("spawn")
else:  # each is forked off a server that has imported what it needs
    CONTEXT = multiprocessing.get_context("forkserver")
    CONTEXT.set_forkserver_preload(["benchmarks.preloaded"])

START_SECONDS: Final = 60.0
_barriers: list[Barrier] = []


def together(count: int, work: Callable[[int, Path, int], T], folder: Path, size: int) -> list[T]:
    """What `work(number, folder, size)` returns in each of `count` processes.

    A process that has prepared what it needs calls `ready`, which returns when all have.
    """
    barrier = CONTEXT.Barrier(count)
    with ProcessPoolExecutor(
        count, mp_context=CONTEXT, initializer=_meet, initargs=(barrier,)
    ) as pool:
        return list(pool.map(work, range(count), [folder] * count, [size] * count))


def _meet(barrier: Barrier) -> None:
    _barriers.append(barrier)


def ready() -> None:
    _barriers[-1].wait(START_SECONDS)
