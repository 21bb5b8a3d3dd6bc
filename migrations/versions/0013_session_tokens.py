"""Sessions of accounts that another service keeps are renewed there."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "login_sessions", sa.Column("provider_token", sa.Text(), nullable=False, server_default="")
    )
    op.add_column("login_sessions", sa.Column("renewed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("login_sessions", "renewed_at")
    op.drop_column("login_sessions", "provider_token")
