"""Codes beside the password."""

from collections.abc import AsyncIterator

import pyotp
import pytest

from app.database import Database
from app.lib.secret_box import SecretBox
from app.models.user import User
from app.services.account_events import AccountEvents
from app.services.errors import CodeInvalid
from app.services.second_factor import BACKUP_CODES, SecondFactor
from tests.services.conftest import Users
from tests.support.databases import Clock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def factor(database: Database, clock: Clock) -> AsyncIterator[SecondFactor]:
    async with database.system_session() as session:
        box = SecretBox("x" * 32)
        yield SecondFactor(session, box, AccountEvents(session, clock=clock), clock=clock)


@pytest.fixture
async def hana(factor: SecondFactor, users: Users) -> User:
    return await factor._session.get_one(User, users.hana)


def code_at(key: str, clock: Clock) -> str:
    return pyotp.TOTP(key).at(clock())


async def test_it_is_on_after_a_first_right_code(
    factor: SecondFactor, hana: User, clock: Clock
) -> None:
    key = await factor.begin(hana)
    assert await factor.begin(hana) == key, "who reloads the page can go on"
    assert hana.totp_key is not None
    assert key not in hana.totp_key
    with pytest.raises(CodeInvalid):
        await factor.confirm(hana, "000000" if code_at(key, clock) != "000000" else "111111")
    codes = await factor.confirm(hana, code_at(key, clock))
    assert hana.has_second_factor
    assert len(set(codes)) == BACKUP_CODES


async def test_a_code_is_good_once_and_half_a_minute_around_its_time(
    factor: SecondFactor, hana: User, clock: Clock
) -> None:
    key = await factor.begin(hana)
    await factor.confirm(hana, code_at(key, clock))
    with pytest.raises(CodeInvalid):
        await factor.check(hana, code_at(key, clock))
    clock.advance(seconds=30)
    late = code_at(key, clock)
    clock.advance(seconds=30)
    await factor.check(hana, f" {late[:3]} {late[3:]} ")
    old = code_at(key, clock)
    clock.advance(seconds=60)
    with pytest.raises(CodeInvalid):
        await factor.check(hana, old)


async def test_each_backup_code_is_good_once(
    factor: SecondFactor, hana: User, clock: Clock
) -> None:
    key = await factor.begin(hana)
    codes = await factor.confirm(hana, code_at(key, clock))
    await factor.check(hana, codes[3].upper())
    assert await factor.codes_left(hana) == BACKUP_CODES - 1
    with pytest.raises(CodeInvalid):
        await factor.check(hana, codes[3])
    fresh = await factor.new_codes(hana)
    with pytest.raises(CodeInvalid):
        await factor.check(hana, codes[0])
    await factor.check(hana, fresh[0])


async def test_codes_of_others_and_without_a_factor_are_no_good(
    factor: SecondFactor, hana: User, users: Users, clock: Clock
) -> None:
    taro = await factor._session.get_one(User, users.taro)
    codes = await factor.confirm(hana, code_at(await factor.begin(hana), clock))
    for code in (codes[0], "", "000000"):
        with pytest.raises(CodeInvalid):
            await factor.check(taro, code)


async def test_turned_off_nothing_of_it_is_left(
    factor: SecondFactor, hana: User, clock: Clock
) -> None:
    key = await factor.begin(hana)
    codes = await factor.confirm(hana, code_at(key, clock))
    await factor.off(hana, actor_id=hana.id)
    assert (hana.totp_key, hana.has_second_factor) == (None, False)
    with pytest.raises(CodeInvalid):
        await factor.check(hana, codes[0])
    assert await factor.begin(hana) != key
