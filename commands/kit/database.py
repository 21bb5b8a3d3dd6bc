"""The app's database for a command."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.database import Database
from app.migration import upgrade
from commands.kit.words import Failure

T = TypeVar("T")


def migrate(settings: Settings) -> None:
    """Bring the tables to this version. Raises `Failure`."""
    try:
        upgrade(settings.database_url)
    except CommandError:
        # Its version is none of those in migrations/versions.
        raise Failure("database_newer") from None
    except DBAPIError as error:
        raise Failure("migration_fails", reason=_first_line(error)) from None


def transact(settings: Settings, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """Do `work` in one transaction. Raises `Failure` where the tables are not there."""

    async def run() -> T:
        database = Database(settings.database_url)
        try:
            async with database.system_session() as session:
                return await work(session)
        finally:
            await database.close()

    # psycopg needs a loop that Windows does not take by itself.
    factory = asyncio.SelectorEventLoop if os.name == "nt" else None
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(run())
    except DBAPIError as error:
        raise Failure("database_fails", reason=_first_line(error)) from None


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]
