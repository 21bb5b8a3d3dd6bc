"""Personal access tokens: what is stored, how long they last, whose they are."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from app.database import Database
from app.models.access_token import AccessToken
from app.schemas.account import NewAccessToken
from app.services.access_token_service import AccessTokens
from app.services.account_events import AccountEvents
from app.services.errors import NotFound
from tests.services.conftest import Users
from tests.support.databases import Clock

pytestmark = pytest.mark.anyio

WEEK = NewAccessToken(name="Backup", scope="read", days=7)


@pytest.fixture
async def tokens(database: Database, clock: Clock) -> AsyncIterator[AccessTokens]:
    async with database.system_session() as session:
        yield AccessTokens(session, AccountEvents(session, clock=clock), clock=clock)


async def test_a_token_stands_for_its_user_until_it_expires(
    tokens: AccessTokens, users: Users, clock: Clock
) -> None:
    token = await tokens.make(users.hana, WEEK)
    found = await tokens.resolve(token)
    assert found is not None
    assert (found.user.id, found.scope) == (users.hana, "read")
    for stranger in ("", token[:-1], token + "x", "pfx_", "\ud800"):
        assert await tokens.resolve(stranger) is None
    clock.advance(days=7)
    assert await tokens.resolve(token) is None


async def test_the_token_is_not_stored(tokens: AccessTokens, users: Users) -> None:
    token = await tokens.make(users.hana, WEEK)
    stored = (await tokens._session.scalars(select(AccessToken))).one()
    assert token.startswith("pfx_")
    assert token[4:] not in str(vars(stored))


async def test_only_its_owner_can_revoke_it(tokens: AccessTokens, users: Users) -> None:
    token = await tokens.make(users.hana, WEEK)
    (mine,) = await tokens.all_of(users.hana)
    assert await tokens.all_of(users.taro) == []
    with pytest.raises(NotFound):
        await tokens.revoke(users.taro, mine.id)
    await tokens.revoke(users.hana, mine.id)
    assert await tokens.resolve(token) is None
