"""Items that came together, and which grams occur in which of them."""

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id


class ItemPack(Base):
    """Items of one user with ids from `id` to `last_id`, of which some may have gone since."""

    __tablename__ = "item_packs"
    __table_args__ = (Index(None, "owner_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    """That of its first item."""
    owner_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    last_id: Mapped[int] = mapped_column(BigInteger)


class ItemPosting(Base):
    """The items of a pack that have one gram: see `app.services.item_packs`."""

    __tablename__ = "item_postings"
    __table_args__ = ({"sqlite_with_rowid": False},)

    pack_id: Mapped[int] = mapped_column(
        Id, ForeignKey("item_packs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    gram: Mapped[str] = mapped_column(
        String(3).with_variant(String(3, collation="C"), "postgresql"), primary_key=True
    )
    owner_id: Mapped[int] = mapped_column(Id)
    places: Mapped[bytes] = mapped_column(LargeBinary)
