"""How many rows were appended and dropped: counted by each process, kept when one is killed.

Each process owns one small file in `$LOG_DIR/.tally`, mapped into its memory, so that counting
costs no system call and the count outlives the process. A file whose owner has died is taken over
by a later process, which goes on counting in it; the totals are the sums over all files.
"""

import mmap
import os
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.lib.tracelog.forks import renew_after_forks
from app.lib.tracelog.journal import locks

_COUNTS: Final = struct.Struct("@QQ")
_MOST_PROCESSES: Final = 1024
_AGAIN_SECONDS: Final = 5.0
"""How often a process that counts in memory looks whether the disk takes a file by now."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows in the journal, and rows that could not be written to it."""

    appended: int = 0
    dropped: int = 0


class Tally:
    """This process's counts for `log_dir`. Never raises: without a disk it counts in memory."""

    def __init__(self, log_dir: Path) -> None:
        self._folder = log_dir / ".tally"
        self._lock = threading.RLock()
        self._pid = 0
        self._fd = -1
        self._map: memoryview | None = None
        self._memory = Counts()
        self._again_at = 0.0
        renew_after_forks(self)

    def add(self, *, appended: int = 0, dropped: int = 0) -> None:
        with self._lock:
            if self._pid != os.getpid() or (
                self._map is None and time.monotonic() > self._again_at
            ):
                self._claim()
            if self._map is None:
                old = self._memory
                self._memory = Counts(old.appended + appended, old.dropped + dropped)
                return
            self._count(self._map, appended, dropped)

    @staticmethod
    def _count(counts: memoryview, appended: int, dropped: int) -> None:
        # An item of a view is stored whole. `struct` would write zeros first, which others read
        # meanwhile, and which stay if the process is killed there.
        counts[0] += appended
        counts[1] += dropped

    def totals(self) -> Counts:
        """The sums over all processes that ever wrote to this log folder."""
        self.renew_if_removed()
        appended, dropped = self._memory.appended, self._memory.dropped
        try:
            paths = list(self._folder.glob("*.count"))
        except OSError:
            # A folder that may not be entered.
            paths = []
        for path in paths:
            try:
                data = path.read_bytes()
            except OSError:
                continue
            if len(data) >= _COUNTS.size:
                file_appended, file_dropped = _COUNTS.unpack_from(data)
                appended += file_appended
                dropped += file_dropped
        return Counts(appended, dropped)

    def close(self) -> None:
        """Give the file up to a later process."""
        self.renew_if_removed()
        with self._lock:
            if self._map is None and self._memory != Counts():
                self._claim()
            self._release()
            self._pid = 0

    def renew_if_removed(self) -> None:
        """Have a file again where somebody has removed ours, with what we counted in it."""
        with self._lock:
            if self._map is None or self._pid != os.getpid() or os.fstat(self._fd).st_nlink:
                return
            self._memory = Counts(self._map[0], self._map[1])
            self._claim()

    def _release(self) -> None:
        if self._map is not None:
            # The last view that goes takes the mapping with it.
            self._map.release()
            self._map = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _claim(self) -> None:
        """Find a file that no living process owns."""
        # After a fork this closes the child's copies only: file and lock stay the parent's.
        self._release()
        if self._pid not in {0, os.getpid()}:
            # What the parent counted in memory is the parent's as well.
            self._memory = Counts()
        self._pid = os.getpid()
        self._again_at = time.monotonic() + _AGAIN_SECONDS
        for number in range(_MOST_PROCESSES):
            try:
                if self._take(self._folder / f"{number}.count"):
                    return
            except OSError:
                return

    def _take(self, path: Path) -> bool:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            if not locks.try_lock(fd):
                return False
            if os.fstat(fd).st_size < _COUNTS.size:
                # Written, not truncated to size: a hole in the file could not be filled later if
                # the disk is full by then.
                os.write(fd, bytes(_COUNTS.size))
            self._map = memoryview(mmap.mmap(fd, _COUNTS.size)).cast("Q")
            self._fd, fd = fd, -1
            self._count(self._map, self._memory.appended, self._memory.dropped)
            self._memory = Counts()
            return True
        except ValueError:
            return False
        finally:
            if fd >= 0:
                os.close(fd)

    def renew_after_fork(self) -> None:
        # Another thread may have held it, and is not here to release it.
        self._lock = threading.RLock()
