"""Something to sign in with after the first start: a demo administrator."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.logger import NullLogger
from app.lib.utils import utc_now
from app.models.user import User
from app.services.account_service import LocalAccounts
from app.services.errors import EmailTaken
from app.services.password_hasher import PasswordHasher

DEMO_EMAIL: Final = "admin@example.com"


@dataclass(frozen=True, slots=True)
class DemoAdmin:
    """The demo administrator; `password` is none where the account was there before."""

    user_id: int
    email: str
    password: str | None


async def seed_admin(
    session: AsyncSession, *, hasher: PasswordHasher | None = None, now: datetime | None = None
) -> DemoAdmin:
    """Make the demo administrator, unless it is there. Never commits.

    The password is random and only in the answer.
    """
    user_id = await session.scalar(_demo_id())
    password = None
    if user_id is None:
        password = secrets.token_urlsafe(12)
        hasher = hasher or PasswordHasher()
        made_at = now or utc_now()
        accounts = LocalAccounts(session, NullLogger(), hasher, clock=lambda: made_at)
        password_hash = await hasher.hash(password)
        try:
            user_id = (await accounts.add(DEMO_EMAIL, "Demo Admin", password_hash, "admin")).id
        except EmailTaken:  # by somebody who seeds at the same time
            user_id = (await session.scalars(_demo_id())).one()
            password = None
    return DemoAdmin(user_id, DEMO_EMAIL, password)


def _demo_id() -> Select[int]:
    return select(User.id).where(User.email == DEMO_EMAIL)
