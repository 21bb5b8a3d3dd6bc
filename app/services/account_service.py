"""Accounts: what each provider of them can do, and the provider that keeps them here."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.logger import TraceLogger
from app.lib.utils import utc_now
from app.models.user import Role, User
from app.schemas.account import ChangePassword, SignIn, SignUp, is_email
from app.services.errors import EmailTaken, InvalidCredentials, NotFound, PasswordIsEmail
from app.services.password_hasher import PasswordHasher


class AccountProvider(Protocol):
    """Where accounts are kept. Whoever it is, the row in `users` is made here."""

    async def sign_up(self, data: SignUp) -> User:
        """A new account. Raises `EmailTaken`."""
        ...

    async def sign_in(self, data: SignIn) -> User:
        """The user whom these credentials belong to. Raises `InvalidCredentials`."""
        ...

    async def change_password(self, user_id: int, data: ChangePassword) -> None:
        """Raises `InvalidCredentials` where the current password is wrong."""
        ...


class LocalAccounts:
    """Accounts in the app's own database, with argon2id hashes. Never commits."""

    def __init__(
        self,
        session: AsyncSession,
        logger: TraceLogger,
        hasher: PasswordHasher,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._session = session
        self._logger = logger
        self._hasher = hasher
        self._clock = clock

    async def sign_up(self, data: SignUp) -> User:
        """A new account with role `user`. Raises `EmailTaken`."""
        async with self._logger.task("Account_Sign_Up") as task:
            async with task.step("Hash_Password"):
                password_hash = await self._hasher.hash(data.password)
            async with task.step("DB_Insert", {"email": data.email}) as step:
                user = await self.add(data.email, data.name, password_hash)
                step.output = {"user_id": user.id}
        return user

    async def sign_in(self, data: SignIn) -> User:
        """Raises `InvalidCredentials` after the same work, whether address or password is wrong."""
        async with self._logger.task("Account_Sign_In") as task:
            async with task.step("Verify_Password") as step:
                user = await self._session.scalar(select(User).where(User.email == data.email))
                password_hash = user.password_hash if user else None
                if not await self._hasher.verify(password_hash, data.password) or user is None:
                    raise InvalidCredentials
                step.output = {"user_id": user.id}
            if password_hash and self._hasher.is_outdated(password_hash):
                async with task.step("Rehash_Password"):
                    await self._set_hash(user.id, password_hash, data.password)
        return user

    async def change_password(self, user_id: int, data: ChangePassword) -> None:
        """Raises `InvalidCredentials`, `NotFound` or `PasswordIsEmail`."""
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

    async def add(
        self, email: str, name: str, password_hash: str | None, role: Role = "user"
    ) -> User:
        """The new row of an account. Raises `EmailTaken`."""
        values = {
            "email": email,
            "name": name,
            "password_hash": password_hash,
            "role": role,
            "created_at": self._clock(),
        }
        dialect = self._session.get_bind().dialect.name
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        statement = insert(User).values(values).on_conflict_do_nothing().returning(User)
        user = await self._session.scalar(statement)
        if user is None:
            raise EmailTaken
        return user

    async def _set_hash(self, user_id: int, old_hash: str | None, password: str) -> bool:
        """Whether the hash was still the one that was verified: a change made meanwhile stays."""
        new_hash = await self._hasher.hash(password)
        changed = await self._session.scalars(
            update(User)
            .where(User.id == user_id, User.password_hash == old_hash)
            .values(password_hash=new_hash)
            .returning(User.id),
            execution_options={"synchronize_session": False},
        )
        return changed.one_or_none() is not None
