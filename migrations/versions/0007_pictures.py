"""Pictures of items; whatever deletes a picture's row leaves its key behind for its files."""

import sqlalchemy as sa
from alembic import op

from app.row_security import part_rows, system_rows

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "pictures",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("item_id", _Id, sa.ForeignKey("items.id", ondelete="CASCADE"), nullable=False),
        sa.Column("key", sa.String(32), nullable=False, unique=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("alt", sa.String(300), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("problem", sa.JSON()),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('waiting', 'ready', 'failed')", name="status"),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "pictures", ["item_id", "position", "id"])
    part_rows("pictures", "item_id", "items")
    op.create_table("dropped_pictures", sa.Column("key", sa.String(32), primary_key=True))
    system_rows("dropped_pictures")
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER picture_dropped AFTER DELETE ON pictures"
            " BEGIN INSERT INTO dropped_pictures (key) VALUES (OLD.key); END"
        )
        return
    schema = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
    # The trigger's own work: whoever deletes a picture sees nothing of that table.
    op.execute(
        "CREATE FUNCTION note_dropped_picture() RETURNS trigger LANGUAGE plpgsql"
        f" SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$"
        " BEGIN INSERT INTO dropped_pictures (key) VALUES (OLD.key); RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER picture_dropped AFTER DELETE ON pictures"
        " FOR EACH ROW EXECUTE FUNCTION note_dropped_picture()"
    )


def downgrade() -> None:
    op.drop_table("pictures")
    op.drop_table("dropped_pictures")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION note_dropped_picture()")
