"""Threads that work for long give way soon to those that have an answer to read or to give."""

import sys
import threading
import time
from collections.abc import Callable
from typing import Final

MOST_SECONDS: Final = 0.05
"""How long a request may have lasted that is waited for; one that lasts longer waits itself."""

_SECONDS: Final = 0.0005
_LEAST_PAUSE: Final = 0.00002
_PAUSE: Final = 0.00025
_MOST_PAUSES: Final = 4


def take_short_turns() -> None:
    """Have all threads of this process take turns ten times as often as Python does by itself.

    A thread that works on thousands of rows keeps the interpreter for 5 ms by default, and a
    request, or whoever has heard from the database, would wait for that each time.
    """
    sys.setswitchinterval(min(sys.getswitchinterval(), _SECONDS))


class _Latest:
    """When the latest request began, by `time.perf_counter`; 0 where it has ended."""

    __slots__ = ("began",)

    def __init__(self) -> None:
        self.began = 0.0


latest_request: Final = _Latest()
"""Of this process. It is no count, in which streams would stay for hours."""

_thread: Final = threading.local()


def work_in_the_background() -> None:
    """Have this thread pause in `give_way`; in others that does nothing."""
    _thread.gives_way = True


def give_way(
    sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.perf_counter
) -> None:
    """Let others have the interpreter, and a request that has just begun go on to its end.

    To be called after each tenth of a millisecond of work. A request gives the interpreter away
    several times, as with each write to a file, and would wait for all of that work each time.
    Requests that come without end do not hold this up for ever: it takes a millisecond at most.
    """
    if not getattr(_thread, "gives_way", False):
        return
    # Without any, the others would not even wake up before this thread goes on.
    sleep(_LEAST_PAUSE)
    for _ in range(_MOST_PAUSES):
        began = latest_request.began
        if not began or clock() - began > MOST_SECONDS:
            return
        sleep(_PAUSE)
