"""Made-up items, for the first look at a list and for benchmarks."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.utils import utc_now
from app.models.item import STATUSES
from app.services.item_bulk import NewItem, insert_items
from app.services.item_seed_texts import made_up_text


async def seed_items(
    session: AsyncSession,
    owner_id: int,
    count: int,
    *,
    now: datetime | None = None,
    random_seed: int = 1,
) -> int:
    """Make `count` items for a user, the same for the same `random_seed` and `now`.

    Never commits.
    """
    items = made_up_items(count, now=now or utc_now(), random_seed=random_seed)
    return await insert_items(session, owner_id, items)


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
