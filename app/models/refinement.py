"""Descriptions of items that a language model suggests, and what each user has asked of it."""

from datetime import date

from sqlalchemy import BigInteger, Date, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id


class Refinement(Base):
    """A suggestion, from its first word until its user has taken it or thrown it away."""

    __tablename__ = "refinements"

    job_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True
    )
    item_id: Mapped[int] = mapped_column(Id, ForeignKey("items.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    """The item's, when its description was read."""
    text: Mapped[str]
    """As far as it is written."""


class AiUsage(Base):
    """How many suggestions a user has had on a day (UTC), and what they have cost."""

    __tablename__ = "ai_usage"

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    calls: Mapped[int]
    tokens: Mapped[int] = mapped_column(BigInteger)
