"""How many rows were appended and dropped: counted by each process, kept when one is killed.

Each process owns one small file in `$LOG_DIR/.tally` and writes its counts there with each row, so
that they outlive it. A file whose owner has died is taken over by a later process, which goes on
counting in it; the totals are the sums over all files.

The files are not mapped into memory: whoever counts in one that somebody has cut short, or whose
disk fails, would be killed for it.
"""

import contextlib
import os
import struct
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.lib.tracelog.disk import begin_file, make_folder
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
        self._claimed = False
        self._fd = -1
        self._path: Path | None = None
        self._counts = _no_counts()
        self._again_at = 0.0
        renew_after_forks(self)

    def add(self, *, appended: int = 0, dropped: int = 0) -> None:
        with self._lock:
            # First of all: between any two lines a signal's handler may close this.
            self._counts[0] += appended
            self._counts[1] += dropped
            if self._fd < 0 and (not self._claimed or time.monotonic() > self._again_at):
                self._claim()
            self._keep()

    def _keep(self) -> None:
        """Have our counts in our file; what does not get there now does with the next row."""
        try:
            if self._fd < 0:
                return
            if sys.platform == "win32":
                os.lseek(self._fd, 0, os.SEEK_SET)
                os.write(self._fd, self._counts)
            else:
                # The counts of that very moment, whatever a signal's handler has added to them.
                os.pwrite(self._fd, self._counts, 0)
        except OSError:
            pass

    def totals(self) -> Counts:
        """The sums over all processes that ever wrote to this log folder."""
        self.renew_if_damaged()
        with self._lock:
            (appended, dropped), own = self._counts, self._path
        try:
            paths = list(self._folder.glob("*.count"))
        except OSError:
            # A folder that may not be entered.
            paths = []
        for path in paths:
            if path == own:
                continue
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
        self.renew_if_damaged()
        with self._lock:
            if self._fd < 0 and any(self._counts):
                self._claim()
            self._keep()
            self._forget()

    def renew_if_damaged(self) -> None:
        """Write our counts again where somebody has removed their file or cut it short."""
        with self._lock:
            if self._fd < 0:
                return
            try:
                stat = os.fstat(self._fd)
            except OSError:
                # As on a server of files that was away; what we have counted may still be there.
                self._claim_again(self._path)
                return
            if not stat.st_nlink:
                self._claim_again(None)
            elif stat.st_size < _COUNTS.size:
                self._keep()

    def _forget(self) -> None:
        """Let go of the file, and of the counts, which are in it or another process's."""
        counts = _no_counts()
        # Without a call, so that a signal's handler finds them in one place and not in two.
        fd, self._fd, self._path = self._fd, -1, None
        self._counts, self._claimed = counts, False
        _close(fd)

    def _claim_again(self, ours: Path | None) -> None:
        fd, self._fd, self._path = self._fd, -1, None
        _close(fd)
        self._claim(ours)

    def _claim(self, ours: Path | None = None) -> None:
        """Find a file that no living process owns, for what we have counted.

        What is in the one that is `ours` we have counted ourselves.
        """
        self._claimed = True
        self._again_at = time.monotonic() + _AGAIN_SECONDS
        with contextlib.suppress(OSError):
            for number in range(_MOST_PROCESSES):
                path = self._folder / f"{number}.count"
                try:
                    if self._take(path, is_ours=path == ours):
                        return
                except OSError:
                    # Somebody else's, as of a command that the superuser has run.
                    if not os.path.lexists(path):
                        raise

    def _take(self, path: Path, *, is_ours: bool) -> bool:
        make_folder(path.parent)
        fd, is_begun = _open(path)
        try:
            got = locks.try_lock_if_any(fd)
            # Where a file system knows no locks, one that is there may be a living process's.
            if got is False or (got is None and not is_begun and not is_ours):
                return False
            data = os.read(fd, _COUNTS.size)
            is_new = len(data) < _COUNTS.size or is_ours
            appended, dropped = (0, 0) if is_new else _COUNTS.unpack(data)
            # Without a call as well, and unless such a handler has found a file.
            if self._fd < 0:
                self._fd, self._path, fd = fd, path, -1
                self._counts[0] += appended
                self._counts[1] += dropped
        finally:
            if fd >= 0:
                os.close(fd)
        self._keep()
        return True

    def renew_after_fork(self) -> None:
        # Another thread may have held it, and is not here to release it.
        self._lock = threading.RLock()
        # At once: later its number may be another file's. The counts are the parent's as well.
        self._forget()


def _open(path: Path) -> tuple[int, bool]:
    """A file of counts, and whether it was begun by this."""
    flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0)
    with contextlib.suppress(FileNotFoundError):
        return os.open(path, flags), False
    with contextlib.suppress(FileExistsError):
        return begin_file(path, flags), True
    return os.open(path, flags), False


def _close(fd: int) -> None:
    if fd >= 0:
        with contextlib.suppress(OSError):
            os.close(fd)


def _no_counts() -> memoryview:
    return memoryview(bytearray(_COUNTS.size)).cast("Q")
