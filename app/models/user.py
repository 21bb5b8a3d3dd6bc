"""People with an account."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.lib.utils import utc_now
from app.models.base import Base, Id, UtcDateTime

Role = Literal["user", "admin"]


class User(Base):
    """An account. `id` is the `user_id` of the trace log."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role IN ('user', 'admin')", name="role"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    """Lower-cased and stripped."""
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    """Argon2id in its usual notation; none where somebody else keeps the password."""
    role: Mapped[Role] = mapped_column(String(10), default="user")
    supabase_id: Mapped[UUID | None] = mapped_column(Uuid, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    email_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """None until somebody opened the link that was sent there; nobody signs in before."""
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when an administrator keeps the account from signing in."""
    totp_key: Mapped[str | None] = mapped_column(String(300))
    """The second factor's key, encrypted; of no effect before it was confirmed with a code."""
    totp_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    """The time step of the last code that was taken: no code is good twice."""

    @property
    def has_second_factor(self) -> bool:
        return self.totp_confirmed_at is not None
