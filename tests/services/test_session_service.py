"""Sign-in sessions: how long they last and what ends them."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

from app.database import Database
from app.models.login_session import LoginSession
from app.models.user import User
from app.services.session_service import SessionService
from tests.services.conftest import Users
from tests.support.databases import Clock
from tests.support.statements import statements

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sessions(database: Database, clock: Clock) -> AsyncIterator[SessionService]:
    async with database.system_session() as session:
        yield SessionService(session, clock=clock)


@pytest.fixture
async def hana(sessions: SessionService, users: Users) -> User:
    return await sessions._session.get_one(User, users.hana)


@pytest.fixture
async def taro(sessions: SessionService, users: Users) -> User:
    return await sessions._session.get_one(User, users.taro)


async def test_a_token_stands_for_its_user(
    sessions: SessionService, hana: User, taro: User
) -> None:
    tokens = {user.id: await sessions.start(user) for user in (hana, taro)}
    for user_id, token in tokens.items():
        resolved = await sessions.resolve(token)
        assert resolved is not None
        assert resolved.user.id == user_id
    for stranger in ("", "x" * 43, tokens[hana.id][:-1], "\ud800"):
        assert await sessions.resolve(stranger) is None


async def test_the_token_is_not_stored(sessions: SessionService, hana: User) -> None:
    token = await sessions.start(hana, user_agent="Browser " + "x" * 400, ip="2001:db8::1")
    assert len(token) >= 43  # 256 bits
    stored = (await sessions._session.scalars(select(LoginSession))).one()
    assert token not in str(vars(stored))
    assert (len(stored.user_agent), stored.ip_address) == (300, "2001:db8::1")


async def test_two_weeks_unused_end_it(sessions: SessionService, hana: User, clock: Clock) -> None:
    token = await sessions.start(hana)
    for _ in range(3):
        clock.advance(days=13)
        assert await sessions.resolve(token) is not None
    clock.advance(days=14)
    assert await sessions.resolve(token) is None


async def test_after_ninety_days_it_ends_whatever_happened(
    sessions: SessionService, hana: User, clock: Clock
) -> None:
    token = await sessions.start(hana)
    for _ in range(8):
        clock.advance(days=11)
        assert await sessions.resolve(token) is not None
    clock.advance(days=2)
    assert await sessions.resolve(token) is None


async def test_being_used_is_noted_once_a_minute(
    sessions: SessionService, hana: User, clock: Clock, database: Database
) -> None:
    token = await sessions.start(hana)
    with statements(database.engine) as sent:
        for _ in range(6):
            clock.advance(seconds=20)
            sessions._session.expire_all()
            await sessions.resolve(token)
    writes = [statement for statement in sent if statement.startswith("UPDATE")]
    assert (len(sent), len(writes)) == (8, 2)


async def test_ending_one_leaves_the_others(sessions: SessionService, hana: User) -> None:
    first, second = await sessions.start(hana), await sessions.start(hana)
    await sessions.end(first)
    await sessions.end("never given out")
    assert await sessions.resolve(first) is None
    assert await sessions.resolve(second) is not None


async def test_ending_the_others_keeps_this_one_and_those_of_others(
    sessions: SessionService, hana: User, taro: User
) -> None:
    mine = [await sessions.start(hana) for _ in range(3)]
    theirs = await sessions.start(taro)
    assert await sessions.end_others(hana.id, mine[1]) == 2
    kept = [token for token in mine if await sessions.resolve(token)]
    assert kept == [mine[1]]
    assert await sessions.resolve(theirs) is not None


async def test_signing_in_clears_what_has_ended(
    sessions: SessionService, hana: User, clock: Clock
) -> None:
    await sessions.start(hana)
    clock.advance(days=91)
    await sessions.start(hana)
    assert await sessions._session.scalar(select(func.count()).select_from(LoginSession)) == 1
