"""What administrators do with the accounts of others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.logger import TraceLogger
from app.lib.utils import utc_now
from app.models.access_token import AccessToken
from app.models.account_event import EventKind
from app.models.login_session import LoginSession
from app.models.user import Role, User
from app.services.account_events import AccountEvents
from app.services.admins import keep_one_admin
from app.services.errors import NotFound

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class UserPage:
    """Users by id; `after` is where the next page begins, if there is one."""

    users: Sequence[User]
    after: int | None


class UserAdmin:
    """Accounts, as the administrator `admin_id` sees and changes them. Never commits."""

    def __init__(
        self,
        session: AsyncSession,
        logger: TraceLogger,
        events: AccountEvents,
        admin_id: int,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._session = session
        self._logger = logger
        self._events = events
        self._admin_id = admin_id
        self._clock = clock

    async def page(self, query: str = "", after: int = 0) -> UserPage:
        """Users whose address or name contains `query`."""
        statement = select(User).where(User.id > after).order_by(User.id).limit(PAGE + 1)
        if query:
            statement = statement.where(
                or_(
                    User.email.icontains(query, autoescape=True),
                    User.name.icontains(query, autoescape=True),
                )
            )
        users = (await self._session.scalars(statement)).all()
        return UserPage(users[:PAGE], users[PAGE - 1].id if len(users) > PAGE else None)

    async def get(self, user_id: int) -> User:
        """Raises `NotFound`."""
        user = await self._session.get(User, user_id)
        if user is None:
            raise NotFound
        return user

    async def set_role(self, user_id: int, role: Role) -> User:
        """Raises `NotFound` or `LastAdmin`. All sessions of the user end: rights changed."""
        async with self._logger.task("Admin_Set_Role") as task:
            async with task.step("DB_Update", {"user_id": user_id, "role": role}):
                user = await self.get(user_id)
                if user.role == role:
                    return user
                if role != "admin":
                    await keep_one_admin(self._session, without=user_id)
                await self._set(user, role=role)
                await self._end_sessions(user_id)
            await self._record("role_changed", user_id, role)
        return user

    async def disable(self, user_id: int) -> User:
        """Keep a user out, at once. Raises `NotFound` or `LastAdmin`."""
        async with self._logger.task("Admin_Disable") as task:
            async with task.step("DB_Update", {"user_id": user_id}):
                user = await self.get(user_id)
                if user.role == "admin":
                    await keep_one_admin(self._session, without=user_id)
                await self._set(user, disabled_at=self._clock())
                await self._end_sessions(user_id)
            await self._record("disabled", user_id)
        return user

    async def enable(self, user_id: int) -> User:
        """Let a user in again. Raises `NotFound`."""
        user = await self.get(user_id)
        await self._set(user, disabled_at=None)
        await self._record("enabled", user_id)
        return user

    async def sign_out(self, user_id: int) -> User:
        """End all sessions and access tokens of a user. Raises `NotFound`."""
        user = await self.get(user_id)
        await self._end_sessions(user_id)
        await self._session.execute(delete(AccessToken).where(AccessToken.user_id == user_id))
        await self._record("signed_out_everywhere", user_id)
        return user

    async def look_at_log(self, user_id: int) -> User:
        """Note that the administrator looks at a user's trace log. Raises `NotFound`."""
        user = await self.get(user_id)
        await self._record("log_viewed", user_id)
        return user

    async def _end_sessions(self, user_id: int) -> None:
        await self._session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))

    async def _set(self, user: User, **values: object) -> None:
        await self._session.execute(update(User).where(User.id == user.id).values(values))
        await self._session.refresh(user)

    async def _record(self, kind: EventKind, user_id: int, detail: str = "") -> None:
        await self._events.record(kind, user_id, actor_id=self._admin_id, detail=detail)
