"""Signing up and in with accounts that are kept here."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select, update

from app.database import Database
from app.lib.logger import NullLogger
from app.models import Base
from app.models.account_event import AccountEvent
from app.models.login_session import LoginSession
from app.models.one_time_token import OneTimeToken
from app.models.user import User
from app.row_security import owner_of, part_of
from app.schemas.account import ChangePassword, SignIn, SignUp
from app.services.account_service import LocalAccounts
from app.services.errors import (
    AccountDisabled,
    EmailNotConfirmed,
    EmailTaken,
    InvalidCredentials,
    LastAdmin,
    LinkInvalid,
    NotFound,
    PasswordIsEmail,
)
from app.services.password_hasher import PasswordHasher
from app.services.session_service import SessionService
from tests.support.accounts import PASSWORD
from tests.support.databases import Clock

pytestmark = pytest.mark.anyio

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


Posted = list[tuple[str, str, str]]


@pytest.fixture
def posted() -> Posted:
    """The letters that were written: kind, address, token."""
    return []


@pytest.fixture
async def accounts(
    database: Database, hasher: CountingHasher, posted: Posted, clock: Clock
) -> AsyncIterator[LocalAccounts]:
    async with database.system_session() as session:
        yield LocalAccounts(
            session,
            NullLogger(),
            hasher,
            post=lambda kind, to, token: posted.append((kind, to, token)),
            clock=clock,
        )


async def made(accounts: LocalAccounts, posted: Posted, data: SignUp = HANA) -> User:
    """A confirmed account."""
    await accounts.sign_up(data)
    return (await accounts.open_link("email", posted.pop()[2], data.password)).user


async def test_an_account_is_good_once_its_address_is_confirmed(
    accounts: LocalAccounts, posted: Posted
) -> None:
    await accounts.sign_up(HANA)
    kind, to, token = posted.pop()
    assert (kind, to) == ("email", "hana@example.com")
    with pytest.raises(EmailNotConfirmed):
        await accounts.sign_in(SignIn(email=HANA.email, password=PASSWORD))
    assert posted.pop()[:2] == ("email", "hana@example.com"), "the link is sent once more"
    with pytest.raises(LinkInvalid):
        await accounts.open_link("email", token, PASSWORD)
    user = await made(accounts, posted)
    assert (user.email, user.name, user.role) == ("hana@example.com", "Hana", "user")
    assert user.password_hash is not None
    assert user.password_hash.startswith("$argon2id$")
    signed_in = await accounts.sign_in(SignIn(email=" HANA@example.COM", password=PASSWORD))
    assert signed_in.user.id == user.id


async def test_whoever_signs_up_with_the_address_of_another_does_not_get_in(
    accounts: LocalAccounts, posted: Posted
) -> None:
    await accounts.sign_up(HANA.model_copy(update={"password": "of the intruder"}))
    token = posted.pop()[2]
    with pytest.raises(InvalidCredentials):
        await accounts.open_link("email", token, PASSWORD)
    await accounts.sign_up(HANA)
    await accounts.open_link("email", posted.pop()[2], PASSWORD)
    with pytest.raises(InvalidCredentials):
        await accounts.sign_in(SignIn(email=HANA.email, password="of the intruder"))


async def test_a_link_to_sign_in_takes_the_password_of_an_unconfirmed_account_away(
    accounts: LocalAccounts, posted: Posted
) -> None:
    await accounts.sign_up(HANA)
    await accounts.request_link("magiclink", HANA.email)
    user = (await accounts.open_link("magiclink", posted.pop()[2])).user
    assert user.email_confirmed_at is not None
    assert user.password_hash is None


async def test_an_address_has_one_account_and_only_its_owner_learns_so(
    accounts: LocalAccounts, posted: Posted
) -> None:
    user = await made(accounts, posted)
    await accounts.sign_up(HANA.model_copy(update={"name": "Other", "password": "x" * 9 + "other"}))
    assert posted == [("already_registered", "hana@example.com", "")]
    signed_in = await accounts.sign_in(SignIn(email=HANA.email, password=PASSWORD))
    assert (signed_in.user.id, signed_in.user.name) == (user.id, "Hana")


async def test_two_who_sign_up_at_once_make_one_account(
    database: Database, hasher: CountingHasher
) -> None:
    async def sign_up() -> None:
        async with database.system_session() as session:
            await LocalAccounts(session, NullLogger(), hasher).sign_up(HANA)

    await asyncio.gather(*(sign_up() for _ in range(4)))
    async with database.system_session() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 1
        assert await session.scalar(select(func.count()).select_from(OneTimeToken)) == 1


async def test_links_are_good_once_and_for_a_while(
    accounts: LocalAccounts, posted: Posted, clock: Clock
) -> None:
    user = await made(accounts, posted)
    await accounts.request_link("recovery", HANA.email)
    token = posted.pop()[2]
    with pytest.raises(LinkInvalid):
        await accounts.open_link("magiclink", token)
    assert (await accounts.open_link("recovery", token)).user.id == user.id
    with pytest.raises(LinkInvalid):
        await accounts.open_link("recovery", token)
    await accounts.request_link("recovery", HANA.email)
    clock.advance(hours=1)
    with pytest.raises(LinkInvalid):
        await accounts.open_link("recovery", posted.pop()[2])


async def test_nothing_is_sent_to_addresses_without_an_account(
    accounts: LocalAccounts, posted: Posted
) -> None:
    await accounts.request_link("recovery", "nobody@example.com")
    assert posted == []


async def test_a_new_password_ends_all_sessions_and_links(
    accounts: LocalAccounts, posted: Posted
) -> None:
    user = await made(accounts, posted)
    session = SessionService(accounts._session, clock=accounts._clock)
    cookie = await session.start(user)
    await accounts.request_link("magiclink", HANA.email)
    link = posted.pop()[2]
    await accounts.set_password(user, "a longer password")
    assert await session.resolve(cookie) is None
    with pytest.raises(LinkInvalid):
        await accounts.open_link("magiclink", link)
    await accounts._session.refresh(user)
    await accounts.sign_in(SignIn(email=HANA.email, password="a longer password"))
    with pytest.raises(PasswordIsEmail):
        await accounts.set_password(user, "HANA@example.com")


async def test_a_new_address_holds_once_its_link_is_opened(
    accounts: LocalAccounts, posted: Posted
) -> None:
    user = await made(accounts, posted)
    await made(accounts, posted, HANA.model_copy(update={"email": "taro@example.com"}))
    await accounts.request_email_change(user, "taro@example.com", PASSWORD)
    assert posted.pop() == ("already_registered", "taro@example.com", "")
    await accounts.request_email_change(user, "new@example.com", PASSWORD)
    _kind, to, token = posted.pop()
    assert (to, user.email) == ("new@example.com", "hana@example.com")
    await accounts.open_link("email_change", token)
    assert user.email == "new@example.com"
    assert posted.pop() == ("email_was_changed", "hana@example.com", "")


async def test_an_address_that_was_taken_meanwhile_stays_with_its_account(
    accounts: LocalAccounts, posted: Posted
) -> None:
    user = await made(accounts, posted)
    await accounts.request_email_change(user, "new@example.com", PASSWORD)
    token = posted.pop()[2]
    await made(accounts, posted, HANA.model_copy(update={"email": "new@example.com"}))
    with pytest.raises(EmailTaken):
        await accounts.open_link("email_change", token)


async def test_a_closed_account_stays_closed(accounts: LocalAccounts, posted: Posted) -> None:
    user = await made(accounts, posted)
    await accounts.request_link("magiclink", HANA.email)
    token = posted.pop()[2]
    user.disabled_at = accounts._clock()
    await accounts._session.flush()
    with pytest.raises(AccountDisabled):
        await accounts.sign_in(SignIn(email=HANA.email, password=PASSWORD))
    with pytest.raises(AccountDisabled):
        await accounts.open_link("magiclink", token)
    with pytest.raises(InvalidCredentials):
        await accounts.sign_in(SignIn(email=HANA.email, password="wrong"))


async def test_deleting_takes_everything_along_but_the_note_that_it_happened(
    accounts: LocalAccounts, posted: Posted
) -> None:
    user = await made(accounts, posted)
    session = accounts._session
    await SessionService(session).start(user)
    await accounts.request_link("magiclink", HANA.email)
    await accounts.delete(user)
    for table in (LoginSession, OneTimeToken, User):
        assert await session.scalar(select(func.count()).select_from(table)) == 0
    events = (await session.scalars(select(AccountEvent))).all()
    assert [(event.kind, event.user_id, event.detail) for event in events] == [
        ("deleted", user.id, "")
    ]


def test_the_rows_of_every_table_go_with_whoever_or_whatever_they_belong_to() -> None:
    for name, table in Base.metadata.tables.items():
        part = part_of(table)
        column = part[0] if part else owner_of(table)
        if column is None or name in {"users", "account_events"}:
            continue  # events are forgotten one by one: that of the deletion stays
        rules = {key.ondelete for key in table.columns[column].foreign_keys}
        assert rules == {"CASCADE"}, name


async def test_the_last_administrator_cannot_leave(accounts: LocalAccounts) -> None:
    admin = await accounts.add("admin@example.com", "Admin", None, "admin")
    with pytest.raises(LastAdmin):
        await accounts.delete(admin)
    await accounts.add("other@example.com", "Other", None, "admin")
    await accounts.delete(admin)


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
    accounts: LocalAccounts, hasher: CountingHasher, posted: Posted, data: SignIn
) -> None:
    await made(accounts, posted)
    hasher.verified = 0
    await accounts.add("oauth@example.com", "No password here", None)
    await accounts.add("broken@example.com", "Not a hash", "plain text")
    with pytest.raises(InvalidCredentials) as error:
        await accounts.sign_in(data)
    assert str(error.value) == ""
    assert hasher.verified == 1


async def test_signing_in_brings_an_old_hash_up_to_date(
    accounts: LocalAccounts, posted: Posted
) -> None:
    user = await made(accounts, posted)
    old_hash = user.password_hash or ""
    stronger = CountingHasher(passes=2)
    assert stronger.is_outdated(old_hash)
    accounts = LocalAccounts(accounts._session, NullLogger(), stronger)
    await accounts.sign_in(SignIn(email=HANA.email, password=PASSWORD))
    await accounts._session.refresh(user)
    assert not stronger.is_outdated(user.password_hash or "")
    assert await stronger.verify(user.password_hash, PASSWORD)


async def test_changing_the_password_needs_the_old_one(
    accounts: LocalAccounts, posted: Posted
) -> None:
    user = await made(accounts, posted)
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
    accounts: LocalAccounts, hasher: CountingHasher, posted: Posted
) -> None:
    user = await made(accounts, posted)
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
