"""Links that were sent by mail and not opened yet."""

from datetime import datetime
from typing import Literal

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Id, UtcDateTime
from app.models.user import User

LinkType = Literal["email", "magiclink", "recovery", "email_change"]
"""What a link is for, in the words that Supabase has for it."""


class OneTimeToken(Base):
    """What a link in a mail may do, once. The token itself is only in the mail."""

    __tablename__ = "one_time_tokens"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    type: Mapped[LinkType] = mapped_column(String(20))
    email: Mapped[str] = mapped_column(String(320))
    """Where it was sent."""
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    user: Mapped[User] = relationship(lazy="raise")
