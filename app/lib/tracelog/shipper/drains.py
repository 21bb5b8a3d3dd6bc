"""Who waits for the delivery, and for what of it."""

import threading
from collections.abc import Callable
from typing import NamedTuple

from app.lib.tracelog.shipper.backlog import Marks


class Drain(NamedTuple):
    """A wait until all before the `marks` is delivered."""

    number: int
    marks: Marks


class Drains:
    """Those who wait, in threads of their own, and the delivering thread, which tells them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest = Drain(0, {})
        self._done = 0

    @property
    def newest(self) -> Drain:
        return self._newest

    @property
    def are_waited_for(self) -> bool:
        """Whether there is somebody who waits."""
        return self._newest.number > self._done

    def wait(self, marks: Marks, seconds: float, tell: Callable[[], None]) -> bool:
        """Wait for at most so long, after those who deliver were told; whether it was in time."""
        with self._changed:
            drain = self._newest = Drain(self._newest.number + 1, marks)
            tell()
            done = self._changed.wait_for(lambda: self._done >= drain.number, seconds)
            self._done = max(self._done, drain.number)
        return done

    def end(self, drain: Drain) -> None:
        """Tell those who wait for this one, or one before it, that it is done."""
        with self._changed:
            self._done = max(self._done, drain.number)
            self._changed.notify_all()
