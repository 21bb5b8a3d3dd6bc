"""What lasts on a disk, and whose it is."""

import contextlib
import errno
import os
import stat
import sys
from pathlib import Path
from typing import Final

_NOTHING_THERE: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


def sync_folder(folder: Path) -> None:
    """Make the names in it last: of files that were begun or renamed. Windows has no such thing."""
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def exists(path: Path) -> bool:
    """Whether there is something of this name. Raises `OSError` where that cannot be told.

    `Path.exists` takes that for a no, from Python 3.14 on.
    """
    return _mode(path) is not None


def is_file(path: Path) -> bool:
    """Whether there is a file of this name. Raises `OSError` as `exists` does."""
    mode = _mode(path)
    return mode is not None and stat.S_ISREG(mode)


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except OSError as error:
        if error.errno not in _NOTHING_THERE:
            raise
        return None


def make_folder(folder: Path) -> None:
    """Have a folder, and those that it is in. Raises `OSError`."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            try:
                each.mkdir()
            except FileExistsError:
                # Somebody else has made it at the same moment.
                if not each.is_dir():
                    raise
            else:
                _hand_over(each, each)


def begin_file(path: str | Path, flags: int) -> int:
    """Open a file that is not there yet, for its owner alone. Raises `OSError`."""
    fd = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    _hand_over(fd, Path(path))
    return fd


def open_file(path: str | Path, flags: int) -> int:
    """Open a file, and begin it where it is not there. Raises `OSError`."""
    with contextlib.suppress(FileNotFoundError):
        return os.open(path, flags & ~os.O_CREAT)
    with contextlib.suppress(FileExistsError):
        return begin_file(path, flags)
    # Somebody else has begun it at the same moment, or it is a link that leads nowhere yet.
    return os.open(path, flags | os.O_CREAT, 0o600)


def _hand_over(new: int | Path, path: Path) -> None:
    """Let what the superuser makes be the folder's owner's, as whom the app may run.

    Never what was there before: somebody may have made it a link to what is not theirs.
    """
    if sys.platform != "win32" and os.geteuid() == 0:
        with contextlib.suppress(OSError):
            folder = path.parent.stat()
            if folder.st_uid:
                # What was a folder a moment ago may be such a link by now.
                follow = isinstance(new, int)
                os.chown(new, folder.st_uid, folder.st_gid, follow_symlinks=follow)
