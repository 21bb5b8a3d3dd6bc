"""Delivers the journal to the store at its own pace, in a thread of its own.

Of all processes that share a log folder one delivers, for all of them. It never gives up: what
cannot be delivered now stays in the journal and is delivered later.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.lib.tracelog.bell import Bell
from app.lib.tracelog.shipper.backlog import Marks, is_past, marks_of, nothing_waits
from app.lib.tracelog.shipper.backoff import Backoff, draw_evenly
from app.lib.tracelog.shipper.beside import Beside
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.shipper.delivery import Delivery, TooManyRejected
from app.lib.tracelog.shipper.drains import Drains
from app.lib.tracelog.shipper.election import LOCK_NAME, Election
from app.lib.tracelog.shipper.patience import Patience
from app.lib.tracelog.shipper.status import Progress, ShipperStatus, State, describe
from app.lib.tracelog.short_turns import take_short_turns, work_in_the_background
from app.lib.tracelog.store.store import (
    Store,
    StoreError,
    StoreSchemaMissing,
    StoreUnavailable,
)
from app.lib.tracelog.upkeep.housekeeping import Housekeeper

log = logging.getLogger("tracelog")

_FAILING: Final = {"unavailable", "refused", "stopped", "broken"}
_COMPLAINTS: Final = {
    "unavailable": "Rows cannot be delivered to %s; they wait in the journal: %s",
    "refused": "%s refuses our rows until somebody mends it; they wait in the journal: %s",
    "stopped": "%s rejects more than a fifth of our rows; delivery waits until it is mended: %s",
    "broken": "The delivery to %s cannot work on; rows wait in the journal: %s",
}
_COMPLAINT_SECONDS: Final = 60.0
_STANDBY_SECONDS: Final = 0.25
_DRAIN_SECONDS: Final = 0.05
_SILENT_SECONDS: Final = 2.0


class AnotherDelivers(Exception):
    """Another process delivers the rows of this log folder."""


class Shipper:
    """Delivers what is in `log_dir` to the store that `store_factory` makes.

    A batch has about `batch_rows` rows or `batch_bytes` bytes at most; with larger ones the app
    waits longer for the interpreter while a backlog is delivered. The journal is looked at
    every `idle_seconds`; after `wake`, which costs a writer next to nothing, once `gather_seconds`
    have passed, so that a batch is worth its way. `refused_seconds` is the longest pause after a
    refusal, `draw` the randomness of pauses, `clock` Unix time. The leader lets `housekeeper` work
    where it leaves time. With `beside` it hands its lead over after its first batch. `address` is
    what the checkpoint remembers the store by.
    """

    def __init__(
        self,
        log_dir: Path,
        store_factory: Callable[[], Store],
        *,
        batch_rows: int = 300,
        batch_bytes: int = 1_000_000,
        idle_seconds: float = 0.5,
        gather_seconds: float = 0.1,
        retry_seconds: float = 30.0,
        refused_seconds: float = 120.0,
        housekeeper: Housekeeper | None = None,
        beside: Beside | None = None,
        address: str = "",
        draw: Callable[[], float] = draw_evenly,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._log_dir = log_dir
        self._store_factory = store_factory
        self._housekeeper = housekeeper
        self._beside = beside
        self._address = address
        self._batch_rows = batch_rows
        self._batch_bytes = batch_bytes
        self._idle_seconds = idle_seconds
        self._gather_seconds = gather_seconds
        self._clock = clock
        self._retry = Backoff(0.2, retry_seconds, draw)
        self._long_retry = Backoff(refused_seconds / 8, refused_seconds, draw)
        self._election, self._patience = Election(log_dir / LOCK_NAME), Patience(log_dir)
        self._delivery: Delivery | None = None
        self._left: Delivery | None = None
        self._term = 0
        self._state: State = "starting"
        self._last_error = ""
        self._failing_since = 0.0
        self._complained = -_COMPLAINT_SECONDS
        self._thread: threading.Thread | None = None
        self._bell, self._hurry = Bell(), Bell()
        self._stopping = False
        self._drains = Drains()

    # --- for its owner -----------------------------------------------------------------------

    def start(self, *, lock: int | None = None) -> None:
        """Start the thread, if it is not running; as the leader, by the `lock` of another."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping = False
            if lock is not None:
                self._election.adopt(lock)
            take_short_turns()
            thread = threading.Thread(target=self._run, name="tracelog-shipper", daemon=True)
            thread.start()
            self._thread = thread

    @property
    def began(self) -> bool:
        """Whether the thread could be started."""
        return self._thread is not None

    def wake(self) -> None:
        """Say that there is something new."""
        self._bell.ring()

    def marks(self) -> Marks:
        """Where the journal ends now; empty where nothing waits, or cannot be told."""
        with contextlib.suppress(OSError):
            return marks_of(self._log_dir, Checkpoint.load(self._log_dir))
        return {}

    def drain(self, seconds: float, marks: Marks | None = None) -> bool:
        """Wait until all that is in the journal now is delivered; whether it was in time.

        With the `marks` of an earlier moment: what was there then. Where another process delivers,
        that is waited for.
        """
        marks = self.marks() if marks is None else marks
        if self._thread is None or not self._thread.is_alive():
            return nothing_waits(self._log_dir)
        return self._drains.wait(marks, seconds, self._ring)

    def stop(self, seconds: float = 5.0) -> bool:
        """End the thread and resign; whether it ended in time.

        A call to the store that is under way is not waited for longer; should it have an effect,
        the replay by the next leader is harmless.
        """
        self._stopping = True
        self._ring()
        if self._thread is None:
            self._resign()
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _ring(self) -> None:
        self._bell.ring()
        self._hurry.ring()

    def run_once(self) -> int:
        """Deliver one batch in this thread: the rows and damaged spans settled, 0 if none waits.

        For tests, in place of `start`; `stop` ends it too. Raises `AnotherDelivers`,
        `StoreError`, `TooManyRejected` and `OSError`.
        """
        if not self._election.lead():
            raise AnotherDelivers
        delivery = self._take_over()
        try:
            settled = delivery.step()
        except StoreSchemaMissing:
            delivery.store.migrate()
            settled = delivery.step()
        delivery.save(now=settled == 0)
        return settled

    def progress(self) -> Progress:
        """How far this log folder's delivery is, whichever process does it. Never raises."""
        delivery = self._delivery
        if delivery is not None and self._election.leads():
            checkpoint = delivery.checkpoint.snapshot()
            return Progress(checkpoint, self._state, self._last_error, leader=True)
        checkpoint = Checkpoint.load(self._log_dir)
        state, error = checkpoint.state or self._state, checkpoint.last_error or self._last_error
        beside = self._beside is not None and self._beside.leads
        return Progress(checkpoint, state, error, leader=beside)

    def status(self) -> ShipperStatus:
        """How the delivery of this log folder goes, for people. Never raises."""
        return describe(self.progress(), self._clock())

    # --- the thread --------------------------------------------------------------------------

    def _run(self) -> None:
        # While a call waits for the store, the folder may fill up.
        work_in_the_background(lambda seconds: self._tend(waited=seconds))
        try:
            while not self._stopping:
                try:
                    self._round()
                # Nothing starts it anew, so this must not end it: a descriptor that is not to be
                # had now is later.
                except Exception:
                    if time.monotonic() - self._complained >= _COMPLAINT_SECONDS:
                        self._complained = time.monotonic()
                        log.exception("What goes with the delivery failed; rows are delivered on.")
                    time.sleep(_STANDBY_SECONDS)
        finally:
            # Whatever ended this, another process may lead.
            if self._beside is not None:
                self._beside.end()
            self._resign()

    def _round(self) -> None:
        """A batch, and what is to be done beside the delivery."""
        drain = self._drains.newest
        pause, caught_up = self._turn()
        self._hand_over()
        if self._drains.are_waited_for and (caught_up or self._is_past(drain.marks)):
            self._drains.end(drain)
        self._rest(self._tend(pause, quiet=caught_up))

    def _hand_over(self) -> None:
        """Have the process beside us lead, as soon as it is ready."""
        beside = self._beside
        if beside is None:
            return
        if self._hurries():
            # What is to be done at once is done here, as soon as it has let go.
            beside.end()
        elif self._delivery is None or not self._election.leads():
            return
        elif not beside.runs():
            if self._delivery.checkpoint.counters.batches:
                beside.start(self._election.lock)
        elif beside.leads:
            # It had the lock, and must have been stopped for so long that we were needed.
            beside.end()
        elif beside.is_ready():
            self._delivery.save()
            self._leave("standby")
            self._election.give_away()
            beside.lead()

    def _tend(self, pause: float = 0, *, quiet: bool = False, waited: float | None = None) -> float:
        """Have the housekeeper do a piece of its work, and how long to rest after it."""
        delivery, leads = self._delivery, self._election.leads
        if self._housekeeper is None or not leads():
            return pause
        # Without a store that can be opened at all there is no delivery, but a journal.
        checkpoint = delivery.checkpoint if delivery else self._patience.take_over(leads)
        works = self._state == "delivering" and waited is None and not self._hurries()
        store = delivery.store if delivery is not None and works else None
        # What was delivered already is to be told from what was not before it goes.
        failing = (waited or 0) > _SILENT_SECONDS or self._state in _FAILING
        may_drop = delivery is None or failing or not delivery.may_repeat
        rest = self._housekeeper.tend(checkpoint, store, quiet=quiet, may_drop=may_drop)
        return min(pause, rest)

    def _is_past(self, marks: Marks) -> bool:
        """Whether all before the marks is delivered, whatever was written meanwhile."""
        delivery = self._delivery
        checkpoint = delivery.checkpoint if delivery else Checkpoint.load(self._log_dir)
        if not is_past(checkpoint, marks):
            return False
        if delivery:
            delivery.save()
        return True

    def _hurries(self) -> bool:
        return self._stopping or self._drains.are_waited_for

    def _rest(self, pause: float) -> None:
        if self._stopping or pause == 0:
            return
        if self._drains.are_waited_for:
            time.sleep(min(pause, _DRAIN_SECONDS))
            # It has rung for this one, and is not to shorten a pause after it.
            self._hurry.wait(0)
        elif self._state in _FAILING:
            # New rows are no reason to try sooner, but the folder may fill up meanwhile.
            deadline = time.monotonic() + pause
            while (left := deadline - time.monotonic()) > 0:
                if self._hurry.wait(self._tend(left)):
                    break
        elif self._bell.wait(pause):
            self._hurry.wait(self._gather_seconds)

    def _turn(self) -> tuple[float, bool]:
        """Do one batch: how long to rest in seconds, and whether nothing more waits."""
        try:
            if not self._election.lead():
                self._leave("standby")
                caught_up = self._drains.are_waited_for and nothing_waits(self._log_dir)
                return _STANDBY_SECONDS, caught_up
            delivery = self._take_over()
            try:
                settled = delivery.step()
            except StoreSchemaMissing as error:
                delivery.make_tables(error, told=self._state != "refused")
                settled = delivery.step()
        # Whatever happened, the rows are still in the journal.
        except Exception as error:  # noqa: BLE001
            return self._fail(error), False
        self._succeed(delivery)
        # Forcing it to the disk after every batch would cost more than the replay that it spares.
        delivery.save(now=settled == 0 and self._drains.are_waited_for)
        return (0.0, False) if settled else (self._idle_seconds, True)

    def _take_over(self) -> Delivery:
        kept = None
        if self._term != self._election.terms:
            kept = self._kept_checkpoint()
            self._leave("starting")
            self._term = self._election.terms
        if self._delivery is None:
            self._delivery = Delivery(
                self._log_dir,
                self._store_factory(),
                kept or self._patience.take_over(self._election.leads),
                batch_rows=self._batch_rows,
                batch_bytes=self._batch_bytes,
                clock=self._clock,
            )
            if self._address:
                self._delivery.go_to(self._address)
        return self._delivery

    def _kept_checkpoint(self) -> Checkpoint | None:
        """Ours, where somebody has removed the folder and the one on the disk with it.

        Raises `OSError`.
        """
        delivery = self._delivery or self._left
        if delivery is None:
            return None
        # Of a folder that is just being removed its copy from the time before may still be there.
        there, checkpoint = self._patience.newest(), delivery.checkpoint
        if there.has_gone_further(checkpoint):
            return None
        checkpoint.join(there)
        delivery.notice_removed()
        checkpoint.unsaved, checkpoint.folder_removed_at = True, time.monotonic()
        return checkpoint

    def _succeed(self, delivery: Delivery) -> None:
        if self._state in _FAILING:
            # As loud as the complaint, so that whoever saw that one sees this one.
            seconds = time.monotonic() - self._failing_since
            log.warning("Delivery to %s works again after %.0f s.", delivery.store.name, seconds)
        if self._state != "delivering":
            self._state, self._last_error = "delivering", ""
            delivery.note("delivering", "")
            self._retry.reset()
            self._long_retry.reset()

    def _fail(self, error: Exception) -> float:
        """Tell it once, and how long to rest."""
        state, pause = self._judge(error)
        text = str(error) or type(error).__name__
        if state != self._state:
            if self._state not in _FAILING:
                self._failing_since = time.monotonic()
            name = self._delivery.store.name if self._delivery else "the store"
            known = isinstance(error, (StoreError, TooManyRejected, OSError, ValueError))
            log.error(_COMPLAINTS[state], name, text, exc_info=None if known else error)
        self._state, self._last_error = state, text
        if self._delivery is not None:
            self._delivery.checkpoint.counters.retries += 1
            self._delivery.note(state, text)
        return pause

    def _judge(self, error: Exception) -> tuple[State, float]:
        if isinstance(error, StoreUnavailable):
            return "unavailable", max(self._retry.next(), min(error.retry_after or 0, 300.0))
        if isinstance(error, TooManyRejected):
            return "stopped", self._long_retry.next()
        if isinstance(error, (StoreError, ValueError)):
            return "refused", self._long_retry.next()
        return "broken", self._retry.next()

    def _leave(self, state: State) -> None:
        """Let go of what only the leader has."""
        delivery, self._delivery = self._delivery, None
        self._left = delivery or self._left
        self._state, self._last_error = state, ""
        if delivery is not None:
            with contextlib.suppress(StoreError):
                delivery.store.close()

    def _resign(self) -> None:
        if self._delivery is not None and self._election.leads():
            self._delivery.save()
        self._leave("standby")
        self._left = None
        self._election.resign()
