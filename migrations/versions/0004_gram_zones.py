"""Where in the list the grams of items occur: a search reads no other parts of it."""

from datetime import UTC
from itertools import groupby
from operator import attrgetter

import sqlalchemy as sa
from alembic import op

from app.services.item_zones import GatheredZones, zones_of_ids, zones_of_keys

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Gram = sa.String(3).with_variant(sa.String(3, collation="C"), "postgresql")


def upgrade() -> None:
    table = op.create_table(
        "item_gram_zones",
        sa.Column("owner_id", _Id, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("gram", _Gram, primary_key=True),
        *(
            sa.Column(order, sa.BigInteger(), nullable=False)
            for order in ("created", "updated", "title", "due")
        ),
    )
    connection = op.get_bind()
    items = sa.table(
        "items",
        sa.column("id", _Id),
        sa.column("owner_id", _Id),
        sa.column("updated_at", sa.DateTime(timezone=True)),
        sa.column("title_key", sa.String()),
        sa.column("due_key", sa.Date()),
        sa.column("search_grams", sa.String()),
    )
    found = connection.execute(
        sa.select(items).order_by(items.c.owner_id), execution_options={"stream_results": True}
    )
    for owner_id, rows in groupby(found, attrgetter("owner_id")):
        gathered = GatheredZones(owner_id)
        for row in rows:
            # SQLite has no time zones; the app's times are in UTC.
            updated_at = row.updated_at.replace(tzinfo=row.updated_at.tzinfo or UTC)
            zones = zones_of_keys(updated_at, row.title_key, row.due_key)
            gathered.add(row.search_grams, zones | zones_of_ids(row.id, row.id))
        if stored := gathered.rows():
            connection.execute(sa.insert(table), stored)


def downgrade() -> None:
    op.drop_table("item_gram_zones")
