"""A store with a taste of its own."""

from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, Inserted, RowRejected


class PickyStore(SQLiteStore):
    """Takes no row with `poison` in it, and counts how often it was asked."""

    calls = 0

    def insert(self, batch: Batch) -> Inserted:
        self.calls += 1
        if any("poison" in str(row) for rows in batch.rows.values() for row in rows):
            raise RowRejected("poison")
        return super().insert(batch)
