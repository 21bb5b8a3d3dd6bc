"""There is always an administrator."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models.user import User
from app.services.errors import LastAdmin


async def keep_one_admin(session: AsyncSession, *, without: int) -> None:
    """Raises `LastAdmin` where nobody but the user `without` is an administrator.

    Writes to all of them, unchanged: of two administrators who take the rights from each other at
    once, the second waits and then sees what the first did, in both databases.
    """
    admins = await session.scalars(
        update(User)
        .where(User.role == "admin", User.disabled_at.is_(None))
        .values(role=User.role)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    if not set(admins) - {without}:
        raise LastAdmin
