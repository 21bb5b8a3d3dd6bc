"""Follows a list of requests: what has come since the last look, each request once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.lib.tracelog import ids
from app.lib.utils import utc_now
from app.schemas.log import RequestFilter, RequestLine
from app.services.logs.log_service import LogService

SHOWN: Final = 100
"""So many requests are handed on at a time: nobody reads more of them."""

COUNTED: Final = 1000
"""So many are counted."""

LATE_SECONDS: Final = 10
"""Hosts deliver at their own pace: a request may arrive so long after younger ones."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What is new, newest first.

    Where more came than are handed on, they are `whole`: all that a list of the newest shows, so
    that it has no gap. `count` is how many are new; at `COUNTED` it may be more. `position` is
    where a later look goes on, for another `LiveTail` too.
    """

    requests: list[RequestLine]
    count: int
    whole: bool
    position: int


class LiveTail:
    """Looks for requests that fit `wanted` and are newer than `position`, an id.

    Those that may have been late for the look before are looked for again, so the first look can
    give some that whoever goes on from `position` has.
    """

    def __init__(
        self,
        log: LogService,
        wanted: RequestFilter,
        position: int,
        *,
        routes: bool = False,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        cursors = {"after": None, "before": None, "until": None, "limit": COUNTED}
        self._log = log
        self._wanted = wanted.model_copy(update=cursors)
        self._since = int(ids.time_of(position))
        self._routes = routes
        self._clock = clock
        self._known: set[int] = set()

    async def look(self) -> Arrivals:
        """What is new. Raises `StoreError`; then the next look makes up for it."""
        began = int(self._clock().timestamp())
        since = max(self._wanted.since or 0, self._since - LATE_SECONDS)
        page = await self._log.requests(
            self._wanted.model_copy(update={"since": since}), routes=self._routes
        )
        found = {int(line.id): line for line in page.requests}
        fresh = found.keys() - self._known
        self._known = set(found)
        self._since = max(self._since, began)
        whole = len(fresh) > SHOWN
        shown = list(found) if whole else [row_id for row_id in found if row_id in fresh]
        return Arrivals(
            [found[row_id] for row_id in shown[:SHOWN]],
            len(fresh),
            whole,
            ids.first_at(self._since),
        )
