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
_SHARE: Final = 0.5
"""How long requests are waited for at most, as a share of the time that the work takes."""

_MOST_CREDIT: Final = 0.005


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


class _Background:
    """A thread that gives way: until when it has, and how long it may wait for requests now."""

    __slots__ = ("credit", "meanwhile", "since")

    def __init__(self, meanwhile: Callable[[float], object]) -> None:
        self.meanwhile = meanwhile
        self.since = 0.0
        self.credit = _MOST_CREDIT


_thread: Final = threading.local()


def work_in_the_background(meanwhile: Callable[[float], object] = lambda _: None) -> None:
    """Have this thread pause in `give_way`; in others that does nothing.

    `meanwhile` is called now and then while it waits for an answer, with the seconds so far.
    """
    _thread.background = _Background(meanwhile)


def use_the_wait(seconds: float) -> None:
    """Do what else this thread has to do, which has waited for an answer for so long."""
    background: _Background | None = getattr(_thread, "background", None)
    if background is not None:
        background.meanwhile(seconds)


def give_way(
    sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.perf_counter
) -> None:
    """Let others have the interpreter, and a request that has just begun go on to its end.

    To be called after each tenth of a millisecond of work. A request gives the interpreter away
    several times, as with each write to a file, and would wait for all of that work each time.
    Requests that come without end do not hold this up for ever: it takes a millisecond at most, and
    in the long run half as much time as the work.
    """
    background: _Background | None = getattr(_thread, "background", None)
    if background is None:
        return
    started = clock()
    worked = started - background.since
    credit = min(background.credit + worked * _SHARE, _MOST_CREDIT)
    # Without any, the others would not even wake up before this thread goes on.
    sleep(_LEAST_PAUSE)
    for _ in range(_MOST_PAUSES):
        began = latest_request.began
        now = clock()
        if not began or now - began > MOST_SECONDS or now - started > credit:
            break
        sleep(_PAUSE)
    background.since = now = clock()
    background.credit = credit - (now - started)
