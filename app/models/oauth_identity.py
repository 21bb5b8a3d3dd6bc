"""Accounts at other services that people sign in with."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.config_values import ProviderName
from app.models.base import Base, Id, UtcDateTime


class OAuthIdentity(Base):
    """An account elsewhere, and the user who signs in with it."""

    __tablename__ = "oauth_identities"
    __table_args__ = (UniqueConstraint("provider", "subject"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    provider: Mapped[ProviderName] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(255))
    """The provider's id of the account. It stays when name and address there change."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
