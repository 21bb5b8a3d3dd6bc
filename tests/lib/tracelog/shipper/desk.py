"""Deliveries in steps, for the tests of what they bring."""

import os
from pathlib import Path

from app.lib.tracelog import codec
from app.lib.tracelog.schema import Row
from app.lib.tracelog.shipper.checkpoint import Checkpoint, Counters
from app.lib.tracelog.shipper.delivery import Delivery
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from tests.lib.tracelog.rows import API, stored

LONG_AGO = 1_600_000_000


class Desk:
    """A log folder, a store, and deliveries from the one to the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = SQLiteStore(folder / "trace.db")
        self.store.migrate()

    @property
    def active(self) -> Path:
        return self.folder / "api_logs.csv"

    def write(self, rows: list[Row], *, sealed: bool = False) -> Path:
        """Append rows to the journal; or make a sealed segment of them, last touched long ago."""
        path = self.folder / f"api_logs.{rows[0][0]}.csv" if sealed else self.active
        data = b"" if path.exists() else codec.header(API)
        with path.open("ab") as file:
            file.write(data + b"".join(codec.encode(API, row) for row in rows))
        if sealed:
            os.utime(path, (LONG_AGO, LONG_AGO))
        return path

    def delivery(self, batch_rows: int = 500, batch_bytes: int = 1_000_000) -> Delivery:
        """A new one, as a process has it that has just become the leader."""
        return Delivery(
            self.folder,
            self.store,
            Checkpoint.load(self.folder),
            batch_rows=batch_rows,
            batch_bytes=batch_bytes,
        )

    def deliver(self, delivery: Delivery | None = None) -> Counters:
        delivery = delivery or self.delivery()
        while delivery.step():
            pass
        delivery.save()
        return delivery.checkpoint.counters

    def stored(self) -> list[tuple[object, ...]]:
        return stored(self.store)
