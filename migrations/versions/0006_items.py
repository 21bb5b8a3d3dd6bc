"""Items, a text index of them, and where in the list the grams of it occur."""

import sqlalchemy as sa
from alembic import op

from app.acting import SYSTEM_ROLE, USER_ROLE
from app.row_security import own_rows

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Time = sa.DateTime(timezone=True)
_Gram = sa.String(3).with_variant(sa.String(3, collation="C"), "postgresql")


def upgrade() -> None:
    key_type = sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql")
    op.create_table(
        "items",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("owner_id", _Id, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column(
            "due_key",
            sa.Date(),
            sa.Computed("coalesce(due_on, '9999-12-31')", persisted=True),
            nullable=False,
        ),
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
    for columns in (["id"], ["updated_at", "id"], ["title_key", "id"], ["due_key", "id"]):
        _partial_index("items", ["owner_id", "status", *columns], "deleted_at IS NULL")
    _partial_index("items", ["owner_id", "deleted_at"], "deleted_at IS NOT NULL")
    for statement in _TEXT_INDEX[op.get_bind().dialect.name]:
        op.execute(statement)
    own_rows("items", "owner_id")
    op.create_table(
        "item_gram_zones",
        sa.Column("owner_id", _Id, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("gram", _Gram, primary_key=True),
        *(
            sa.Column(order, sa.BigInteger(), nullable=False)
            for order in ("created", "updated", "title", "due")
        ),
    )
    own_rows("item_gram_zones", "owner_id")
    if op.get_bind().dialect.name == "postgresql":
        _make_item_matches()


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _DROP_SQLITE_TEXT_INDEX if sqlite else ():
        op.execute(statement)
    op.drop_table("item_gram_zones")
    op.drop_table("items")
    if not sqlite:
        op.execute("DROP FUNCTION item_matches")
        op.execute("DROP FUNCTION item_search_vector")


def _make_item_matches() -> None:
    schema = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
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


def _partial_index(table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(None, table, columns, sqlite_where=condition, postgresql_where=condition)


# The text index has a text's grams, and two words that say whose item it is, and of which status.
# They begin with a full-width letter, which no normalised text has.
_SQLITE_TEXT = (
    "{0}.search_grams || ' ｏ' || {0}.owner_id || ' ｏ' || {0}.owner_id || 'ｓ' || {0}.status"
)
_SQLITE_ADD = f"""
    INSERT INTO item_search (rowid, grams)
    SELECT new.id, {_SQLITE_TEXT.format("new")} WHERE new.deleted_at IS NULL;
"""
_SQLITE_REMOVE = f"""
    INSERT INTO item_search (item_search, rowid, grams)
    SELECT 'delete', old.id, {_SQLITE_TEXT.format("old")} WHERE old.deleted_at IS NULL;
"""
_CHANGED = " OR ".join(
    f"old.{name} IS NOT new.{name}" for name in ("search_grams", "owner_id", "status", "deleted_at")
)

_TEXT_INDEX = {
    "sqlite": (
        f"""CREATE VIEW item_search_text AS
            SELECT id, {_SQLITE_TEXT.format("items")} AS grams
            FROM items WHERE deleted_at IS NULL""",
        # Prefixes of one and two characters make short queries as quick as long ones. Without
        # positions the index is a third of the size.
        """CREATE VIRTUAL TABLE item_search USING fts5 (
            grams, content = 'item_search_text', content_rowid = 'id', tokenize = 'ascii',
            detail = 'none', prefix = '1 2', columnsize = 0
        )""",
        f"CREATE TRIGGER item_search_insert AFTER INSERT ON items BEGIN {_SQLITE_ADD} END",
        f"CREATE TRIGGER item_search_delete AFTER DELETE ON items BEGIN {_SQLITE_REMOVE} END",
        f"""CREATE TRIGGER item_search_update AFTER UPDATE ON items WHEN {_CHANGED}
            BEGIN {_SQLITE_REMOVE} {_SQLITE_ADD} END""",
    ),
    "postgresql": (
        # The cost keeps the planner from calling it for each row where the index would do.
        """CREATE FUNCTION item_search_vector(owner_id bigint, status smallint, grams text)
            RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10000 AS $$
            BEGIN
                RETURN array_to_tsvector(
                    string_to_array(grams, ' ')
                    || ARRAY['ｏ' || owner_id, 'ｏ' || owner_id || 'ｓ' || status]
                );
            END $$""",
        """CREATE INDEX item_search ON items
            USING gin (item_search_vector(owner_id, status, search_grams))
            WHERE deleted_at IS NULL""",
    ),
}
_DROP_SQLITE_TEXT_INDEX = ("DROP TABLE item_search", "DROP VIEW item_search_text")
