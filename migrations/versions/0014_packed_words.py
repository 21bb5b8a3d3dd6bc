"""Packed items are stored with their words, where others have the grams.

Those that are there stay as they are: both are read.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_GRAM = 3
_ROWS_AT_ONCE = 1000

_items = sa.table("items", sa.column("id"), sa.column("search_grams"))


def upgrade() -> None:
    pass


def downgrade() -> None:
    connection, last = op.get_bind(), 0
    some = (
        sa.select(_items)
        .where(_items.c.search_grams.like("|%"), _items.c.id > sa.bindparam("last"))
        .order_by(_items.c.id)
        .limit(_ROWS_AT_ONCE)
    )
    change = (
        sa.update(_items)
        .where(_items.c.id == sa.bindparam("row"))
        .values(search_grams=sa.bindparam("grams"))
    )
    while found := connection.execute(some, {"last": last}).all():
        connection.execute(change, [{"row": row.id, "grams": _cut(row[1])} for row in found])
        last = found[-1].id


def _cut(words: str) -> str:
    return " ".join(
        word[start : start + _GRAM] for word in words.split("|") for start in range(len(word))
    )
