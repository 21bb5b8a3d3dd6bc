"""Jobs, and the processes that run them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("user_id", _Id, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("handed_over", sa.Boolean(), nullable=False),
        sa.Column("cancel", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("step", sa.String(50), nullable=False),
        sa.Column("step_number", sa.Integer(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger()),
        sa.Column("problem", sa.JSON()),
        sa.Column("result", sa.JSON()),
        sa.Column("trace_id", sa.String(36), nullable=False),
        sa.Column("created_at", _Time, nullable=False),
        sa.Column("step_at", _Time),
        sa.Column("changed_at", _Time, nullable=False),
        sa.Column("ended_at", _Time),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="status"
        ),
    )
    op.create_index(None, "jobs", ["user_id", "created_at", "id"])
    going_on = sa.text("status IN ('queued', 'running')")
    op.create_index(
        "ix_jobs_going_on",
        "jobs",
        ["status", "handed_over"],
        sqlite_where=going_on,
        postgresql_where=going_on,
    )
    op.create_table(
        "job_workers",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("seen_at", _Time, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("job_workers")
    op.drop_table("jobs")
