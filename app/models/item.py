"""Items: what users work with."""

from datetime import date, datetime
from typing import Any, Final, Literal, get_args

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Dialect,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    TypeDecorator,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, UtcDateTime

Status = Literal["todo", "doing", "done"]
STATUSES: Final[tuple[Status, ...]] = get_args(Status)

TITLE_LENGTH: Final = 200
DESCRIPTION_LENGTH: Final = 10_000


class StatusType(TypeDecorator[Status]):
    """A status as its place in `STATUSES`, so that the database sorts by what comes first."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: Status | None, dialect: Dialect) -> int | None:
        return None if value is None else STATUSES.index(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Status | None:
        return None if value is None else STATUSES[value]


def _list_index(*columns: str) -> Index:
    """For lists of one owner and status in one order; deleted items are in none."""
    living = text("deleted_at IS NULL")
    return Index(None, "owner_id", "status", *columns, sqlite_where=living, postgresql_where=living)


_IMPORTED = text("import_key IS NOT NULL AND deleted_at IS NULL")


class Item(Base):
    """One item of one user. Deleted items stay for a while, so that deleting can be undone."""

    __tablename__ = "items"
    __table_args__ = (
        CheckConstraint("status BETWEEN 0 AND 2", name="status"),
        _list_index("id"),
        _list_index("updated_at", "id"),
        _list_index("title_key", "id"),
        _list_index("due_key", "id"),
        Index(
            None,
            "owner_id",
            "deleted_at",
            sqlite_where=text("deleted_at IS NOT NULL"),
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
        Index(
            None,
            "owner_id",
            "import_key",
            sqlite_where=_IMPORTED,
            postgresql_where=_IMPORTED,
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    owner_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    status: Mapped[Status] = mapped_column(StatusType)
    due_on: Mapped[date | None]
    due_key: Mapped[date] = mapped_column(
        Computed("coalesce(due_on, '9999-12-31')", persisted=True)
    )
    """What is sorted by: items without a due date come behind all others."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int]
    """1 when new, one more with each change."""
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    title_key: Mapped[str] = mapped_column(
        String(TITLE_LENGTH).with_variant(String(TITLE_LENGTH, collation="C"), "postgresql")
    )
    """The title as it is sorted: see `app.lib.search_grams.sort_key`."""
    description: Mapped[str]
    search_grams: Mapped[str] = mapped_column(deferred=True, deferred_raiseload=True)
    """What the text index is built from; of packed items, which it leaves out, the words.

    See `app.lib.search_grams`.
    """
    is_packed: Mapped[bool] = mapped_column(default=False, server_default=false(), deferred=True)
    """Whether the text index leaves it to its pack: see `app.services.item_packs`."""
    import_key: Mapped[int | None] = mapped_column(BigInteger, deferred=True)
    """A hash of the line of a file that the item came from; of other items it is none."""
