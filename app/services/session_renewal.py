"""Sessions of accounts that Supabase keeps: about once an hour it is asked whether they still hold.

The question takes a refresh token, which is good once and is answered with the next one. It lies
beside the session, encrypted.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Delete, Update, delete, update

from app.database import Database
from app.lib.logger import TraceLogger
from app.lib.secret_box import SecretBox
from app.lib.utils import utc_now
from app.models.login_session import LoginSession
from app.services.errors import AccountDisabled, InvalidCredentials, NotFound, ProviderUnavailable
from app.services.rate_limits import TooMany
from app.services.supabase_client import Supabase, told

PURPOSE: Final = "session tokens"
"""For which refresh tokens are sealed."""
RENEW_AFTER: Final = timedelta(hours=1)
_TRY_AGAIN_AFTER: Final = timedelta(minutes=5)


def is_due(login: LoginSession, now: datetime) -> bool:
    """Whether it is time to ask for a session."""
    return login.renewed_at is not None and login.renewed_at <= now - RENEW_AFTER


class SessionRenewal:
    """Asks Supabase for a session, in transactions of its own: nobody's request waits for it."""

    def __init__(
        self,
        database: Database,
        supabase: Supabase,
        box: SecretBox,
        logger: TraceLogger,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._supabase = supabase
        self._box = box
        self._logger = logger
        self._clock = clock

    async def renew(self, session_id: int) -> None:
        """Keep the next token, or end the session where Supabase holds it for over.

        Of many requests at once, in whichever process, one asks. A Supabase that does not answer
        ends nothing, and is asked again five minutes later.
        """
        sealed = await self._claim(session_id)
        if sealed is None:
            return
        mine = LoginSession.id == session_id, LoginSession.provider_token == sealed
        async with (
            self._logger.task("Session_Renewal") as task,
            task.step("Supabase_Refresh", {"session_id": session_id}) as step,
        ):
            try:
                token = await self._next_token(sealed)
            except (AccountDisabled, InvalidCredentials, NotFound):
                step.output = {"holds": False}
                await self._write(delete(LoginSession).where(*mine))
            except (ProviderUnavailable, TooMany):
                step.output = {"holds": None}
                later = self._clock() - RENEW_AFTER + _TRY_AGAIN_AFTER
                await self._write(update(LoginSession).where(*mine).values(renewed_at=later))
            else:
                step.output = {"holds": True}
                kept = self._box.seal(PURPOSE, token)
                await self._write(update(LoginSession).where(*mine).values(provider_token=kept))

    async def _claim(self, session_id: int) -> str | None:
        """The sealed token of a session that is due, for the one who is to ask."""
        now = self._clock()
        async with self._database.system_session() as session:
            return await session.scalar(
                update(LoginSession)
                .where(LoginSession.id == session_id, LoginSession.renewed_at <= now - RENEW_AFTER)
                .values(renewed_at=now)
                .returning(LoginSession.provider_token)
            )

    async def _next_token(self, sealed: str) -> str:
        if (token := self._box.open(PURPOSE, sealed)) is None:
            raise InvalidCredentials  # SECRET_KEY is another one now
        async with told(AccountDisabled, InvalidCredentials, NotFound):
            answer = await self._supabase.client().refresh_session(token)
        if answer.session is None:
            raise InvalidCredentials
        return answer.session.refresh_token

    async def _write(self, statement: Delete | Update) -> None:
        async with self._database.system_session() as session:
            await session.execute(statement)
