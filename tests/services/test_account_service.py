"""Signing up and in with accounts that are kept here."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from app.database import Database
from app.lib.logger import NullLogger
from app.models.user import User
from app.schemas.account import ChangePassword, SignIn, SignUp
from app.services.account_service import LocalAccounts
from app.services.errors import EmailTaken, InvalidCredentials, NotFound, PasswordIsEmail
from app.services.password_hasher import PasswordHasher

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"
HANA = SignUp(email="Hana@Example.com ", name="Hana", password=PASSWORD)


class CountingHasher(PasswordHasher):
    """Quick, and knows how often it had to work."""

    def __init__(self, passes: int = 1) -> None:
        super().__init__(memory_kib=8, passes=passes)
        self.verified = 0

    def _verify(self, password_hash: str, password: str) -> bool:
        self.verified += 1
        return super()._verify(password_hash, password)


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
async def accounts(database: Database, hasher: CountingHasher) -> AsyncIterator[LocalAccounts]:
    async with database.session() as session:
        yield LocalAccounts(session, NullLogger(), hasher)


async def test_a_new_account_can_sign_in_however_the_address_is_written(
    accounts: LocalAccounts,
) -> None:
    user = await accounts.sign_up(HANA)
    assert (user.email, user.name, user.role) == ("hana@example.com", "Hana", "user")
    assert user.password_hash is not None
    assert user.password_hash.startswith("$argon2id$")
    signed_in = await accounts.sign_in(SignIn(email=" HANA@example.COM", password=PASSWORD))
    assert signed_in.id == user.id


async def test_an_address_has_one_account(accounts: LocalAccounts) -> None:
    user = await accounts.sign_up(HANA)
    with pytest.raises(EmailTaken):
        await accounts.sign_up(HANA.model_copy(update={"name": "Other"}))
    # The transaction goes on.
    assert (await accounts.sign_in(SignIn(email=HANA.email, password=PASSWORD))).id == user.id


async def test_two_who_sign_up_at_once_make_one_account(
    database: Database, hasher: CountingHasher
) -> None:
    async def sign_up() -> str:
        async with database.session() as session:
            try:
                await LocalAccounts(session, NullLogger(), hasher).sign_up(HANA)
            except EmailTaken:
                return "taken"
            return "made"

    assert sorted(await asyncio.gather(*(sign_up() for _ in range(4)))) == [
        "made",
        "taken",
        "taken",
        "taken",
    ]


@pytest.mark.parametrize(
    "data",
    [
        SignIn(email="hana@example.com", password="wrong"),
        SignIn(email="nobody@example.com", password=PASSWORD),
        SignIn(email="oauth@example.com", password=PASSWORD),
        SignIn(email="broken@example.com", password=PASSWORD),
    ],
)
async def test_whatever_is_wrong_the_same_is_done_and_said(
    accounts: LocalAccounts, hasher: CountingHasher, data: SignIn
) -> None:
    await accounts.sign_up(HANA)
    await accounts.add("oauth@example.com", "No password here", None)
    await accounts.add("broken@example.com", "Not a hash", "plain text")
    with pytest.raises(InvalidCredentials) as error:
        await accounts.sign_in(data)
    assert str(error.value) == ""
    assert hasher.verified == 1


async def test_signing_in_brings_an_old_hash_up_to_date(accounts: LocalAccounts) -> None:
    user = await accounts.sign_up(HANA)
    old_hash = user.password_hash or ""
    stronger = CountingHasher(passes=2)
    assert stronger.is_outdated(old_hash)
    accounts = LocalAccounts(accounts._session, NullLogger(), stronger)
    await accounts.sign_in(SignIn(email=HANA.email, password=PASSWORD))
    await accounts._session.refresh(user)
    assert not stronger.is_outdated(user.password_hash or "")
    assert await stronger.verify(user.password_hash, PASSWORD)


async def test_changing_the_password_needs_the_old_one(accounts: LocalAccounts) -> None:
    user = await accounts.sign_up(HANA)
    change = ChangePassword(current=PASSWORD, new="a longer password")
    with pytest.raises(InvalidCredentials):
        await accounts.change_password(user.id, change.model_copy(update={"current": "wrong"}))
    with pytest.raises(PasswordIsEmail):
        await accounts.change_password(
            user.id, ChangePassword(current=PASSWORD, new="HANA@example.com")
        )
    with pytest.raises(NotFound):
        await accounts.change_password(user.id + 1, change)
    await accounts.change_password(user.id, change)
    accounts._session.expire_all()
    with pytest.raises(InvalidCredentials):
        await accounts.sign_in(SignIn(email=HANA.email, password=PASSWORD))
    await accounts.sign_in(SignIn(email=HANA.email, password="a longer password"))


async def test_a_password_that_was_changed_meanwhile_stays(
    accounts: LocalAccounts, hasher: CountingHasher
) -> None:
    user = await accounts.sign_up(HANA)
    theirs = await hasher.hash("of somebody quicker")
    session = accounts._session
    quick = update(User).where(User.id == user.id).values(password_hash=theirs)
    await session.execute(quick, execution_options={"synchronize_session": False})
    # What was read before is verified, and then found to be out of date.
    with pytest.raises(InvalidCredentials):
        await accounts.change_password(
            user.id, ChangePassword(current=PASSWORD, new="too late now")
        )
    session.expire_all()
    await accounts.sign_in(SignIn(email=HANA.email, password="of somebody quicker"))


async def test_two_passwords_are_hashed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = CountingHasher()
    running: list[int] = []
    most = 0

    def verify(password_hash: str, password: str) -> bool:
        nonlocal most
        running.append(1)
        most = max(most, len(running))
        PasswordHasher._verify(hasher, password_hash, password)
        running.pop()
        return True

    monkeypatch.setattr(hasher, "_verify", verify)
    await asyncio.gather(*(hasher.verify("$", PASSWORD) for _ in range(20)))
    assert most <= 2
