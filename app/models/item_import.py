"""Files of items that were uploaded, and how far each is imported."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, UtcDateTime

FILE_NAME_LENGTH = 200


class ItemImport(Base):
    """One file. What is said of progress is written in the transaction that makes it."""

    __tablename__ = "item_imports"
    __table_args__ = (Index(None, "owner_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    owner_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(32), unique=True)
    """The name of its folder: see `app.services.imports.folder`."""
    name: Mapped[str] = mapped_column(String(FILE_NAME_LENGTH))
    """What its owner calls the file; nothing is stored under it."""
    size: Mapped[int] = mapped_column(BigInteger)
    """In bytes."""
    shape: Mapped[dict[str, Any]] = mapped_column(JSON)
    """How it is read: see `app.lib.table_source.TableShape`."""
    sample: Mapped[list[list[str]]] = mapped_column(JSON)
    """The first rows, with long cells cut short."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    job_id: Mapped[str | None] = mapped_column(String(36))
    """Of the job that imports it."""
    begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its owner let it begin, and so when the items were made."""
    position: Mapped[int] = mapped_column(BigInteger)
    """How many bytes of the good rows are committed."""
    inserted: Mapped[int]
    skipped: Mapped[int]
    """So many of them are items now, and so many were there already."""
    last_id: Mapped[int | None] = mapped_column(BigInteger)
    """The last item's id before the first commit: those of this import are behind it."""
    is_undoing: Mapped[bool]
    """Whether its items are being taken back."""
