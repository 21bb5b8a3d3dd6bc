"""The provider that keeps accounts in the app's own database."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.acting import system_work
from app.lib.logger import TraceLogger
from app.lib.utils import utc_now
from app.models.login_session import LoginSession
from app.models.one_time_token import LinkType
from app.models.user import Role, User
from app.schemas.account import ChangePassword, SignIn, SignUp, is_email
from app.services.account_events import NOBODY, AccountEvents
from app.services.account_provider import PostLetter, Proven
from app.services.admins import keep_one_admin
from app.services.errors import (
    AccountDisabled,
    EmailNotConfirmed,
    EmailTaken,
    InvalidCredentials,
    LinkInvalid,
    NotFound,
    PasswordIsEmail,
)
from app.services.mail_links import MailLinks
from app.services.password_hasher import PasswordHasher


class LocalAccounts:
    """Accounts in the app's own database, with argon2id hashes. Never commits."""

    asks_password_with_link = True

    def __init__(
        self,
        session: AsyncSession,
        logger: TraceLogger,
        hasher: PasswordHasher,
        *,
        post: PostLetter = lambda kind, to, token: None,
        events: AccountEvents | None = None,
        sends_mail: bool = True,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._session = session
        self._logger = logger
        self._hasher = hasher
        self._post = post
        self._events = events or AccountEvents(session, clock=clock)
        self._links = MailLinks(session, clock=clock)
        self.sends_mail = sends_mail
        self._clock = clock

    @system_work
    async def sign_up(self, data: SignUp) -> None:
        async with self._logger.task("Account_Sign_Up") as task:
            async with task.step("Hash_Password"):
                password_hash = await self._hasher.hash(data.password)
            async with task.step("DB_Insert", {"email": data.email}) as step:
                values: dict[str, object] = {"name": data.name, "password_hash": password_hash}
                user_id = await self._insert(data.email, values)
                if user_id is None:
                    # Not confirmed yet, so it may be anybody's: who signs up last has it.
                    user_id = await self._session.scalar(
                        update(User)
                        .where(User.email == data.email, User.email_confirmed_at.is_(None))
                        .values(values)
                        .returning(User.id)
                    )
                step.output = {"user_id": user_id}
            async with task.step("Write_Letter"):
                if user_id is None:
                    self._post("already_registered", data.email, "")
                else:
                    token = await self._links.make("email", user_id, data.email)
                    self._post("email", data.email, token)
            await self._events.record("signed_up", user_id or NOBODY, actor_id=user_id)

    @system_work
    async def sign_in(self, data: SignIn) -> Proven:
        async with self._logger.task("Account_Sign_In") as task:
            async with task.step("Verify_Password") as step:
                user = await self._session.scalar(select(User).where(User.email == data.email))
                password_hash = user.password_hash if user else None
                if not await self._hasher.verify(password_hash, data.password) or user is None:
                    await self._events.record("sign_in_failed", user.id if user else NOBODY)
                    raise InvalidCredentials
                step.output = {"user_id": user.id}
            if password_hash and self._hasher.is_outdated(password_hash):
                async with task.step("Rehash_Password"):
                    await self._set_hash(user.id, password_hash, data.password)
            self._check_open(user)
            if user.email_confirmed_at is None:
                token = await self._links.make("email", user.id, user.email)
                self._post("email", user.email, token)
                raise EmailNotConfirmed
        return Proven(user)

    @system_work
    async def request_link(self, link: LinkType, email: str) -> None:
        async with (
            self._logger.task("Account_Request_Link") as task,
            task.step("Write_Letter", {"email": email, "type": link}) as step,
        ):
            user = await self._session.scalar(select(User).where(User.email == email))
            if user is not None and user.disabled_at is None:
                self._post(link, email, await self._links.make(link, user.id, email))
            step.output = {"user_id": user.id if user else None}

    @system_work
    async def open_link(self, link: LinkType, token: str, password: str = "") -> Proven:
        async with self._logger.task("Account_Open_Link") as task:
            async with task.step("Find_Link", {"type": link}) as step:
                found = await self._links.find(link, token)
                user = found.user
                step.output = {"user_id": user.id}
                self._check_open(user)
                if link == "email" and not await self._hasher.verify(user.password_hash, password):
                    raise InvalidCredentials
            async with task.step("DB_Update", {"user_id": user.id}):
                await self._links.use_up(found)
                if user.email_confirmed_at is None:
                    await self._confirm(user, keep_password=link == "email")
                if link == "email_change":
                    await self._change_email(user, found.email)
        return Proven(user)

    async def verify_password(self, user: User, password: str) -> str:
        async with (
            self._logger.task("Account_Verify") as task,
            task.step("Verify_Password", {"user_id": user.id}),
        ):
            if not await self._hasher.verify(user.password_hash, password):
                await self._events.record("sign_in_failed", user.id, actor_id=user.id)
                raise InvalidCredentials
        return ""

    async def change_password(self, user_id: int, data: ChangePassword) -> str:
        async with self._logger.task("Account_Change_Password") as task:
            async with task.step("Verify_Password", {"user_id": user_id}):
                user = await self._session.get(User, user_id)
                if user is None:
                    raise NotFound
                if is_email(data.new, user.email):
                    raise PasswordIsEmail
                if not await self._hasher.verify(user.password_hash, data.current):
                    raise InvalidCredentials
            async with task.step("DB_Update", {"user_id": user_id}):
                if not await self._set_hash(user_id, user.password_hash, data.new):
                    raise InvalidCredentials
        await self._events.record("password_changed", user_id, actor_id=user_id)
        self._post("password_was_changed", user.email, "")
        return ""

    @system_work
    async def set_password(self, user: User, password: str, tokens: str = "") -> None:
        if is_email(password, user.email):
            raise PasswordIsEmail
        async with (
            self._logger.task("Account_Set_Password") as task,
            task.step("DB_Update", {"user_id": user.id}),
        ):
            if not await self._set_hash(user.id, user.password_hash, password):
                raise LinkInvalid
            await self._session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))
            await self._links.forget(user.id)
        await self._events.record("password_reset", user.id)
        self._post("password_was_changed", user.email, "")

    @system_work
    async def request_email_change(self, user: User, email: str, password: str) -> None:
        await self.verify_password(user, password)
        taken = await self._session.scalar(select(User.id).where(User.email == email))
        if taken is None:
            self._post(
                "email_change", email, await self._links.make("email_change", user.id, email)
            )
        else:
            self._post("already_registered", email, "")

    @system_work
    async def delete(self, user: User) -> None:
        if user.role == "admin":
            await keep_one_admin(self._session, without=user.id)
        async with (
            self._logger.task("Account_Delete") as task,
            task.step("DB_Delete", {"user_id": user.id}),
        ):
            await self._events.forget(user.id)
            # Everything else of theirs goes with the row.
            await self._session.execute(delete(User).where(User.id == user.id))
        await self._events.record("deleted", user.id, actor_id=user.id)

    @system_work
    async def add(
        self, email: str, name: str, password_hash: str | None, role: Role = "user"
    ) -> User:
        """The row of a new account whose address is known to be right. Raises `EmailTaken`."""
        values = {"name": name, "password_hash": password_hash, "role": role}
        user_id = await self._insert(email, values | {"email_confirmed_at": self._clock()})
        if user_id is None:
            raise EmailTaken
        return await self._session.get_one(User, user_id)

    @system_work
    async def owner_of(self, email: str, name: str) -> User:
        """The account of whoever showed elsewhere that `email` is theirs; a new one if need be.

        One that was never confirmed may be anybody's, so it loses its password and its name.
        """
        values: dict[str, object] = {"name": name, "password_hash": None}
        async with (
            self._logger.task("Account_Find_Or_Add") as task,
            task.step("DB_Insert", {"email": email}) as step,
        ):
            user_id = await self._insert(email, values | {"email_confirmed_at": self._clock()})
            if user_id is not None:
                await self._events.record("signed_up", user_id, actor_id=user_id)
            user = (await self._session.scalars(select(User).where(User.email == email))).one()
            step.output = {"user_id": user.id}
            if user.disabled_at is None and user.email_confirmed_at is None:
                await self._links.forget(user.id)
                await self._session.execute(
                    update(User).where(User.id == user.id).values(name=name)
                )
                await self._confirm(user, keep_password=False)
        return user

    async def _insert(self, email: str, values: dict[str, object]) -> int | None:
        """The id of the new row; None where the address has one."""
        dialect = self._session.get_bind().dialect.name
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        values = {"role": "user", "totp_step": 0, **values, "created_at": self._clock()}
        statement = insert(User).values(email=email, **values).on_conflict_do_nothing()
        user_id: int | None = await self._session.scalar(statement.returning(User.id))
        return user_id

    async def _confirm(self, user: User, *, keep_password: bool) -> None:
        values: dict[str, object] = {"email_confirmed_at": self._clock()}
        if not keep_password:
            # Whoever chose it never showed that the address is theirs.
            values["password_hash"] = None
        await self._session.execute(update(User).where(User.id == user.id).values(values))
        await self._session.refresh(user)
        await self._events.record("email_confirmed", user.id, actor_id=user.id)

    async def _change_email(self, user: User, email: str) -> None:
        old = user.email
        change = update(User).where(User.id == user.id).values(email=email)
        try:
            async with self._session.begin_nested():
                await self._session.execute(change)
        except IntegrityError:
            raise EmailTaken from None
        await self._session.refresh(user)
        await self._links.forget(user.id)
        await self._events.record("email_changed", user.id, actor_id=user.id)
        self._post("email_was_changed", old, "")

    async def _set_hash(self, user_id: int, old_hash: str | None, password: str) -> bool:
        """Whether the hash was still the one that was verified: a change made meanwhile stays."""
        new_hash = await self._hasher.hash(password)
        changed = await self._session.scalars(
            update(User)
            .where(User.id == user_id, User.password_hash.is_not_distinct_from(old_hash))
            .values(password_hash=new_hash)
            .returning(User.id),
            execution_options={"synchronize_session": False},
        )
        return changed.one_or_none() is not None

    def _check_open(self, user: User) -> None:
        if user.disabled_at is not None:
            raise AccountDisabled
