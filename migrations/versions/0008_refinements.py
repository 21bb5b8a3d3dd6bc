"""Suggestions of a language model for items, and how many each user has had."""

import sqlalchemy as sa
from alembic import op

from app.row_security import own_rows, part_rows

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "refinements",
        sa.Column(
            "job_id", sa.String(36), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("item_id", _Id, sa.ForeignKey("items.id", ondelete="CASCADE"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
    )
    op.create_index(None, "refinements", ["item_id"])
    part_rows("refinements", "job_id", "jobs")
    op.create_table(
        "ai_usage",
        sa.Column("user_id", _Id, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("calls", sa.Integer(), nullable=False),
    )
    own_rows("ai_usage", "user_id")


def downgrade() -> None:
    op.drop_table("ai_usage")
    op.drop_table("refinements")
