"""Sign-in sessions: an opaque token in a cookie, its hash in the database."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from app.lib.utils import utc_now
from app.models.login_session import LoginSession
from app.models.user import User

IDLE: Final = timedelta(days=14)
ABSOLUTE: Final = timedelta(days=90)
_TOUCH_AFTER: Final = timedelta(minutes=1)


class SessionService:
    """Starts, resolves and ends sessions. Never commits."""

    def __init__(self, session: AsyncSession, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._session = session
        self._clock = clock

    async def start(self, user: User, *, user_agent: str = "", ip: str = "") -> str:
        """A new session of `user`; what is returned is the only copy of its token."""
        now = self._clock()
        await self._session.execute(
            delete(LoginSession).where(LoginSession.user_id == user.id, _has_ended(now))
        )
        token = secrets.token_urlsafe(32)
        self._session.add(
            LoginSession(
                token_hash=_hash(token),
                user_id=user.id,
                created_at=now,
                last_seen_at=now,
                expires_at=now + ABSOLUTE,
                user_agent=user_agent[:300],
                ip_address=ip[:45],
            )
        )
        await self._session.flush()
        return token

    async def resolve(self, token: str) -> User | None:
        """The user of a session that is still good; 14 days unused or 90 days old ends it."""
        now = self._clock()
        found = await self._session.scalar(
            select(LoginSession)
            .join(LoginSession.user)
            .options(contains_eager(LoginSession.user))
            .where(LoginSession.token_hash == _hash(token), ~_has_ended(now))
        )
        if found is None:
            return None
        if found.last_seen_at <= now - _TOUCH_AFTER:
            # The same condition again: of many requests at once, one writes.
            await self._session.execute(
                update(LoginSession)
                .where(LoginSession.id == found.id, LoginSession.last_seen_at <= now - _TOUCH_AFTER)
                .values(last_seen_at=now)
                .execution_options(synchronize_session=False)
            )
        return found.user

    async def end(self, token: str) -> None:
        """End one session; an unknown token is no error."""
        await self._session.execute(
            delete(LoginSession).where(LoginSession.token_hash == _hash(token))
        )

    async def end_others(self, user_id: int, keep_token: str) -> int:
        """End all sessions of a user but this one; how many there were."""
        ended = await self._session.scalars(
            delete(LoginSession)
            .where(LoginSession.user_id == user_id, LoginSession.token_hash != _hash(keep_token))
            .returning(LoginSession.id)
        )
        return len(ended.all())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _has_ended(now: datetime) -> ColumnElement[bool]:
    return or_(LoginSession.expires_at <= now, LoginSession.last_seen_at <= now - IDLE)
