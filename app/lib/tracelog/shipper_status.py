"""How the delivery goes, for people and for programs that watch it."""

from dataclasses import asdict, dataclass
from typing import Literal

from app.lib.tracelog.backlog import Backlog, measure
from app.lib.tracelog.checkpoint import Checkpoint

State = Literal["starting", "standby", "delivering", "unavailable", "refused", "stopped", "broken"]
"""`standby`: another process delivers. `stopped`: too many rows are rejected. `broken`: the log
folder, or the shipper itself, has a fault. All but the first three are tried again by themselves.
"""


@dataclass(frozen=True, slots=True)
class ShipperStatus:
    """What the delivery of a log folder is doing, whichever process does it.

    `appended = shipped + pending + quarantined + dropped` holds with the journal's counts.
    `pending_rows` is estimated; `lag_seconds` is the age of the oldest row that waits.
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


def describe(
    checkpoint: Checkpoint, state: str, error: str, *, leader: bool, now: float
) -> ShipperStatus:
    """Where the log folder cannot be read, nothing seems to wait. `now` is Unix time."""
    try:
        backlog = measure(checkpoint.log_dir, checkpoint, now)
    except OSError:
        backlog = Backlog()
    return ShipperStatus(
        state=state,
        leader=leader,
        last_error=error,
        pending_rows=backlog.rows,
        pending_bytes=backlog.bytes,
        lag_seconds=backlog.seconds,
        **asdict(checkpoint.counters),
    )
