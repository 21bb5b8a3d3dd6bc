"""Users, their sign-in sessions and their items."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("email", sa.String(320), nullable=False, unique=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("supabase_id", sa.Uuid(), unique=True),
        sa.Column("created_at", _Time, nullable=False),
        sa.CheckConstraint("role IN ('user', 'admin')", name="role"),
    )
    op.create_table(
        "login_sessions",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("user_id", _Id, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", _Time, nullable=False),
        sa.Column("last_seen_at", _Time, nullable=False),
        sa.Column("expires_at", _Time, nullable=False),
        sa.Column("user_agent", sa.String(300), nullable=False),
        sa.Column("ip_address", sa.String(45), nullable=False),
    )
    op.create_index(None, "login_sessions", ["user_id"])
    op.create_index(None, "login_sessions", ["expires_at"])
    key_type = sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql")
    op.create_table(
        "items",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("owner_id", _Id, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("created_at", _Time, nullable=False),
        sa.Column("updated_at", _Time, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", _Time),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("title_key", key_type, nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("search_grams", sa.String(), nullable=False),
        sa.CheckConstraint("status BETWEEN 0 AND 2", name="status"),
        # An id that comes back after its item was purged would let an undo bring up another's.
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("items")
    op.drop_table("login_sessions")
    op.drop_table("users")
