"""On PostgreSQL, room beside the zones of grams, which change in place.

Each new zone of ids changes the rows of all grams. Where the page has room for another version of a
row, none of its indexes has to know.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE item_gram_zones SET (fillfactor = 50)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE item_gram_zones RESET (fillfactor)")
