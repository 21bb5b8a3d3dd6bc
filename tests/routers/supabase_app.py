"""The app whose accounts are in a Supabase project, and which ones it knows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import select

from app.config import Settings
from app.lib.logger import CSVOnlyLogger
from app.models.user import User
from app.services.supabase_client import Supabase
from tests.support.routes import app_with_known_routes


@asynccontextmanager
async def app_with(
    supabase: Supabase, settings: Settings, tmp_path: Path
) -> AsyncIterator[FastAPI]:
    """It asks `supabase`, which whoever made it has to close."""
    logger = CSVOnlyLogger(tmp_path / "logs")
    app = app_with_known_routes(settings, logger=logger)
    await app.state.supabase.close()
    app.state.supabase = supabase
    yield app
    await app.state.database.close()
    logger.close()


async def users(app: FastAPI) -> list[tuple[int, str]]:
    """The id and the address of each account."""
    async with app.state.database.system_session() as session:
        rows = await session.execute(select(User.id, User.email).order_by(User.id))
        return [(row.id, row.email) for row in rows]
