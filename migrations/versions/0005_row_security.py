"""Row-level security: on PostgreSQL, a transaction sees the rows of the user it acts for."""

from alembic import op

from app.acting import SYSTEM_ROLE
from app.row_security import ALL_RIGHTS, make_roles, open_rows, own_rows, system_rows

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OWNED = {
    # Their role, and whether they may sign in, is not theirs to say.
    "users": (
        "id",
        "SELECT, UPDATE (email, name, password_hash, totp_key, totp_confirmed_at, totp_step)",
    ),
    "login_sessions": ("user_id", ALL_RIGHTS),
    "one_time_tokens": ("user_id", ALL_RIGHTS),
    "backup_codes": ("user_id", ALL_RIGHTS),
    "access_tokens": ("user_id", ALL_RIGHTS),
    "account_events": ("user_id", "SELECT"),
    "jobs": ("user_id", ALL_RIGHTS),
}
_SYSTEM = ("rate_limits", "job_workers")


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    make_roles()
    op.execute(
        """CREATE FUNCTION app_user_id() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT nullif(current_setting('app.user_id', true), '')::bigint
        $$"""
    )
    for table, (owner, rights) in _OWNED.items():
        own_rows(table, owner, rights=rights)
    for table in _SYSTEM:
        system_rows(table)
    # Supabase shows tables of this schema to the world, by its REST API, unless they have this.
    op.execute("ALTER TABLE alembic_version ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY read_version ON alembic_version TO {SYSTEM_ROLE} USING (true)")
    op.execute(f"GRANT SELECT ON alembic_version TO {SYSTEM_ROLE}")


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(f"REVOKE SELECT ON alembic_version FROM {SYSTEM_ROLE}")
    op.execute("DROP POLICY read_version ON alembic_version")
    op.execute("ALTER TABLE alembic_version DISABLE ROW LEVEL SECURITY")
    for table in (*_OWNED, *_SYSTEM):
        open_rows(table)
    op.execute("DROP FUNCTION app_user_id")
