"""Which of the processes that share a log folder delivers."""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.lib.tracelog.disk import make_folder, open_file
from app.lib.tracelog.forks import renew_after_forks
from app.lib.tracelog.journal import locks

log = logging.getLogger("tracelog")

LOCK_NAME: Final = ".shipper.lock"
"""The file in a log folder that its leader holds locked."""

BEAT_SECONDS: Final = 0.3
SILENT_SECONDS: Final = 1.2
"""A leader that shows no sign of life for so long is replaced."""

_LOOK_SECONDS: Final = 0.5
_FLAGS: Final = os.O_RDWR | getattr(os, "O_CLOEXEC", 0)
# Windows neither sets the times of an open file nor replaces one.
_BEATS: Final = os.utime in os.supports_fd


class Election:
    """The leader is whoever holds the lock on the file at `path`.

    The lock is free when its process is gone. A process that is stopped (SIGSTOP) keeps it, so the
    leader also touches the file every `BEAT_SECONDS`, in a thread of its own; when nothing has
    moved for `SILENT_SECONDS` a candidate puts another file, which it has locked, in the place of
    this one. The old leader finds out as soon as it looks: its file is not the one at `path`.

    So two may lead for a moment. Rows are then sent twice, which the store makes harmless; the
    checkpoint is saved by whoever `leads`. `clock` counts seconds since anything.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.terms = 0
        """How often we became the leader."""
        self._path = path
        self._clock = clock
        self._fd = -1
        self._fd_lock = threading.Lock()
        self._beat_ended = threading.Event()
        self._beat: tuple[int, int] = (0, 0)
        self._looked_at = 0.0
        self._silence = 0.0
        self._without_lock = False
        renew_after_forks(self)

    def lead(self) -> bool:
        """Be the leader if there is none that lives; whether we are. Raises `OSError`.

        A candidate asks again and again; how long the leader was silent is seen between two calls.
        """
        if self._fd >= 0:
            if self._file_is_ours():
                return True
            self.resign()
        make_folder(self._path.parent)
        fd = open_file(self._path, _FLAGS)
        try:
            if self._lock(fd):
                _sign(fd)
            elif self._is_silent(fd):
                new = self._replace(fd)
                os.close(fd)
                fd = new
            else:
                return False
            self._begin(fd)
            fd = -1
        finally:
            if fd >= 0:
                os.close(fd)
        if not self._file_is_ours():
            self.resign()
        return self._fd >= 0

    def leads(self) -> bool:
        """Whether we were the leader and still are."""
        return self._fd >= 0 and self._file_is_ours()

    def adopt(self, lock: int) -> None:
        """Be the leader by the open file of another process, which has given its lead away."""
        _sign(lock)
        os.set_inheritable(lock, False)  # noqa: FBT003 # it takes no name
        self._begin(lock)

    @property
    def lock(self) -> int:
        """The open file that holds the lock; -1 where we do not lead."""
        return self._fd

    def give_away(self) -> None:
        """Lead no more, and leave the lock to another process that has the same open file."""
        self._beat_ended.set()
        with self._fd_lock:
            fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def resign(self) -> None:
        self._beat_ended.set()
        with self._fd_lock:
            fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                locks.unlock(fd)
            with contextlib.suppress(OSError):
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
            with contextlib.suppress(OSError):
                os.close(fd)

    def _lock(self, fd: int) -> bool:
        got = locks.try_lock_if_any(fd)
        if got is None and not self._without_lock:
            self._without_lock = True
            log.warning("%s cannot be locked; each process delivers all rows.", self._path)
        return got is not False

    def _begin(self, fd: int) -> None:
        self.terms += 1
        self._silence = 0.0
        self._fd = fd
        if _BEATS:
            # Of this term: an earlier one's thread must not come to life again.
            self._beat_ended = threading.Event()
            target, args = self._beat_until, (self._beat_ended,)
            threading.Thread(target=target, args=args, name="tracelog-beat", daemon=True).start()

    def _beat_until(self, ended: threading.Event) -> None:
        """Show that this process runs, whatever its other threads wait for."""
        while not ended.wait(BEAT_SECONDS):
            with self._fd_lock, contextlib.suppress(OSError):
                if ended.is_set() or self._fd < 0:
                    return
                os.utime(self._fd)

    def _is_silent(self, fd: int) -> bool:
        """Whether the leader, who holds the lock, has not moved for too long."""
        if not _BEATS:
            return False
        stat, now = os.fstat(fd), self._clock()
        beat = (stat.st_ino, stat.st_mtime_ns)
        if beat != self._beat:
            self._silence = 0.0
        else:
            # Whoever was stopped itself has not seen what happened meanwhile.
            self._silence += min(now - self._looked_at, _LOOK_SECONDS)
        self._beat, self._looked_at = beat, now
        return self._silence >= SILENT_SECONDS

    def _replace(self, silent: int) -> int:
        """Put a file of ours that is locked in the place of the silent leader's. Raises `OSError`.

        Of two that do so at once the later one's stays, and the other notices.
        """
        new_path = self._path.with_name(f"{self._path.name}.{os.getpid()}.{threading.get_ident()}")
        fd = open_file(new_path, _FLAGS | os.O_TRUNC)
        try:
            self._lock(fd)
            _sign(fd)
            log.warning(
                "The process that delivered the rows of %s does not move; this one goes on.",
                self._path.parent,
            )
            if _is_at(silent, self._path):
                new_path.replace(self._path)
            else:
                new_path.unlink()
        # Whatever it was goes on; our file does not stay behind.
        except BaseException:
            os.close(fd)
            with contextlib.suppress(OSError):
                new_path.unlink()
            raise
        return fd

    def _file_is_ours(self) -> bool:
        return _is_at(self._fd, self._path)

    def renew_after_fork(self) -> None:
        """Close the copy. Unlocking it would take the lock from the parent, keeping it open would
        hold the lock after the parent's death."""
        self._fd_lock = threading.Lock()
        self._beat_ended = threading.Event()
        if self._fd >= 0:
            # Its parent may have closed all that it had open.
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = -1


def _sign(fd: int) -> None:
    """Write down who leads, for people who wonder; at no moment is it nobody."""
    with contextlib.suppress(OSError):
        os.lseek(fd, 0, os.SEEK_SET)
        os.write(fd, b"%-19d\n" % os.getpid())


def _is_at(fd: int, path: Path) -> bool:
    """Whether the open file is the one at `path`."""
    try:
        ours, there = os.fstat(fd), path.stat()
    except OSError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)
