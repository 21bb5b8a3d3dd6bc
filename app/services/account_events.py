"""The audit trail of accounts."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.acting import system_work
from app.lib.tracelog.trace import current_trace
from app.lib.utils import utc_now
from app.models.account_event import AccountEvent, EventKind

SHOWN: Final = 50
NOBODY: Final = 0
"""Whose events are those of addresses without an account."""


class AccountEvents:
    """Records and lists what happened to accounts. Never commits.

    `ip` is where the request came from; the trace id is that of the request.
    """

    def __init__(
        self, session: AsyncSession, *, ip: str = "", clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._session = session
        self._ip = ip
        self._clock = clock

    @system_work
    async def record(
        self, kind: EventKind, user_id: int, *, actor_id: int | None = None, detail: str = ""
    ) -> None:
        """One event of the account `user_id`; `actor_id` is who did it, if anybody is known."""
        trace = current_trace()
        self._session.add(
            AccountEvent(
                user_id=user_id,
                actor_id=actor_id,
                kind=kind,
                detail=detail[:300],
                ip_address=self._ip[:45],
                trace_id=trace.trace_id if trace else "",
                created_at=self._clock(),
            )
        )
        await self._session.flush()

    async def latest(self, user_id: int | None = None) -> Sequence[AccountEvent]:
        """The newest events of one account, or of all; newest first."""
        query = select(AccountEvent).order_by(AccountEvent.id.desc()).limit(SHOWN)
        if user_id is not None:
            query = query.where(AccountEvent.user_id == user_id)
        return (await self._session.scalars(query)).all()

    @system_work
    async def forget(self, user_id: int) -> None:
        """Delete the events of an account that is being deleted."""
        await self._session.execute(delete(AccountEvent).where(AccountEvent.user_id == user_id))
