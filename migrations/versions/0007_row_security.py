"""Row-level security: on PostgreSQL, a transaction sees the rows of the user it acts for."""

import sqlalchemy as sa
from alembic import op

from app.acting import SYSTEM_ROLE, USER_ROLE
from app.row_security import ALL_RIGHTS, make_roles, open_rows, own_rows, part_rows, system_rows

revision = "0007"
down_revision = "0006"
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
    "items": ("owner_id", ALL_RIGHTS),
    "item_gram_zones": ("owner_id", ALL_RIGHTS),
    "jobs": ("user_id", ALL_RIGHTS),
}
_SYSTEM = ("rate_limits", "job_workers", "dropped_pictures")


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
    part_rows("pictures", "item_id", "items")
    for table in _SYSTEM:
        system_rows(table)
    schema = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
    # The trigger's own work: whoever deletes a picture sees nothing of that table.
    op.execute(
        "ALTER FUNCTION note_dropped_picture() SECURITY DEFINER "
        f"SET search_path = {schema}, pg_temp"
    )
    # The operator @@ might tell of rows that it is shown, so with row-level security PostgreSQL
    # asks the text index for nothing. This looks past it, and does the filtering itself. "+ 0": it
    # shall not read all items of the owner instead.
    op.execute(
        f"""CREATE FUNCTION item_matches(grams tsquery, words text[])
            RETURNS TABLE (id bigint, updated_at timestamptz, title_key varchar, due_key date)
            LANGUAGE plpgsql STABLE SECURITY DEFINER
            SET search_path = {schema}, pg_temp SET plan_cache_mode = force_custom_plan AS $$
            BEGIN
                RETURN QUERY
                SELECT items.id, items.updated_at, items.title_key, items.due_key FROM items
                WHERE items.deleted_at IS NULL AND items.owner_id + 0 = app_user_id()
                AND item_search_vector(items.owner_id, items.status, items.search_grams) @@ grams
                AND NOT EXISTS (
                    SELECT FROM unnest(words) AS word WHERE strpos(items.search_grams, word) = 0
                );
            END $$"""
    )
    op.execute("REVOKE EXECUTE ON FUNCTION item_matches FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION item_matches TO {USER_ROLE}, {SYSTEM_ROLE}")
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
    op.execute("DROP FUNCTION item_matches")
    op.execute("ALTER FUNCTION note_dropped_picture() RESET ALL SECURITY INVOKER")
    for table in (*_OWNED, "pictures", *_SYSTEM):
        open_rows(table)
    op.execute("DROP FUNCTION app_user_id")
