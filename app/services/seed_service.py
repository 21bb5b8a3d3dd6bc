"""Something to look at after the first start: a demo administrator and items."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.logger import NullLogger
from app.lib.utils import utc_now
from app.models.item import STATUSES
from app.models.user import User
from app.services.account_service import LocalAccounts
from app.services.item_bulk import NewItem, insert_items
from app.services.password_hasher import PasswordHasher
from app.services.seed_texts import made_up_text

DEMO_EMAIL: Final = "admin@example.com"


@dataclass(frozen=True, slots=True)
class Seeded:
    """The demo administrator; `password` is none where the account was there before."""

    user_id: int
    email: str
    password: str | None
    items: int


async def seed(
    session: AsyncSession,
    *,
    items: int = 200,
    hasher: PasswordHasher | None = None,
    now: datetime | None = None,
    random_seed: int = 1,
) -> Seeded:
    """Make the demo administrator, unless it is there, and `items` items for it. Never commits.

    The password is random and only in the answer. The items are the same for the same `random_seed`
    and `now`.
    """
    now = now or utc_now()
    user_id = await session.scalar(select(User.id).where(User.email == DEMO_EMAIL))
    password = None
    if user_id is None:
        password = secrets.token_urlsafe(12)
        hasher = hasher or PasswordHasher()
        accounts = LocalAccounts(session, NullLogger(), hasher, clock=lambda: now)
        password_hash = await hasher.hash(password)
        user_id = (await accounts.add(DEMO_EMAIL, "Demo Admin", password_hash, "admin")).id
    count = await insert_items(
        session, user_id, made_up_items(items, now=now, random_seed=random_seed)
    )
    return Seeded(user_id, DEMO_EMAIL, password, count)


def made_up_items(count: int, *, now: datetime, random_seed: int = 1) -> Iterator[NewItem]:
    """`count` items of the year before `now`, oldest first."""
    random = Random(random_seed)  # noqa: S311 # nothing here is secret
    for place in range(count):
        created = now - timedelta(days=365) * ((count - place) / count)
        age = (now - created).total_seconds()
        changed = random.random() < 0.5
        title, description = made_up_text(random)
        yield NewItem(
            title=title,
            description=description,
            status=random.choices(STATUSES, (5, 2, 3))[0],
            due_on=(created + timedelta(days=random.randrange(3, 120))).date()
            if random.random() < 0.7
            else None,
            created_at=created,
            updated_at=created + timedelta(seconds=random.random() * age) if changed else created,
        )
