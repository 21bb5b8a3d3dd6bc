"""Pictures of items. Their files are in the storage, in a folder a picture, named by its key."""

import secrets
from datetime import datetime
from typing import Any, Final, Literal, get_args

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, UtcDateTime

PictureStatus = Literal["waiting", "ready", "failed"]
PICTURE_STATUSES: Final[tuple[PictureStatus, ...]] = get_args(PictureStatus)

ALT_LENGTH: Final = 300
NAME_LENGTH: Final = 100


class Picture(Base):
    """One picture of one item. What was uploaded waits until a job has made what is shown."""

    __tablename__ = "pictures"
    __table_args__ = (
        CheckConstraint(f"status IN {PICTURE_STATUSES}", name="status"),
        Index(None, "item_id", "position", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    item_id: Mapped[int] = mapped_column(Id, ForeignKey("items.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    """Of the file that was uploaded: for people only, nothing is stored under it."""
    alt: Mapped[str] = mapped_column(String(ALT_LENGTH))
    """What is to be seen, in the user's words."""
    position: Mapped[int]
    status: Mapped[PictureStatus] = mapped_column(String(10))
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """`code` and `values` of why it failed."""
    files: Mapped[list[str]] = mapped_column(JSON)
    """The names of what was made of it, such as `thumb.webp`."""
    width: Mapped[int]
    height: Mapped[int]
    """As it is shown in large; as it was uploaded while it waits."""
    job_id: Mapped[str] = mapped_column(String(36))
    """Of the job that prepares it, which may be forgotten."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DroppedPicture(Base):
    """A picture whose row is gone, and whose files are to go. A trigger of the database adds it.

    So it is there whatever deletes the row: the user, or the end of the item or of the account.
    """

    __tablename__ = "dropped_pictures"

    key: Mapped[str] = mapped_column(String(32), primary_key=True)


def new_key(now: datetime) -> str:
    """A key that nobody guesses. It begins with its time: files without a row have an age too."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def key_time(key: str) -> float:
    """When a key was made, in seconds since 1970."""
    return int(key[:12], 16) / 1000
