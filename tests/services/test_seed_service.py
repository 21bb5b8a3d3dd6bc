"""The demo administrator is made once."""

import pytest
from sqlalchemy import func, select

from app.database import Database
from app.lib.logger import NullLogger
from app.models.user import User
from app.schemas.account import SignIn
from app.services.account_service import LocalAccounts
from app.services.password_hasher import PasswordHasher
from app.services.seed_service import seed_admin

pytestmark = pytest.mark.anyio


async def test_the_demo_administrator_can_sign_in(database: Database) -> None:
    hasher = PasswordHasher(memory_kib=8, passes=1)
    async with database.system_session() as session:
        seeded = await seed_admin(session, hasher=hasher)
    assert seeded.password is not None
    async with database.system_session() as session:
        accounts = LocalAccounts(session, NullLogger(), hasher)
        proven = await accounts.sign_in(SignIn(email=seeded.email, password=seeded.password))
        assert (proven.user.id, proven.user.role) == (seeded.user_id, "admin")


async def test_seeding_again_keeps_the_account_and_its_password(database: Database) -> None:
    hasher = PasswordHasher(memory_kib=8, passes=1)
    async with database.system_session() as session:
        first = await seed_admin(session, hasher=hasher)
    async with database.system_session() as session:
        again = await seed_admin(session)
        assert (again.user_id, again.password) == (first.user_id, None)
        assert await session.scalar(select(func.count()).select_from(User)) == 1


async def test_whoever_seeds_at_the_same_time_makes_no_second_one(database: Database) -> None:
    class Overtaken(PasswordHasher):
        async def hash(self, password: str) -> str:
            async with database.system_session() as session:
                assert (await seed_admin(session, hasher=hasher)).password is not None
            return await hasher.hash(password)

    hasher = PasswordHasher(memory_kib=8, passes=1)
    async with database.system_session() as session:
        second = await seed_admin(session, hasher=Overtaken())
        assert second.password is None
        assert await session.scalar(select(User.id)) == second.user_id
