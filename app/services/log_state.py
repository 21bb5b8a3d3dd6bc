"""What became of the rows that this host recorded."""

from app.lib.logger import EnhancedCSVLogger
from app.schemas.log import LogState


def log_state(logger: EnhancedCSVLogger) -> LogState:
    """The state of the log. Reads files, so it is not for the event loop."""
    counts, delivery = logger.recorder.tally.totals(), logger.shipper.status()
    return LogState(
        appended=counts.appended,
        delivered=delivery.shipped,
        pending=delivery.pending_rows,
        quarantined=delivery.quarantined,
        dropped=counts.dropped,
        lag_seconds=delivery.lag_seconds if delivery.pending_rows else 0.0,
        last_error=delivery.last_error,
    )
