"""Row ids: 63-bit, time-ordered, made by the client.

An id is the microseconds since 2015-01-01 UTC, shifted left by 12 bits, plus a node number of
12 bits. It has 19 digits until the year 2086.
"""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Final

from app.lib.tracelog.forks import renew_after_forks

EPOCH_US: Final = 1_420_070_400_000_000
NODE_BITS: Final = 12
NODES: Final = 1 << NODE_BITS
MIN_ID: Final = 10**18
MAX_ID: Final = 2**63 - 1
_FIRST_US: Final = (MIN_ID >> NODE_BITS) + 1
_LAST_US: Final = MAX_ID >> NODE_BITS


def time_of(row_id: int) -> float:
    """When an id was made, in seconds since the Unix epoch."""
    return micros_of(row_id) / 1_000_000


def micros_of(row_id: int) -> int:
    """The same in microseconds."""
    return (row_id >> NODE_BITS) + EPOCH_US


def first_at(seconds: float) -> int:
    """The lowest id that can be made at this time, in seconds since the Unix epoch."""
    return (round(seconds * 1_000_000) - EPOCH_US) << NODE_BITS


class IdGenerator:
    """Makes ids that rise strictly within a process, also when the clock steps back.

    Two processes draw the same id only if they drew the same node number and the same
    microsecond; the store detects that and both rows survive. `node` and `clock_ns` (nanoseconds
    since the Unix epoch) can be given where a test must hold them still.
    """

    def __init__(self, node: int | None = None, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._node = secrets.randbelow(NODES) if node is None else node % NODES
        self._clock_ns = clock_ns
        self._last_us = 0
        self._lock = threading.RLock()
        renew_after_forks(self)

    def next(self) -> int:
        now_us = self._clock_ns() // 1000 - EPOCH_US
        if not _FIRST_US <= now_us < _LAST_US:
            # A clock that was never set, as of a device without a battery, says 1970.
            now_us = _FIRST_US
        with self._lock:
            # No call is in here: a signal's handler may draw an id itself, but not between these.
            if now_us <= self._last_us:
                now_us = self._last_us + 1
            self._last_us = now_us
        return (now_us << NODE_BITS) | self._node

    def renew_after_fork(self) -> None:
        self._lock = threading.RLock()
        self._node = (self._node + 1 + secrets.randbelow(NODES - 1)) % NODES
