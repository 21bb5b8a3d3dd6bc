"""Advisory locks on open files, the same on POSIX and Windows.

A lock belongs to the open file, so it is gone when its process dies, however it dies.
"""

import errno
import sys
from typing import Final

_NO_LOCKS_HERE: Final = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}

if sys.platform == "win32":
    import msvcrt
    import os
    import time

    # Locks on Windows keep others from reading the locked bytes, so the lock lies past any content.
    _FAR = 2**62

    def try_lock(fd: int) -> bool:
        """Take the lock if it is free; whether it was."""
        position = os.lseek(fd, 0, os.SEEK_CUR)
        os.lseek(fd, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(fd, position, os.SEEK_SET)
        return True

    def unlock(fd: int) -> None:
        position = os.lseek(fd, 0, os.SEEK_CUR)
        os.lseek(fd, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
        finally:
            os.lseek(fd, position, os.SEEK_SET)

    def let_others_run() -> None:
        """Let whoever holds a lock for microseconds go on, and be back at once."""
        time.sleep(0)

else:
    import fcntl
    import os

    def try_lock(fd: int) -> bool:
        """Take the lock if it is free; whether it was."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)

    def let_others_run() -> None:
        """Let whoever holds a lock for microseconds go on, and be back at once."""
        os.sched_yield()


def try_lock_if_any(fd: int) -> bool | None:
    """As `try_lock`; None where the file system knows no locks, as some of networks do."""
    try:
        return try_lock(fd)
    except OSError as error:
        if error.errno not in _NO_LOCKS_HERE:
            raise
        return None
