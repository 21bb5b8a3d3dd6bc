"""The provider that leaves accounts to Supabase Auth.

Supabase keeps the password and sends the mail; the row in `users` is made with the first sign-in.
Sessions, second factor, tokens and the audit trail are the app's own, as with local accounts;
`session_renewal.py` asks now and then whether Supabase still holds a session.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from app.acting import system_work
from app.database import let_go
from app.lib.logger import TraceLogger
from app.lib.utils import utc_now
from app.models.login_session import LoginSession
from app.models.one_time_token import LinkType
from app.models.user import User
from app.schemas.account import ChangePassword, SignIn, SignUp, is_email
from app.services.account_events import NOBODY, AccountEvents
from app.services.account_provider import Proven
from app.services.admins import keep_one_admin
from app.services.errors import (
    AccountDisabled,
    AddressRefused,
    EmailNotConfirmed,
    EmailTaken,
    InvalidCredentials,
    LinkInvalid,
    MailTooSoon,
    NotFound,
    OtherLinkToo,
    PasswordIsEmail,
    PasswordRefused,
    ProviderUnavailable,
    SignUpClosed,
)
from app.services.supabase_client import Supabase, told

if TYPE_CHECKING:  # it takes a while to read, and is for Supabase alone
    from supabase_auth import AsyncGoTrueClient
    from supabase_auth.types import AuthResponse
    from supabase_auth.types import User as SupabaseUser


class SupabaseAccounts:
    """Accounts in Supabase Auth. Commits before it waits for Supabase, and else never."""

    asks_password_with_link = False
    sends_mail = True

    def __init__(
        self,
        session: AsyncSession,
        logger: TraceLogger,
        supabase: Supabase,
        *,
        events: AccountEvents | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._session = session
        self._logger = logger
        self._supabase = supabase
        self._events = events or AccountEvents(session, clock=clock)
        self._clock = clock

    @system_work
    async def sign_up(self, data: SignUp) -> None:
        async with (
            self._logger.task("Account_Sign_Up") as task,
            task.step("Supabase_Sign_Up", {"email": data.email}),
        ):
            try:
                async with told(
                    EmailTaken, MailTooSoon, PasswordRefused, AddressRefused, SignUpClosed
                ):
                    await self._supabase.client().sign_up(
                        {
                            "email": data.email,
                            "password": data.password,
                            "options": {"data": {"name": data.name}},
                        }
                    )
            except (EmailTaken, MailTooSoon):
                # That it is taken is nobody's business; of a taken one only it would not be said
                # that a mail went there just now.
                pass
        await self._events.record("signed_up", NOBODY)

    @system_work
    async def sign_in(self, data: SignIn) -> Proven:
        async with (
            self._logger.task("Account_Sign_In") as task,
            task.step("Supabase_Sign_In") as step,
            told(),  # both questions within the time of one
        ):
            try:
                answer = await self._password(data.email, data.password)
            except InvalidCredentials:
                await self._events.record("sign_in_failed", NOBODY)
                raise
            except EmailNotConfirmed:
                with suppress(MailTooSoon):
                    async with told(MailTooSoon):
                        client = self._supabase.client()
                        await client.resend({"type": "signup", "email": data.email})
                raise
            proven = await self.proven(answer)
            step.output = {"user_id": proven.user.id}
        return proven

    @system_work
    async def bearer(self, token: str, claims: Mapping[str, Any]) -> User | None:
        """The user of a verified access token; None where the account is closed, or wants a second
        factor that Supabase did not see. One who was never here is looked up there first.
        """
        supabase_id = UUID(str(claims["sub"]))
        user = await self._session.scalar(select(User).where(User.supabase_id == supabase_id))
        if user is None:
            await let_go(self._session)
            async with told(InvalidCredentials):
                answer = await self._supabase.client().get_user(token)
            if answer is None:
                return None
            user = await self._row(answer.user)
        if user.disabled_at is not None:
            return None
        return None if user.has_second_factor and claims.get("aal") != "aal2" else user

    @system_work
    async def request_link(self, link: LinkType, email: str) -> None:
        async with (
            self._logger.task("Account_Request_Link") as task,
            task.step("Supabase_Mail", {"email": email, "type": link}),
            told(),
        ):
            client = self._supabase.client()
            if link == "recovery":
                await client.reset_password_for_email(email)
            else:
                await client.sign_in_with_otp(
                    {"email": email, "options": {"should_create_user": False}}
                )

    @system_work
    async def open_link(self, link: LinkType, token: str, password: str = "") -> Proven:
        async with (
            self._logger.task("Account_Open_Link") as task,
            task.step("Supabase_Verify", {"type": link}) as step,
        ):
            async with told(AccountDisabled, InvalidCredentials, LinkInvalid):
                answer = await self._supabase.client().verify_otp(
                    {"token_hash": token, "type": link}
                )
            if answer.user is None and link == "email_change":
                # With "Secure email change" both addresses have to confirm it.
                raise OtherLinkToo
            proven = await self.proven(answer)
            step.output = {"user_id": proven.user.id}
        if link == "email":
            await self._events.record("email_confirmed", proven.user.id, actor_id=proven.user.id)
        if link == "email_change":
            await self._events.record("email_changed", proven.user.id, actor_id=proven.user.id)
        return proven

    async def verify_password(self, user: User, password: str) -> str:
        _client, token = await self._signed_in(user, password)
        return token

    async def change_password(self, user_id: int, data: ChangePassword) -> str:
        user = await self._session.get(User, user_id)
        if user is None:
            raise NotFound
        if is_email(data.new, user.email):
            raise PasswordIsEmail
        async with (
            self._logger.task("Account_Change_Password") as task,
            task.step("Supabase_Update", {"user_id": user_id}),
        ):
            client, token = await self._signed_in(user, data.current)
            async with told(PasswordRefused):
                await client.update_user({"password": data.new})
            await self._sign_out(client, "others")
        await self._events.record("password_changed", user_id, actor_id=user_id)
        return token

    @system_work
    async def set_password(self, user: User, password: str, tokens: str = "") -> None:
        if is_email(password, user.email):
            raise PasswordIsEmail
        async with (
            self._logger.task("Account_Set_Password") as task,
            task.step("Supabase_Update", {"user_id": user.id}),
        ):
            await let_go(self._session)
            client = self._supabase.client()
            try:
                async with told(AccountDisabled, InvalidCredentials):
                    answer = await client.refresh_session(tokens)
            except (AccountDisabled, InvalidCredentials):
                raise LinkInvalid from None
            try:
                async with told(PasswordRefused):
                    await client.update_user({"password": password})
            except PasswordRefused:
                raise PasswordRefused(_refresh_token(answer)) from None
            await self._sign_out(client, "global")
        await self._session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))
        await self._events.record("password_reset", user.id)

    async def request_email_change(self, user: User, email: str, password: str) -> None:
        async with (
            self._logger.task("Account_Change_Email") as task,
            task.step("Supabase_Update", {"user_id": user.id}),
        ):
            client, _token = await self._signed_in(user, password)
            try:
                async with told(AddressRefused, EmailTaken, MailTooSoon):
                    await client.update_user({"email": email})
            except (EmailTaken, MailTooSoon):
                pass  # nobody's business either

    @system_work
    async def delete(self, user: User) -> None:
        if user.role == "admin":
            # No other may go at the same time, so this keeps its transaction.
            await keep_one_admin(self._session, without=user.id)
        else:
            await let_go(self._session)
        async with self._logger.task("Account_Delete") as task:
            async with task.step("Supabase_Delete", {"user_id": user.id}):
                await self._delete_there(user)
            async with task.step("DB_Delete", {"user_id": user.id}):
                await self._events.forget(user.id)
                await self._session.execute(delete(User).where(User.id == user.id))
        await self._events.record("deleted", user.id, actor_id=user.id)

    @system_work
    async def proven(self, answer: "AuthResponse") -> Proven:
        """Whose account Supabase's answer is about.

        Raises `AccountDisabled`, `EmailTaken`, or `InvalidCredentials` where the address is not
        confirmed.
        """
        if answer.user is None:
            raise InvalidCredentials
        user = await self._row(answer.user)
        if user.disabled_at is not None:
            raise AccountDisabled
        return Proven(user, _refresh_token(answer))

    async def _signed_in(self, user: User, password: str) -> "tuple[AsyncGoTrueClient, str]":
        """A client that acts for `user`, who is signed in here, and its refresh token.

        Raises `InvalidCredentials`, or `AccountDisabled` where Supabase has closed the account.
        """
        await let_go(self._session)
        client = self._supabase.client()
        try:
            async with told(AccountDisabled, EmailNotConfirmed, InvalidCredentials):
                answer = await client.sign_in_with_password(
                    {"email": user.email, "password": password}
                )
        except (EmailNotConfirmed, InvalidCredentials):
            await self._events.record("sign_in_failed", user.id, actor_id=user.id)
            raise InvalidCredentials from None
        return client, _refresh_token(answer)

    async def _sign_out(
        self, client: "AsyncGoTrueClient", scope: Literal["global", "others"]
    ) -> None:
        """End Supabase's own sessions. The new password holds by now, whether this works or not."""
        with suppress(ProviderUnavailable):
            async with told():
                await client.sign_out({"scope": scope})

    async def _delete_there(self, user: User) -> None:
        if user.supabase_id is not None:
            with suppress(NotFound):  # it is gone already
                async with told(NotFound):
                    admin = self._supabase.client(as_admin=True).admin
                    await admin.delete_user(str(user.supabase_id))

    async def _password(self, email: str, password: str) -> "AuthResponse":
        async with told(AccountDisabled, EmailNotConfirmed, InvalidCredentials):
            return await self._supabase.client().sign_in_with_password(
                {"email": email, "password": password}
            )

    async def _row(self, account: "SupabaseUser") -> User:
        """The user of Supabase's account: found, linked by address, or made. Two at once make one.

        Linked only where Supabase knows that the address is theirs.
        """
        supabase_id, email = UUID(account.id), (account.email or "").lower()
        mine = User.supabase_id == supabase_id
        found = await self._session.scalar(select(User).where(mine))
        if found is None:
            if account.email_confirmed_at is None and account.confirmed_at is None:
                raise InvalidCredentials
            await self._session.execute(
                update(User)
                .where(User.email == email, User.supabase_id.is_(None))
                .values(supabase_id=supabase_id, email_confirmed_at=self._clock())
                .execution_options(synchronize_session=False)
            )
            await self._insert(supabase_id, email, account)
            found = await self._session.scalar(
                select(User).where(mine), execution_options={"populate_existing": True}
            )
        if found is None:
            raise EmailTaken
        if email and found.email != email:
            await self._session.execute(update(User).where(mine).values(email=email))
            await self._session.refresh(found)
        return found

    async def _insert(self, supabase_id: UUID, email: str, account: "SupabaseUser") -> None:
        name = str(account.user_metadata.get("name") or email.partition("@")[0])[:100]
        dialect = self._session.get_bind().dialect.name
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        now = self._clock()
        statement = insert(User).values(
            email=email,
            name=name or "–",
            role="user",
            totp_step=0,
            supabase_id=supabase_id,
            created_at=now,
            email_confirmed_at=now,
        )
        await self._session.execute(statement.on_conflict_do_nothing())


def _refresh_token(answer: "AuthResponse") -> str:
    return answer.session.refresh_token if answer.session else ""
