"""Counts of what may be done only so often, shared by all instances."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, UtcDateTime


class RateLimit(Base):
    """How often something was tried in the window that ends at `resets_at`."""

    __tablename__ = "rate_limits"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the limit's name and whom it is for: no address is stored."""
    count: Mapped[int]
    resets_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
