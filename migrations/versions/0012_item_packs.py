"""Items that come together are searched by postings of their own, and not by the text index."""

import sqlalchemy as sa
from alembic import op

from app.row_security import own_rows

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Gram = sa.String(3).with_variant(sa.String(3, collation="C"), "postgresql")

_LIVING = "deleted_at IS NULL"
_INDEXED = "deleted_at IS NULL AND NOT is_packed"


def upgrade() -> None:
    op.create_table(
        "item_packs",
        sa.Column("id", _Id, primary_key=True, autoincrement=False),
        sa.Column("owner_id", _Id, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
    )
    op.create_index(None, "item_packs", ["owner_id", "id"])
    own_rows("item_packs", "owner_id")
    op.create_table(
        "item_postings",
        sa.Column(
            "pack_id",
            _Id,
            sa.ForeignKey("item_packs.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("gram", _Gram, primary_key=True),
        sa.Column("owner_id", _Id, nullable=False),
        sa.Column("places", sa.LargeBinary(), nullable=False),
        # Its rows lie in the order of their key, and so does what is read together.
        sqlite_with_rowid=False,
    )
    own_rows("item_postings", "owner_id")
    _index_only(_INDEXED)


def downgrade() -> None:
    if not _is_sqlite():
        op.execute("DROP INDEX item_search")
    op.execute("UPDATE items SET is_packed = false WHERE is_packed")
    _index_only(_LIVING)
    op.drop_table("item_postings")
    op.drop_table("item_packs")


def _index_only(which: str) -> None:
    """Have the text index hold these items, and whatever reads it look for no others."""
    packed: sa.Column[bool] = sa.Column(
        "is_packed", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    if _is_sqlite():
        for kind in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER item_search_{kind}")
        op.execute("DROP VIEW item_search_text")
        _switch_column(packed, to=which == _INDEXED)
        for statement in _sqlite_index(which):
            op.execute(statement)
        return
    if which == _INDEXED:
        op.execute("DROP INDEX item_search")
    _switch_column(packed, to=which == _INDEXED)
    op.execute(
        f"""CREATE INDEX item_search ON items
        USING gin (item_search_vector(owner_id, status, search_grams)) WHERE {which}"""
    )
    if which == _INDEXED:
        # Reading postings is no faster where they are compressed, and writing them is slower.
        op.execute("ALTER TABLE item_postings ALTER places SET STORAGE EXTERNAL")
    op.execute(_item_matches(which))


def _switch_column(column: sa.Column[bool], *, to: bool) -> None:
    if to:
        op.add_column("items", column)
    else:
        op.drop_column("items", "is_packed")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


# As in 0006, but for `which`.
def _sqlite_index(which: str) -> tuple[str, ...]:
    text = (
        "{0}.search_grams || ' ｏ' || {0}.owner_id || ' ｏ' || {0}.owner_id || 'ｓ' || {0}.status"
    )
    old, new = (
        which.replace("deleted_at", f"{row}.deleted_at").replace("is_packed", f"{row}.is_packed")
        for row in ("old", "new")
    )
    add = f"""INSERT INTO item_search (rowid, grams)
        SELECT new.id, {text.format("new")} WHERE {new};"""
    remove = f"""INSERT INTO item_search (item_search, rowid, grams)
        SELECT 'delete', old.id, {text.format("old")} WHERE {old};"""
    watched = ["search_grams", "owner_id", "status", "deleted_at"]
    if which == _INDEXED:
        watched.append("is_packed")
    changed = " OR ".join(f"old.{name} IS NOT new.{name}" for name in watched)
    return (
        f"""CREATE VIEW item_search_text AS
        SELECT id, {text.format("items")} AS grams FROM items WHERE {which}""",
        f"CREATE TRIGGER item_search_insert AFTER INSERT ON items WHEN {new} BEGIN {add} END",
        f"CREATE TRIGGER item_search_delete AFTER DELETE ON items WHEN {old} BEGIN {remove} END",
        f"""CREATE TRIGGER item_search_update AFTER UPDATE ON items WHEN {changed}
        BEGIN {remove} {add} END""",
    )


def _item_matches(which: str) -> str:
    schema = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
    return f"""CREATE OR REPLACE FUNCTION item_matches(grams tsquery, words text[])
        RETURNS TABLE (id bigint, updated_at timestamptz, title_key varchar, due_key date)
        LANGUAGE plpgsql STABLE SECURITY DEFINER
        SET search_path = {schema}, pg_temp SET plan_cache_mode = force_custom_plan AS $$
        BEGIN
            RETURN QUERY
            SELECT items.id, items.updated_at, items.title_key, items.due_key FROM items
            WHERE {which} AND items.owner_id + 0 = app_user_id()
            AND item_search_vector(items.owner_id, items.status, items.search_grams) @@ grams
            AND NOT EXISTS (
                SELECT FROM unnest(words) AS word WHERE strpos(items.search_grams, word) = 0
            );
        END $$"""
