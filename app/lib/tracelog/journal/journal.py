"""The journal: a table's CSV files, appended to by any number of threads and processes.

A row is appended with one write under a lock on the file itself, which its writer holds for
microseconds. The lock makes three things simple: a row that a killed writer left torn is closed
with a line end before the next one, a row that did not fit on the disk is taken back, and the file
is sealed by whoever finds it full. A writer that cannot have the lock in time (its holder may be
stopped) writes without it, since a single append does not interleave.
"""

import contextlib
import errno
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from app.lib.tracelog import codec
from app.lib.tracelog.disk import exists, make_folder, open_file, sync_folder
from app.lib.tracelog.forks import hold_at_forks
from app.lib.tracelog.ids import time_of
from app.lib.tracelog.journal import files, locks
from app.lib.tracelog.journal.intruder import Intruder, look_at, set_aside
from app.lib.tracelog.journal.reader import first_id_of, sealed_path
from app.lib.tracelog.schema import Table

log = logging.getLogger("tracelog")

Fsync = Literal["everysec", "always", "no"]

LOCK_SECONDS: Final = 0.02
"""How long an append waits for the lock before it goes on without."""

_QUICK_TRIES: Final = 7
"""How often the lock is tried before an append sleeps, for longer than ten others take."""

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class IdTaken(OSError):
    """Another file begins with a row of this id, and is known by it."""


class PartlyAppended(OSError):
    """Of what was to be appended the first `left` bytes are in the file, and stay there."""

    def __init__(self, error: OSError, left: int) -> None:
        super().__init__(error.errno, error.strerror)
        self.left = left


