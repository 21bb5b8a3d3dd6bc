"""A journal's files by their descriptors: begun, looked at, written whole, and closed."""

import contextlib
import errno
import os
import secrets
import stat
import sys
from pathlib import Path
from typing import Final

from app.lib.tracelog.disk import begin_file, make_folder

FLAGS: Final = os.O_RDWR | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""How a file is opened that rows are appended to."""

_LEFT_SECONDS: Final = 60.0


def begin(path: Path, header: bytes, now: float) -> None:
    """Have a file with a header, and no second one where several processes begin it at once.

    `now` is Unix time. File systems without links are left without the file. Raises `OSError`.
    """
    make_folder(path.parent)
    # A disk that fails to list them, or to let go of one, costs no row by that.
    with contextlib.suppress(OSError):
        for left in path.parent.glob(f".{path.stem}.*.new"):
            # Somebody was killed before it was unlinked; it would keep a segment's room for ever.
            if now - left.stat().st_mtime > _LEFT_SECONDS:
                left.unlink()
    # Never one that is there: it may be another name of a file with rows.
    begun = path.with_name(f".{path.stem}.{secrets.token_hex(8)}.new")
    fd = begin_file(begun, FLAGS)
    try:
        write_all(fd, header)
        with contextlib.suppress(OSError):
            os.link(begun, path)
    finally:
        close(fd)
        with contextlib.suppress(OSError):
            os.unlink(begun)  # noqa: PTH108


def status_of(fd: int, path: str) -> os.stat_result:
    """Raises `OSError`, also for what is no file: rows in it would count and be nowhere."""
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "this is no file", path)
    return status


def byte_at(fd: int, position: int) -> bytes:
    if sys.platform == "win32":
        os.lseek(fd, position, os.SEEK_SET)
        return os.read(fd, 1)
    else:  # noqa: RET505 # mypy knows the platform by the branch
        return os.pread(fd, 1, position)


def write_all(fd: int, data: bytes) -> None:
    written = os.write(fd, data)
    while written < len(data):
        # A short write says that the disk is full; writing the rest brings the error itself.
        written += os.write(fd, data[written:])


def close(fd: int) -> None:
    """Close a descriptor. It is gone even where that fails, and its rows are in the file."""
    with contextlib.suppress(OSError):
        os.close(fd)
