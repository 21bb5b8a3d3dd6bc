"""Which of the processes that share a log folder delivers."""

import contextlib
import errno
import logging
import os
import weakref
from pathlib import Path
from typing import Final

from app.lib.tracelog.journal import locks

log = logging.getLogger("tracelog")

LOCK_NAME: Final = ".shipper.lock"
"""The file in a log folder that its leader holds locked."""

_NO_LOCKS_HERE: Final = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}


class Election:
    """The leader is whoever holds the lock on `path`, until it resigns or its process is gone.

    A leader that is stopped (SIGSTOP) stays the leader: its lock is held, rows wait in the journal,
    and it goes on when it is let go on. Should two lead at once after all, as when somebody
    removed the lock's file, rows are sent twice, which the store makes harmless.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1
        self._without_lock = False
        _elections.add(self)

    def lead(self) -> bool:
        """Be the leader if there is none; whether we are. Raises `OSError`."""
        if self._fd >= 0:
            if self._file_is_ours():
                return True
            self.resign()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            if not self._lock(fd):
                return False
            self._fd, fd = fd, -1
        finally:
            if fd >= 0:
                os.close(fd)
        # For people who wonder who it is.
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, 0)
            os.write(self._fd, b"%d\n" % os.getpid())
        return True

    def leads(self) -> bool:
        """Whether we were the leader and still are."""
        return self._fd >= 0 and self._file_is_ours()

    def resign(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with contextlib.suppress(OSError):
                locks.unlock(fd)
            os.close(fd)

    @staticmethod
    def holder(path: Path) -> int | None:
        """The process id of the leader, of whichever process; None where nobody leads."""
        try:
            fd = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        except OSError:
            return None
        try:
            # A candidate that comes at this very moment finds it locked, and tries again.
            if locks.try_lock(fd):
                locks.unlock(fd)
                return None
            return int(os.read(fd, 20))
        except (OSError, ValueError):
            return None
        finally:
            os.close(fd)

    def _lock(self, fd: int) -> bool:
        try:
            return locks.try_lock(fd)
        except OSError as error:
            if error.errno not in _NO_LOCKS_HERE:
                raise
            if not self._without_lock:
                self._without_lock = True
                log.warning("%s cannot be locked; each process delivers all rows.", self._path)
            return True

    def _file_is_ours(self) -> bool:
        try:
            ours, there = os.fstat(self._fd), self._path.stat()
        except OSError:
            return False
        return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)

    def _after_fork(self) -> None:
        """Close the copy. Unlocking it would take the lock from the parent, keeping it open would
        hold the lock after the parent's death."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


_elections: "weakref.WeakSet[Election]" = weakref.WeakSet()


def _after_fork() -> None:
    for election in list(_elections):
        election._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
