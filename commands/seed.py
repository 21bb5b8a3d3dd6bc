"""Fill in example items for the demo administrator."""

import argparse
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.models.user import User
from app.services.seed_service import Seeded, seed
from commands.kit import checks
from commands.kit.database import migrate, transact
from commands.kit.settings import load_settings
from commands.kit.words import say

ITEMS = 200

# One transaction keeps other writers of SQLite waiting, so large numbers go in parts.
_PART = 20_000


def main(arguments: list[str]) -> int:
    """Add `--items` items; the demo administrator is made where they are missing."""
    parser = argparse.ArgumentParser(prog="manage.py seed", description=__doc__)
    parser.add_argument("--items", type=int, default=ITEMS, metavar="N", help="how many (200)")
    wanted = max(0, parser.parse_args(arguments).items)
    settings = load_settings()
    checks.check_folders(settings)
    checks.check_database(settings)
    migrate(settings)
    made = 0
    while True:
        part = min(_PART, wanted - made)
        _tell(transact(settings, partial(seed, items=part, random_seed=made + 1)))
        made += part
        if made >= wanted:
            return 0


def first_seed(settings: Settings) -> None:
    """Seed a database in which nobody has an account yet."""

    async def seed_if_empty(session: AsyncSession) -> Seeded | None:
        if await session.scalar(select(User.id).limit(1)) is not None:
            return None
        return await seed(session, items=ITEMS)

    if seeded := transact(settings, seed_if_empty):
        _tell(seeded)


def _tell(seeded: Seeded) -> None:
    say("seeded", items=f"{seeded.items:,}", email=seeded.email)
    if seeded.password:
        say("demo_password", email=seeded.email, password=seeded.password)
