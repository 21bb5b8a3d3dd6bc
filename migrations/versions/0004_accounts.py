"""Accounts: confirmed addresses, second factors, links by mail, tokens, limits, the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    for column in _user_columns():
        op.add_column("users", column)
    # Whoever has an account already goes on with it.
    op.execute("UPDATE users SET email_confirmed_at = created_at")
    op.add_column("login_sessions", sa.Column("authenticated_at", _Time))
    op.execute("UPDATE login_sessions SET authenticated_at = created_at")
    with op.batch_alter_table("login_sessions") as table:
        table.alter_column("authenticated_at", existing_type=_Time, nullable=False)
    op.create_table(
        "one_time_tokens",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        _user_id(),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("expires_at", _Time, nullable=False),
    )
    op.create_index(None, "one_time_tokens", ["user_id"])
    op.create_index(None, "one_time_tokens", ["expires_at"])
    op.create_table(
        "backup_codes",
        sa.Column("id", _Id, primary_key=True),
        _user_id(),
        sa.Column("code_hash", sa.String(64), nullable=False),
    )
    op.create_index(None, "backup_codes", ["user_id"])
    op.create_table(
        "access_tokens",
        sa.Column("id", _Id, primary_key=True),
        _user_id(),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("scope", sa.String(10), nullable=False),
        sa.Column("created_at", _Time, nullable=False),
        sa.Column("expires_at", _Time, nullable=False),
        sa.Column("last_used_at", _Time),
        sa.CheckConstraint("scope IN ('read', 'write')", name="scope"),
    )
    op.create_index(None, "access_tokens", ["user_id"])
    op.create_table(
        "account_events",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("user_id", _Id, nullable=False),
        sa.Column("actor_id", _Id),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("detail", sa.String(300), nullable=False),
        sa.Column("ip_address", sa.String(45), nullable=False),
        sa.Column("trace_id", sa.String(36), nullable=False),
        sa.Column("created_at", _Time, nullable=False),
    )
    op.create_index(None, "account_events", ["user_id", "id"])
    op.create_index(None, "account_events", ["created_at"])
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("resets_at", _Time, nullable=False),
    )
    op.create_index(None, "rate_limits", ["resets_at"])


def downgrade() -> None:
    for name in (
        "rate_limits",
        "account_events",
        "access_tokens",
        "backup_codes",
        "one_time_tokens",
    ):
        op.drop_table(name)
    with op.batch_alter_table("login_sessions") as table:
        table.drop_column("authenticated_at")
    for column in reversed(_user_columns()):
        op.drop_column("users", column.name)


def _user_columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("email_confirmed_at", _Time),
        sa.Column("disabled_at", _Time),
        sa.Column("totp_key", sa.String(300)),
        sa.Column("totp_confirmed_at", _Time),
        sa.Column("totp_step", sa.BigInteger(), nullable=False, server_default="0"),
    )


def _user_id() -> sa.Column[int]:
    owner = sa.ForeignKey("users.id", ondelete="CASCADE")
    return sa.Column("user_id", _Id, owner, nullable=False)
