"""Sign-in sessions: an opaque token in a cookie, its hash in the database."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    bindparam,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from app.acting import system_work
from app.lib.secret_box import token_hash
from app.lib.utils import utc_now
from app.models.login_session import LoginSession
from app.models.user import User

IDLE: Final = timedelta(days=14)
ABSOLUTE: Final = timedelta(days=90)
FRESH: Final = timedelta(minutes=15)
"""How long after a sign-in nobody is asked again before something sensitive."""
_TOUCH_AFTER: Final = timedelta(minutes=1)


class SessionService:
    """Starts, resolves and ends sessions. Never commits."""

    def __init__(self, session: AsyncSession, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._session = session
        self._clock = clock

    @system_work
    async def start(
        self, user: User, *, user_agent: str = "", ip: str = "", provider_token: str = ""
    ) -> str:
        """A new session of `user`; what is returned is the only copy of its token.

        `provider_token` is sealed already.
        """
        now = self._clock()
        await self._session.execute(
            delete(LoginSession).where(LoginSession.user_id == user.id, _has_ended(now, now - IDLE))
        )
        token = secrets.token_urlsafe(32)
        self._session.add(
            LoginSession(
                token_hash=token_hash(token),
                user_id=user.id,
                created_at=now,
                last_seen_at=now,
                authenticated_at=now,
                expires_at=now + ABSOLUTE,
                user_agent=user_agent[:300],
                ip_address=ip[:45],
                provider_token=provider_token,
                renewed_at=now if provider_token else None,
            )
        )
        await self._session.flush()
        return token

    @system_work
    async def resolve(self, token: str) -> LoginSession | None:
        """The session of a token with its user, while it is good.

        14 days unused or 90 days old ends it, and so does disabling the account.
        """
        now = self._clock()
        given = {"token_hash": token_hash(token), "now": now, "unused_since": now - IDLE}
        found = await self._session.scalar(_resolved(), given)
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
        return found

    @system_work
    async def user(self, user_id: int) -> User | None:
        """The user of an id, unless an administrator keeps them out."""
        return await self._session.scalar(
            select(User).where(User.id == user_id, User.disabled_at.is_(None))
        )

    def is_fresh(self, login: LoginSession) -> bool:
        """Whether its user proved only just now who they are."""
        return login.authenticated_at > self._clock() - FRESH

    async def renew(self, login: LoginSession, provider_token: str = "") -> str:
        """The user proved again who they are: fresh for a while, and under another token.

        So is the provider's, where it gave a new one; it is sealed already.
        """
        token, now = secrets.token_urlsafe(32), self._clock()
        given = {"provider_token": provider_token, "renewed_at": now} if provider_token else {}
        await self._session.execute(
            update(LoginSession)
            .where(LoginSession.id == login.id)
            .values(token_hash=token_hash(token), authenticated_at=now, **given)
            .execution_options(synchronize_session=False)
        )
        return token

    async def all_of(self, user_id: int) -> Sequence[LoginSession]:
        """The sessions of a user that are good, the one used last first."""
        now = self._clock()
        found = await self._session.scalars(
            select(LoginSession)
            .where(LoginSession.user_id == user_id, ~_has_ended(now, now - IDLE))
            .order_by(LoginSession.last_seen_at.desc(), LoginSession.id.desc())
        )
        return found.all()

    @system_work
    async def end(self, token: str) -> int | None:
        """End one session; whose it was, None for an unknown token."""
        return await self._session.scalar(
            delete(LoginSession)
            .where(LoginSession.token_hash == token_hash(token))
            .returning(LoginSession.user_id)
        )

    async def revoke(self, user_id: int, session_id: int) -> bool:
        """End one session of a user; whether there was one of that id."""
        ended = await self._session.scalar(
            delete(LoginSession)
            .where(LoginSession.user_id == user_id, LoginSession.id == session_id)
            .returning(LoginSession.id)
        )
        return ended is not None

    async def end_others(self, user_id: int, keep_token: str) -> int:
        """End all sessions of a user but this one; how many there were."""
        ended = await self._session.scalars(
            delete(LoginSession)
            .where(
                LoginSession.user_id == user_id, LoginSession.token_hash != token_hash(keep_token)
            )
            .returning(LoginSession.id)
        )
        return len(ended.all())


Moment = datetime | BindParameter[datetime]


def _has_ended(now: Moment, unused_since: Moment) -> ColumnElement[bool]:
    return or_(LoginSession.expires_at <= now, LoginSession.last_seen_at <= unused_since)


@cache
def _resolved() -> Select[LoginSession]:
    """Nearly every request asks it: to put it together takes as long as the answer."""
    return (
        select(LoginSession)
        .join(LoginSession.user)
        .options(contains_eager(LoginSession.user))
        .where(
            LoginSession.token_hash == bindparam("token_hash"),
            ~_has_ended(bindparam("now"), bindparam("unused_since")),
            User.disabled_at.is_(None),
        )
    )
