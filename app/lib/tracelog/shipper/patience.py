"""How long a checkpoint is waited for that is there and cannot be read."""

import contextlib
import errno
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.lib.tracelog.shipper.checkpoint import COPIES, Checkpoint

log = logging.getLogger("tracelog")

PATIENCE_SECONDS: Final = 300.0
"""Nothing is delivered meanwhile, and the folder grows."""

_APART: Final = 60.0
"""Who leads tries again sooner; after a longer time it is another lead, and another trouble."""

_SHORTAGES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""They do not lie in the file, which may well be read once there is more."""


class Patience:
    """Reads the checkpoint of `log_dir` for a leader.

    What cannot be read for `PATIENCE_SECONDS` is put aside, as `NAME.unreadable-TIME`, and the
    leader begins anew: what is in the folder is sent again, and the store knows what it has.
    `clock` counts seconds since anything.
    """

    def __init__(self, log_dir: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._log_dir = log_dir
        self._clock = clock
        self._unreadable_since = self._tried = -math.inf

    def newest(self) -> Checkpoint:
        """`Checkpoint.newest`. Raises `OSError` while it is waited for."""
        return self._read(lambda: Checkpoint.newest(self._log_dir))

    def take_over(self, leads: Callable[[], bool]) -> Checkpoint:
        """`Checkpoint.take_over`. Raises `OSError` while it is waited for."""
        return self._read(lambda: Checkpoint.take_over(self._log_dir, leads))

    def _read(self, read: Callable[[], Checkpoint]) -> Checkpoint:
        try:
            checkpoint = read()
        except OSError as error:
            now = self._clock()
            if now - self._tried > _APART or error.errno in _SHORTAGES:
                self._unreadable_since = now
            self._tried = now
            if now - self._unreadable_since < PATIENCE_SECONDS:
                raise
            self._put_aside()
            checkpoint = read()
        self._tried = -math.inf
        return checkpoint

    def _put_aside(self) -> None:
        """Rename the copies that cannot be read. Raises `OSError`."""
        for path in (self._log_dir / name for name in COPIES):
            with contextlib.suppress(FileNotFoundError):
                try:
                    path.read_bytes()
                except OSError as error:
                    if error.errno in _SHORTAGES:
                        raise
                    aside = path.with_name(f"{path.name}.unreadable-{time.time_ns()}")
                    path.rename(aside)
                    log.error(  # noqa: TRY400 # the reason says it all
                        "%s could not be read for %.0f s, and is called %s now: %s. What is in the "
                        "folder is delivered again; counts begin anew.",
                        path, PATIENCE_SECONDS, aside.name, error.strerror,
                    )  # fmt: skip
