"""Does what keeps a trace log from growing for ever, a small piece at a time.

It is done by the shipper's thread, of the leader, and so never by a request: the folder's limits
every few seconds, retention in the store at most once an hour and when nothing is to be delivered.
"""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from app.lib.tracelog.shipper.accounting import Accountant
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.shipper.status import Progress
from app.lib.tracelog.store.store import Store, StoreError
from app.lib.tracelog.upkeep.retention import RUN_SECONDS, Chunk, Retention, Rules
from app.lib.tracelog.upkeep.room import make_room, size_of

log = logging.getLogger("tracelog")

ROOM_SECONDS: Final = 5.0
"""How often the folder is looked at, as long as it will not be full soon."""

PAUSE_SECONDS: Final = 0.05
"""Between two chunks that are deleted from the store, for others to get at it."""

_SOON_SECONDS: Final = 0.5
_LITTLE: Final = 1 / 8
_MOST_SHARE: Final = 1 / 10
"""How much of the time is spent at most on a folder that is full soon, as on one of many files."""

_FIRST_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 600.0
_COMPLAINT_SECONDS: Final = 3600.0
_TOLD_SECONDS: Final = 60.0
_LEAST_ROW: Final = 64
_COUNTED_SECONDS: Final = 3.0
"""By then all processes have found out that their counts were removed, and written them again."""


class Housekeeper:
    """Applies `rules` to a log folder and its store. Used by one thread at a time.

    `clock` is Unix time, `monotonic` seconds since anything.
    """

    def __init__(
        self,
        log_dir: Path,
        rules: Rules,
        accountant: Accountant,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log_dir = log_dir
        self._rules = rules
        self._accountant = accountant
        self._clock = clock
        self._monotonic = monotonic
        self._room_at = monotonic()
        self._retention_at = monotonic() + _FIRST_SECONDS
        self._retention: Retention | None = None
        self._looked = monotonic(), 0
        self._run: Iterator[Chunk] = iter(())
        self._complained = -_COMPLAINT_SECONDS
        self._untold, self._told_at = 0, -_TOLD_SECONDS

    def tend(
        self, checkpoint: Checkpoint, store: Store | None, *, quiet: bool, may_drop: bool = True
    ) -> float:
        """Do a piece of what is due, and for how many seconds to rest at most before the next one.

        Without a `store` only the folder is looked after. While the delivery is not `quiet` rows
        are not deleted from the store, unless they have waited an hour for it. Until it `may_drop`
        what is not delivered, nothing of that goes. Never raises.
        """
        try:
            if (began := self._monotonic()) >= self._room_at:
                self._room_at = began + ROOM_SECONDS
                if self._tend_folder(checkpoint, may_drop=may_drop):
                    took = self._monotonic() - began
                    self._room_at = began + max(_SOON_SECONDS, took / _MOST_SHARE)
            late = self._monotonic() - self._retention_at
            is_due = late >= (0 if quiet else RUN_SECONDS)
            if store is not None and is_due and self._tend_store(store):
                return PAUSE_SECONDS
        # A fault here must not end the delivery.
        except Exception:
            log.exception("Old rows cannot be deleted; the next try is in ten minutes.")
            self._retention = None
            self._room_at = self._retention_at = self._monotonic() + _AGAIN_SECONDS
        return min(ROOM_SECONDS, max(self._room_at - self._monotonic(), PAUSE_SECONDS))

    def _tend_folder(self, checkpoint: Checkpoint, *, may_drop: bool) -> bool:
        """Keep it within its limits; whether it is to be looked at soon again."""
        try:
            self._reckon(checkpoint)
            now = self._clock()
            freed = make_room(self._log_dir, checkpoint, self._rules, now, may_drop=may_drop)
            fills_up = self._fills_up(size_of(self._log_dir))
        except OSError as error:
            self._complain("The log folder cannot be kept within its limits: %s.", error.strerror)
            return False
        self._tell_dropped(freed.dropped)
        return fills_up or not may_drop

    def _tell_dropped(self, rows: int) -> None:
        """Tell it at once, and what follows each minute: a store may be away for days."""
        self._untold += rows
        if self._untold and self._monotonic() - self._told_at >= _TOLD_SECONDS:
            log.error(
                "The log folder was full: %s rows that were never delivered have been dropped.",
                self._untold,
            )
            self._untold, self._told_at = 0, self._monotonic()

    def _fills_up(self, size: int) -> bool:
        """Whether a folder that grows as since the last look is full before the next but one."""
        most = self._rules.folder_bytes
        (then, before), self._looked = self._looked, (self._monotonic(), size)
        growth = (size - before) / max(self._looked[0] - then, _SOON_SECONDS)
        return bool(most) and most - size < max(most * _LITTLE, growth * 2 * ROOM_SECONDS)

    def _tend_store(self, store: Store) -> bool:
        """Delete a chunk of old rows; whether there may be more."""
        try:
            if self._retention is None:
                self._begin(store)
            if next(self._run, None) is not None:
                return True
            self._end(store)
        except StoreError as error:
            log.debug("Retention goes on later: %s", error)
            self._retention = None
            self._retention_at = self._monotonic() + _AGAIN_SECONDS
        return False

    def _begin(self, store: Store) -> None:
        self._retention = Retention(store, self._rules, clock=self._clock)
        self._run = self._retention.run() if self._retention.is_due() else iter(())

    def _end(self, store: Store) -> None:
        if self._retention is not None and self._retention.too_large:
            message = "%s is larger than it may be, and all that could go is younger than an hour."
            self._complain(message, store.name)
        self._retention = None
        self._retention_at = self._monotonic() + RUN_SECONDS

    def _reckon(self, checkpoint: Checkpoint) -> None:
        """Count as dropped what was in files that somebody removed; only their size is known."""
        counters, removed_at = checkpoint.counters, checkpoint.folder_removed_at
        if removed_at is not None:
            if self._monotonic() - removed_at < _COUNTED_SECONDS:
                return
        elif counters.lost_bytes <= counters.reckoned_bytes:
            return
        progress = Progress(checkpoint.snapshot(), "", "", leader=True)
        missing = self._accountant.account(lambda: progress).unaccounted
        most = (counters.lost_bytes - counters.reckoned_bytes) // _LEAST_ROW
        with checkpoint.lock:
            # Of a folder that was removed there may be rows that nobody had looked at yet.
            counters.dropped += max(missing if removed_at is not None else min(missing, most), 0)
            counters.reckoned_bytes = counters.lost_bytes
            checkpoint.folder_removed_at = None
        checkpoint.save()

    def _complain(self, message: str, *values: object) -> None:
        now = self._monotonic()
        if now - self._complained >= _COMPLAINT_SECONDS:
            self._complained = now
            log.warning(message, *values)
