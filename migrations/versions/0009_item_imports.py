"""Imports of items from files; an item knows the line that it came from."""

import sqlalchemy as sa
from alembic import op

from app.row_security import own_rows

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_IMPORTED = sa.text("import_key IS NOT NULL AND deleted_at IS NULL")
_INDEX = "ix_items_owner_id_import_key"


def upgrade() -> None:
    op.create_table(
        "item_imports",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("owner_id", _Id, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("key", sa.String(32), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("shape", sa.JSON(), nullable=False),
        sa.Column("sample", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("job_id", sa.String(36)),
        sa.Column("begun_at", sa.DateTime(timezone=True)),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("inserted", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.BigInteger()),
        sa.Column("is_undoing", sa.Boolean(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "item_imports", ["owner_id", "id"])
    own_rows("item_imports", "owner_id")
    op.add_column("items", sa.Column("import_key", sa.BigInteger()))
    op.create_index(
        _INDEX,
        "items",
        ["owner_id", "import_key"],
        sqlite_where=_IMPORTED,
        postgresql_where=_IMPORTED,
    )


def downgrade() -> None:
    op.drop_index(_INDEX, "items")
    op.drop_column("items", "import_key")
    op.drop_table("item_imports")
