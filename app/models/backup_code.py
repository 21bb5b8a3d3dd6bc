"""Codes for the day on which the second factor is lost."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id


class BackupCode(Base):
    """One code that is still good; used ones are deleted."""

    __tablename__ = "backup_codes"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    """Keyed with the app's secret: 50 bits alone could be tried out."""
