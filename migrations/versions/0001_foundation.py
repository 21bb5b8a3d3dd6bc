"""Users and their sign-in sessions."""

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


def downgrade() -> None:
    op.drop_table("login_sessions")
    op.drop_table("users")
