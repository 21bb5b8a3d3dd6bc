"""Personal access tokens."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from app.acting import system_work
from app.lib.secret_box import token_hash
from app.lib.utils import utc_now
from app.models.access_token import AccessToken
from app.models.user import User
from app.schemas.account import NewAccessToken
from app.services.account_events import AccountEvents
from app.services.errors import NotFound

PREFIX: Final = "pfx_"
"""What each token begins with: who finds one somewhere knows what it is."""
_TOUCH_AFTER: Final = timedelta(minutes=1)


class AccessTokens:
    """Makes, finds and revokes tokens. Never commits."""

    def __init__(
        self,
        session: AsyncSession,
        events: AccountEvents,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._session = session
        self._events = events
        self._clock = clock

    async def make(self, user_id: int, wanted: NewAccessToken) -> str:
        """A new token; what is returned is its only copy."""
        token = PREFIX + secrets.token_urlsafe(32)
        now = self._clock()
        self._session.add(
            AccessToken(
                user_id=user_id,
                name=wanted.name,
                token_hash=token_hash(token),
                scope=wanted.scope,
                created_at=now,
                expires_at=now + timedelta(days=wanted.days),
            )
        )
        await self._events.record("token_made", user_id, actor_id=user_id, detail=wanted.name)
        return token

    async def all_of(self, user_id: int) -> Sequence[AccessToken]:
        """The tokens of a user, the newest first; also those that have expired."""
        query = select(AccessToken).where(AccessToken.user_id == user_id)
        return (await self._session.scalars(query.order_by(AccessToken.id.desc()))).all()

    async def revoke(self, user_id: int, token_id: int) -> None:
        """Raises `NotFound`."""
        name = await self._session.scalar(
            delete(AccessToken)
            .where(AccessToken.user_id == user_id, AccessToken.id == token_id)
            .returning(AccessToken.name)
        )
        if name is None:
            raise NotFound
        await self._events.record("token_revoked", user_id, actor_id=user_id, detail=name)

    @system_work
    async def resolve(self, token: str) -> AccessToken | None:
        """A token that is good, with its user."""
        now = self._clock()
        found = await self._session.scalar(
            select(AccessToken)
            .join(AccessToken.user)
            .options(contains_eager(AccessToken.user))
            .where(
                AccessToken.token_hash == token_hash(token),
                AccessToken.expires_at > now,
                User.disabled_at.is_(None),
            )
        )
        if found is None:
            return None
        if found.last_used_at is None or found.last_used_at <= now - _TOUCH_AFTER:
            await self._session.execute(
                update(AccessToken)
                .where(AccessToken.id == found.id)
                .values(last_used_at=now)
                .execution_options(synchronize_session=False)
            )
        return found
