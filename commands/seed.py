"""Fill in example items for the demo administrator."""

from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.models.user import User
from app.services.item_seed import seed_items
from app.services.seed_service import DemoAdmin, seed_admin
from commands.kit import checks
from commands.kit.arguments import Arguments
from commands.kit.database import migrate, transact
from commands.kit.settings import load_settings
from commands.kit.words import Failure, say

ITEMS = 200

# One transaction keeps other writers of SQLite waiting, so large numbers go in parts.
_PART = 20_000


def main(arguments: list[str]) -> int:
    """Make the demo administrator where they are missing, and `--items` more items."""
    parser = Arguments(prog="manage.py seed", description=__doc__)
    parser.add_argument("--items", type=int, default=ITEMS, metavar="N", help="how many (200)")
    options = parser.parse_args(arguments)
    if options.items < 0:
        raise Failure("seed_less_than_none")
    settings = load_settings()
    checks.check_folders(checks.folders_at_start(settings))
    checks.check_database(settings)
    migrate(settings)
    admin = transact(settings, seed_admin)
    for made in range(0, options.items, _PART):
        count = min(_PART, options.items - made)
        more = partial(seed_items, owner_id=admin.user_id, count=count, random_seed=made + 1)
        say("seeded", items=f"{transact(settings, more):,}", email=admin.email)
    _tell(admin)
    return 0


def first_seed(settings: Settings) -> None:
    """Seed a database in which nobody has an account yet."""

    async def seed_if_empty(session: AsyncSession) -> DemoAdmin | None:
        if await session.scalar(select(User.id).limit(1)) is not None:
            return None
        admin = await seed_admin(session)
        if admin.password:  # else another machine was first
            await seed_items(session, admin.user_id, ITEMS)
        return admin

    if (admin := transact(settings, seed_if_empty)) and admin.password:
        say("seeded", items=f"{ITEMS:,}", email=admin.email)
        _tell(admin)


def _tell(admin: DemoAdmin) -> None:
    if admin.password:
        say("demo_password", email=admin.email, password=admin.password)
