"""How the delivery goes, for people and for programs that watch it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.lib.tracelog.shipper.backlog import Backlog, measure
from app.lib.tracelog.shipper.checkpoint import Checkpoint

State = Literal["starting", "standby", "delivering", "unavailable", "refused", "stopped", "broken"]
"""`standby`: another process delivers. `stopped`: too many rows are rejected. `broken`: the log
folder, or the shipper itself, has a fault. All but the first three are tried again by themselves.
"""


@dataclass(frozen=True, slots=True)
class ShipperStatus:
    """What the delivery of a log folder is doing, whichever process does it.

    `pending_rows` is estimated; `accounting` counts exactly. `lag_seconds` is the age of the oldest
    row that waits.
    """

    state: str
    leader: bool
    last_error: str
    shipped: int
    known: int
    collisions: int
    quarantined: int
    batches: int
    retries: int
    lost_bytes: int
    pending_rows: int
    pending_bytes: int
    lag_seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the delivery of a log folder is: a checkpoint that stays as it is, and the state.

    `leader` tells that this process delivers, or the one beside it.
    """

    checkpoint: Checkpoint
    state: str
    last_error: str
    leader: bool

    @classmethod
    def load(cls, log_dir: Path) -> "Progress":
        """What the leader has last saved."""
        checkpoint = Checkpoint.load(log_dir)
        return cls(checkpoint, checkpoint.state, checkpoint.last_error, leader=False)


def describe(progress: Progress, now: float) -> ShipperStatus:
    """Where the log folder cannot be read, nothing seems to wait. `now` is Unix time."""
    checkpoint = progress.checkpoint
    try:
        backlog = measure(checkpoint.log_dir, checkpoint, now)
    except OSError:
        backlog = Backlog()
    counters = checkpoint.counters
    return ShipperStatus(
        state=progress.state,
        leader=progress.leader,
        last_error=progress.last_error,
        shipped=counters.shipped,
        known=counters.known,
        collisions=counters.collisions,
        quarantined=counters.quarantined,
        batches=counters.batches,
        retries=counters.retries,
        lost_bytes=counters.lost_bytes,
        pending_rows=backlog.rows,
        pending_bytes=backlog.bytes,
        lag_seconds=backlog.seconds,
    )
