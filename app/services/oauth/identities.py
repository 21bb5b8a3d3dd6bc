"""Which accounts at other services belong to whom."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from app.acting import system_work
from app.config_values import ProviderName
from app.lib.utils import utc_now
from app.models.oauth_identity import OAuthIdentity
from app.models.user import User
from app.services.account_events import AccountEvents


class Identities:
    """Notes and finds them. Never commits."""

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

    @system_work
    async def user_of(self, provider: ProviderName, subject: str) -> User | None:
        """Who signs in with this account."""
        return await self._session.scalar(
            select(User)
            .join(OAuthIdentity, OAuthIdentity.user_id == User.id)
            .where(OAuthIdentity.provider == provider, OAuthIdentity.subject == subject)
        )

    @system_work
    async def add(self, user: User, provider: ProviderName, subject: str) -> bool:
        """Note that it is `user` who signs in with this account.

        Whether it is so now: of two users at once, one has it.
        """
        dialect = self._session.get_bind().dialect.name
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        statement = insert(OAuthIdentity).values(
            user_id=user.id, provider=provider, subject=subject, created_at=self._clock()
        )
        added = await self._session.scalar(
            statement.on_conflict_do_nothing().returning(OAuthIdentity.id)
        )
        if added is None:
            owner = await self.user_of(provider, subject)
            return owner is not None and owner.id == user.id
        await self._events.record("provider_linked", user.id, actor_id=user.id, detail=provider)
        return True

    @system_work
    async def of(self, user: User) -> Sequence[OAuthIdentity]:
        """The accounts of a user, the oldest first."""
        found = await self._session.scalars(
            select(OAuthIdentity).where(OAuthIdentity.user_id == user.id).order_by(OAuthIdentity.id)
        )
        return found.all()

    async def remove(self, user: User, provider: ProviderName) -> bool:
        """Forget those of one service; whether there were any."""
        gone = await self._session.scalars(
            delete(OAuthIdentity)
            .where(OAuthIdentity.user_id == user.id, OAuthIdentity.provider == provider)
            .returning(OAuthIdentity.id)
        )
        if not gone.all():
            return False
        await self._events.record("provider_unlinked", user.id, actor_id=user.id, detail=provider)
        return True