class Journal:
    """One table's journal in `log_dir`.

    The active file is sealed when it would pass `max_bytes`, or when its first row is older than
    `max_age` seconds. `fsync` says when rows are forced to the disk: each at once, all of a second
    together, or when the system likes.
    """

    def __init__(
        self,
        log_dir: Path,
        table: Table,
        *,
        max_bytes: int = 64 << 20,
        max_age: float = 86_400.0,
        fsync: Fsync = "everysec",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.table = table
        self.path = log_dir / f"{table.name}.csv"
        self._file = str(self.path)
        self.lock_timeouts = 0
        self.sync_errors = 0
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._fsync = fsync
        self._clock = clock
        self._header = codec.header(table)
        self._mutex = threading.RLock()
        self._appending = False
        self._fd = -1
        self._inode = (0, 0)
        self._clean_size = -1
        self._unsynced = False
        self._first_id: int | None = None
        self._intruder: Intruder | None = None
        self._lock_stuck_until = 0.0
        self._seal_next = False
        self._sync_fails = False
        self._renamed = False
        self._dirty: list[int] = []
        self._forcing: list[int] = []
        hold_at_forks(self)

    def append(self, lines: bytes, row_id: int) -> None:
        """Append encoded rows, the first with this id; they are in the file when it returns.

        Raises `IdTaken` for a row that would begin a file whose name another has,
        `PartlyAppended` where what fitted on a full disk cannot be taken back, and `OSError`.
        """
        with self._mutex:
            if self._appending:
                # A signal's handler, or a finalizer, in the middle of what its thread appends.
                self.append_apart(lines)
                return
            self._appending = True
            try:
                self._append(lines, row_id)
            except OSError as error:
                if error.errno not in _FULL:
                    # It may be the descriptor, as after a server of files was away.
                    self._close()
                raise
            finally:
                self._appending = False

    def _append(self, lines: bytes, row_id: int) -> None:
        for _ in range(100):
            if self._fd < 0:
                self._open()
            locked = self._lock()
            try:
                size = self._size_if_current()
                if size is None:
                    continue
                if self._intruder and locked and set_aside(self.path, self._intruder, row_id):
                    continue
                if self._intruder == "foreign":
                    # Rows in it would go with it when it is set aside, and nobody would count them.
                    raise _foreign()
                if self._is_full(size, len(lines)) and locked and self._seal():
                    continue
                if size <= len(self._header) and exists(sealed_path(self.path, row_id)):
                    raise IdTaken(errno.EEXIST, "another file begins with this id")
                self._write(lines, size, locked=locked)
                if self._first_id is None:
                    self._first_id = row_id
                return
            finally:
                if locked and self._fd >= 0:
                    try:
                        locks.unlock(self._fd)
                    except OSError:
                        # The row is in the file, and closing this lets go of the lock as well.
                        self._close()
                if self._inode == (0, 0):
                    self._close()
        raise OSError(errno.EAGAIN, "the journal's file changes faster than it can be opened")

    def append_apart(self, lines: bytes) -> None:
        """Append as a writer does that cannot have the lock, whatever an append is about to do.

        Raises `OSError`.
        """
        make_folder(self.path.parent)
        fd = open_file(self.path, files.FLAGS)
        try:
            size = files.status_of(fd, self._file).st_size
            if look_at(self.path, self.table)[1] == "foreign":
                raise _foreign()
            files.write_all(fd, lines if size else self._header + lines)
            self._unsynced = True
            # When Python ends nobody is there to do it a second later.
            if self._fsync == "always" or (self._fsync == "everysec" and sys.is_finalizing()):
                self._force(fd)
        finally:
            files.close(fd)

    def sync(self) -> None:
        """Force what was written to the disk; a file that fails is sealed and left alone."""
        with self._mutex:
            unsynced, self._dirty = self._dirty, []
            if self._fd >= 0 and self._unsynced:
                try:
                    unsynced.append(os.dup(self._fd))
                except OSError:
                    # No descriptor is free: this once, writers wait for it.
                    self._force(self._fd)
            self._unsynced = False
            self._forcing += unsynced
        for fd in unsynced:
            self._force(fd)
        with self._mutex:
            for fd in unsynced:
                self._forcing.remove(fd)
                files.close(fd)

    def close(self) -> None:
        """Sync, unless `fsync` is "no", and let go of the file; a later append opens it again."""
        if self._fsync != "no":
            self.sync()
        with self._mutex:
            # What a signal's handler closes in the middle of an append is still needed there.
            if not self._appending:
                self._close()

    # --- the file ----------------------------------------------------------------------------

    def _open(self) -> None:
        try:
            fd = os.open(self.path, files.FLAGS)
        except FileNotFoundError:
            # File systems without links have the header written together with the first row.
            files.begin(self.path, self._header, self._clock())
            self._renamed = True
            fd = open_file(self.path, files.FLAGS)
        try:
            status = files.status_of(fd, self._file)
            self._first_id, self._intruder = look_at(self.path, self.table)
        except OSError:
            files.close(fd)
            raise
        self._fd, self._inode, self._clean_size = fd, (status.st_dev, status.st_ino), -1

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            files.close(fd)

    def _lock(self) -> bool:
        if (got := locks.try_lock_if_any(self._fd)) is not False:
            return bool(got)
        now = time.monotonic()
        if now < self._lock_stuck_until:
            return False
        for _ in range(_QUICK_TRIES):
            locks.let_others_run()
            if locks.try_lock(self._fd):
                return True
        deadline, pause = now + LOCK_SECONDS, 0.00001
        while time.monotonic() < deadline:
            time.sleep(pause)
            if locks.try_lock(self._fd):
                return True
            pause = min(pause * 2, 0.001)
        self.lock_timeouts += 1
        self._lock_stuck_until = time.monotonic() + 1.0
        return False

    def _size_if_current(self) -> int | None:
        """The active file's size; None, with our file marked for closing, if it was replaced."""
        try:
            status = os.stat(self._file)  # noqa: PTH116 # a third of what Path.stat costs
        except FileNotFoundError:
            status = None
        if status is None or (status.st_dev, status.st_ino) != self._inode:
            self._inode = (0, 0)
            return None
        if status.st_size < self._clean_size:
            # Somebody has cut it, or written another content into it.
            self._inode = (0, 0)
            return None
        return status.st_size

    def _write(self, lines: bytes, size: int, *, locked: bool) -> None:
        data = lines
        if size == 0:
            data = self._header + lines
        elif size != self._clean_size and locked and files.byte_at(self._fd, size - 1) != b"\n":
            # A writer died in the middle of its row. Without the lock it may still be writing.
            data = b"\n" + lines
        written = 0
        try:
            while written < len(data):
                # A short write says that the disk is full; writing the rest brings the error.
                written += os.write(self._fd, data[written:] if written else data)
        except OSError as error:
            if written and not (locked and self._take_back(size, written)):
                raise PartlyAppended(error, written - len(data) + len(lines)) from error
            raise
        self._unsynced = True
        if self._fsync == "always":
            self._force(self._fd)
        self._clean_size = size + len(data)

    def _take_back(self, size: int, written: int) -> bool:
        """Cut off what was `written`, unless somebody without the lock has written behind it."""
        with contextlib.suppress(OSError):
            if os.fstat(self._fd).st_size == size + written:
                os.ftruncate(self._fd, size)
                return True
        return False

    def _force(self, fd: int) -> None:
        """Force a file to the disk. Where that fails its rows are in it, until a power cut."""
        try:
            os.fsync(fd)
            if self._renamed:
                self._renamed = False
                sync_folder(self.path.parent)
        except OSError as error:
            if not self._sync_fails:
                log.error("%s cannot be forced to the disk: %s.", self.path, error.strerror)  # noqa: TRY400
            self._sync_fails = True
            self.sync_errors += 1
            # The kernel may have dropped the pages that it could not write, and would call the
            # next attempt a success.
            self._seal_next = True
        else:
            self._sync_fails = False

    def _is_full(self, size: int, more: int) -> bool:
        if self._first_id is None:
            return False
        return (
            self._seal_next
            or size + more > self._max_bytes
            or self._clock() - time_of(self._first_id) > self._max_age
        )

    def _seal(self) -> bool:
        """Give the full file its final name. Whether it worked; if not, it just grows on."""
        try:
            first_id = first_id_of(self.path)
            if first_id is None:
                return False
            sealed = sealed_path(self.path, first_id)
            if exists(sealed):
                _, self._intruder = look_at(self.path, self.table)
                return False
            size = os.fstat(self._fd).st_size
            if files.byte_at(self._fd, size - 1) != b"\n":
                files.write_all(self._fd, b"\n")
            if self._fsync == "everysec":
                self._dirty.append(os.dup(self._fd))
                self._unsynced = False
            if sys.platform == "win32":
                # An open file cannot be renamed there; if others have it open, it just grows on.
                self._close()
            os.rename(self._file, sealed)  # noqa: PTH104 # by the name that tests make fail
        except OSError:
            return False
        self._seal_next = False
        self._renamed = True
        return True

    # --- fork --------------------------------------------------------------------------------

    def before_fork(self) -> None:
        self._mutex.acquire()

    def after_fork_in_parent(self) -> None:
        self._mutex.release()

    def after_fork_in_child(self) -> None:
        """Open files anew: a lock taken through an inherited descriptor would be the parent's."""
        self._mutex, self._appending = threading.RLock(), False
        for fd in (*self._dirty, *self._forcing):
            files.close(fd)
        self._dirty, self._forcing = [], []
        self._close()


def _foreign() -> OSError:
    return OSError(errno.EEXIST, "another program's file stands in its place")
