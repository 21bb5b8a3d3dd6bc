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


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _DROP_SQLITE_TEXT_INDEX if sqlite else ():
        op.execute(statement)
    op.drop_table("items")
    op.drop_table("login_sessions")
    op.drop_table("users")
    if not sqlite:
        op.execute("DROP FUNCTION item_search_vector")


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
