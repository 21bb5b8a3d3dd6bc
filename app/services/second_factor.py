"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and backup codes."""

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.acting import system_work
from app.lib.secret_box import SecretBox
from app.lib.utils import utc_now
from app.models.backup_code import BackupCode
from app.models.user import User
from app.product import NAME
from app.services.account_events import AccountEvents
from app.services.errors import CodeInvalid

BACKUP_CODES: Final = 10
_STEP_SECONDS: Final = 30
# No letters and digits that are taken for each other; 10 of 31 are 49 bits.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"


class SecondFactor:
    """Turns it on and off for users, and checks codes. Never commits."""

    def __init__(
        self,
        session: AsyncSession,
        box: SecretBox,
        events: AccountEvents,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._session = session
        self._box = box
        self._events = events
        self._clock = clock

    async def begin(self, user: User) -> str:
        """The key to put into the app, in Base32; the same until `confirm` or `off`."""
        key = self._key(user)
        if key is None:
            key = pyotp.random_base32()
            await self._set(user, totp_key=self._box.seal("totp", key))
        return key

    def uri(self, user: User, key: str) -> str:
        """The key as a URI, for a QR code."""
        return pyotp.TOTP(key).provisioning_uri(name=user.email, issuer_name=NAME)

    async def confirm(self, user: User, code: str) -> list[str]:
        """Turn it on with a first code; the backup codes. Raises `CodeInvalid`."""
        if user.has_second_factor or not await self._takes_totp(user, _plain(code)):
            raise CodeInvalid
        await self._set(user, totp_confirmed_at=self._clock())
        await self._events.record("second_factor_on", user.id, actor_id=user.id)
        return await self._make_codes(user)

    @system_work
    async def check(self, user: User, code: str) -> None:
        """Take a code of the app or a backup code, each once. Raises `CodeInvalid`."""
        code = _plain(code)
        if await self._takes_totp(user, code):
            return
        used = await self._session.scalar(
            delete(BackupCode)
            .where(BackupCode.user_id == user.id, BackupCode.code_hash == self._digest(user, code))
            .returning(BackupCode.id)
        )
        if used is None:
            await self._events.record("second_factor_failed", user.id, actor_id=user.id)
            raise CodeInvalid
        await self._events.record("backup_code_used", user.id, actor_id=user.id)

    async def off(self, user: User, *, actor_id: int | None) -> None:
        """Turn it off; the key and all backup codes go. No actor: from the command line."""
        await self._set(user, totp_key=None, totp_confirmed_at=None)
        await self._session.execute(delete(BackupCode).where(BackupCode.user_id == user.id))
        await self._events.record("second_factor_off", user.id, actor_id=actor_id)

    async def new_codes(self, user: User) -> list[str]:
        """New backup codes; the old ones are good no more."""
        codes = await self._make_codes(user)
        await self._events.record("backup_codes_made", user.id, actor_id=user.id)
        return codes

    async def codes_left(self, user: User) -> int:
        """How many backup codes are still good."""
        query = select(func.count()).where(BackupCode.user_id == user.id)
        return await self._session.scalar(query) or 0

    async def _make_codes(self, user: User) -> list[str]:
        await self._session.execute(delete(BackupCode).where(BackupCode.user_id == user.id))
        codes = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(BACKUP_CODES)]
        self._session.add_all(
            BackupCode(user_id=user.id, code_hash=self._digest(user, code)) for code in codes
        )
        await self._session.flush()
        return [f"{code[:5]}-{code[5:]}" for code in codes]

    async def _takes_totp(self, user: User, code: str) -> bool:
        key = self._key(user)
        if key is None:
            return False
        totp = pyotp.TOTP(key)
        now = int(self._clock().timestamp()) // _STEP_SECONDS
        # A clock may be half a minute off.
        for step in (now, now - 1, now + 1):
            right = hmac.compare_digest(totp.generate_otp(step).encode(), code.encode())
            if right and step > user.totp_step:
                # The same condition again: of two at once, one gets in.
                taken = await self._session.scalar(
                    update(User)
                    .where(User.id == user.id, User.totp_step < step)
                    .values(totp_step=step)
                    .returning(User.id)
                )
                return taken is not None
        return False

    async def _set(self, user: User, **values: object) -> None:
        await self._session.execute(update(User).where(User.id == user.id).values(values))
        await self._session.refresh(user)

    def _key(self, user: User) -> str | None:
        return self._box.open("totp", user.totp_key) if user.totp_key else None

    def _digest(self, user: User, code: str) -> str:
        return self._box.digest("backup codes", f"{user.id}:{code}")


def _plain(code: str) -> str:
    return "".join(code.lower().split()).replace("-", "")
