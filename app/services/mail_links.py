"""Links in mails: each is good once, for a while, for one thing."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from app.lib.secret_box import token_hash
from app.lib.utils import utc_now
from app.models.one_time_token import LinkType, OneTimeToken
from app.services.errors import LinkInvalid

GOOD_FOR: Final[Mapping[LinkType, timedelta]] = {
    "email": timedelta(hours=24),
    "magiclink": timedelta(minutes=10),
    "recovery": timedelta(hours=1),
    "email_change": timedelta(hours=24),
}


class MailLinks:
    """Makes and finds links. Never commits."""

    def __init__(self, session: AsyncSession, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._session = session
        self._clock = clock

    async def make(self, link: LinkType, user_id: int, email: str) -> str:
        """The token of a new link; an older one for the same is good no more."""
        now = self._clock()
        mine = OneTimeToken.user_id == user_id
        await self._session.execute(
            delete(OneTimeToken).where(
                mine, or_(OneTimeToken.type == link, OneTimeToken.expires_at <= now)
            )
        )
        token = secrets.token_urlsafe(32)
        self._session.add(
            OneTimeToken(
                token_hash=token_hash(token),
                user_id=user_id,
                type=link,
                email=email,
                expires_at=now + GOOD_FOR[link],
            )
        )
        await self._session.flush()
        return token

    async def find(self, link: LinkType, token: str) -> OneTimeToken:
        """The link of a token, with its user. Raises `LinkInvalid`."""
        found = await self._session.scalar(
            select(OneTimeToken)
            .join(OneTimeToken.user)
            .options(contains_eager(OneTimeToken.user))
            .where(
                OneTimeToken.token_hash == token_hash(token),
                OneTimeToken.type == link,
                OneTimeToken.expires_at > self._clock(),
            )
        )
        if found is None:
            raise LinkInvalid
        return found

    async def use_up(self, link: OneTimeToken) -> None:
        """Raises `LinkInvalid` where somebody else did meanwhile."""
        used = await self._session.scalar(
            delete(OneTimeToken)
            .where(OneTimeToken.id == link.id)
            .returning(OneTimeToken.id)
            .execution_options(synchronize_session=False)
        )
        if used is None:
            raise LinkInvalid

    async def forget(self, user_id: int) -> None:
        """Make all links of a user invalid."""
        await self._session.execute(delete(OneTimeToken).where(OneTimeToken.user_id == user_id))
