"""What is kept of requests, and where."""

from collections.abc import Callable
from dataclasses import dataclass

from app.lib.tracelog.capture.asgi import Scope
from app.lib.tracelog.capture.gathering import Gathering
from app.lib.tracelog.capture.sampling import Sampling
from app.lib.tracelog.recorder import Recorder
from app.lib.tracelog.trace import Trace


@dataclass(frozen=True, slots=True)
class Keeping:
    """The same for all requests. `skips` says which paths leave no row unless they fail."""

    recorder: Recorder
    rows: Gathering
    body_bytes: int
    html: bool
    sampling: Sampling | None
    skips: Callable[[str], bool]

    def leaves_out(self, scope: Scope, trace: Trace, status: int, duration_ms: int) -> bool:
        """Whether sampling leaves this request out."""
        return self.sampling is not None and not self.sampling.keeps(
            scope["method"],
            scope["path"],
            trace_id=trace.trace_id,
            status=status,
            duration_ms=duration_ms,
        )
