"""What became of the rows that this host recorded."""

import os

from app.lib.logger import EnhancedCSVLogger
from app.schemas.log import LogState


def log_state(logger: EnhancedCSVLogger) -> LogState:
    """The state of the log. Reads files, so it is not for the event loop."""
    account = logger.status()
    return LogState(
        appended=account.appended,
        delivered=account.shipped,
        pending=account.pending,
        quarantined=account.quarantined,
        dropped=account.dropped,
        lag_seconds=account.lag_seconds,
        last_error=account.last_error,
        leader_pid=account.leader_pid,
        elsewhere=account.elsewhere,
        other_stores=account.other_stores,
        is_leader=account.leader_pid == os.getpid(),
    )
