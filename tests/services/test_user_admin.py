"""What administrators do, and that there is always one."""

import asyncio

import pytest
from sqlalchemy import select, update

from app.database import Database
from app.lib.logger import NullLogger
from app.models.user import User
from app.services.account_events import AccountEvents
from app.services.errors import LastAdmin, NotFound
from app.services.session_service import SessionService
from app.services.user_admin import UserAdmin
from tests.services.conftest import Users
from tests.support.databases import Clock

pytestmark = pytest.mark.anyio


async def make_admins(database: Database, *user_ids: int) -> None:
    async with database.system_session() as session:
        await session.execute(update(User).where(User.id.in_(user_ids)).values(role="admin"))


async def test_people_are_found_by_name_and_address(database: Database, users: Users) -> None:
    async with database.system_session() as session:
        admin = UserAdmin(session, NullLogger(), AccountEvents(session), users.hana)
        assert [user.id for user in (await admin.page("TARO")).users] == [users.taro]
        assert (await admin.page("%")).users == []
        assert [user.id for user in (await admin.page("", users.hana)).users] == [users.taro]
        with pytest.raises(NotFound):
            await admin.get(users.taro + 1)


async def test_a_closed_account_is_signed_out_at_once(
    database: Database, users: Users, clock: Clock
) -> None:
    await make_admins(database, users.hana)
    async with database.system_session() as session:
        sessions = SessionService(session, clock=clock)
        taro = await session.get_one(User, users.taro)
        token = await sessions.start(taro)
        events = AccountEvents(session, clock=clock)
        admin = UserAdmin(session, NullLogger(), events, users.hana, clock=clock)
        await admin.disable(users.taro)
        assert await sessions.resolve(token) is None
        await admin.enable(users.taro)
        assert await sessions.resolve(token) is None
        kinds = [(event.kind, event.actor_id) for event in await events.latest(users.taro)]
        assert kinds == [("enabled", users.hana), ("disabled", users.hana)]


async def test_two_administrators_cannot_take_the_rights_from_each_other_at_once(
    database: Database, users: Users
) -> None:
    await make_admins(database, users.hana, users.taro)

    async def demote(actor: int, other: int) -> bool:
        async with database.system_session() as session:
            admin = UserAdmin(session, NullLogger(), AccountEvents(session), actor)
            try:
                await admin.set_role(other, "user")
            except LastAdmin:
                return False
        return True

    done = await asyncio.gather(demote(users.hana, users.taro), demote(users.taro, users.hana))
    assert sorted(done) == [False, True]
    async with database.system_session() as session:
        admins = await session.scalars(select(User.id).where(User.role == "admin"))
        assert len(admins.all()) == 1
