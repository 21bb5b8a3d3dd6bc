"""Sign-ins that are still good."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Id, UtcDateTime
from app.models.user import User


class LoginSession(Base):
    """One browser in which a user signed in. The token itself is only in its cookie."""

    __tablename__ = "login_sessions"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the token, in hex."""
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """To within a minute."""
    authenticated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the user last proved who they are."""
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    """Whatever happens, the session ends here."""
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    ip_address: Mapped[str] = mapped_column(String(45), default="")

    provider_token: Mapped[str] = mapped_column(Text, default="")
    """The refresh token of whoever keeps the account, encrypted; empty where the app does."""
    renewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When that was given, or last asked for."""

    user: Mapped[User] = relationship(lazy="raise")
