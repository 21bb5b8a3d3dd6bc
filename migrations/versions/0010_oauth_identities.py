"""Accounts at other services that people sign in with."""

import sqlalchemy as sa
from alembic import op

from app.row_security import own_rows

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "oauth_identities",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("user_id", _Id, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("provider", "subject"),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "oauth_identities", ["user_id"])
    own_rows("oauth_identities", "user_id")


def downgrade() -> None:
    op.drop_table("oauth_identities")
