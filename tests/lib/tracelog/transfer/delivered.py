"""A journal that is delivered and then compared with its store."""

from collections.abc import Callable
from pathlib import Path

from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.schema import Row
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import Store
from app.lib.tracelog.transfer.verify import Verification, verify
from tests.lib.tracelog.rows import API, append

OpenStore = Callable[[], Store]


class Log:
    """A journal of small segments and the store that it is delivered to."""

    def __init__(self, folder: Path, open_store: OpenStore) -> None:
        self.folder = folder
        self.open_store = open_store
        self.store = open_store()
        self.store.migrate()
        self.journal = Journal(folder, API, max_bytes=10_000, fsync="no")

    def write(self, rows: list[Row]) -> list[Row]:
        return [append(self.journal, row) for row in rows]

    def deliver(self) -> None:
        shipper = Shipper(self.folder, self.open_store)
        while shipper.run_once():
            pass
        shipper.stop()

    def verify(self) -> Verification:
        return verify(self.folder, self.store)

    def change(self, sql: str, *args: object) -> None:
        self.store.transact([Statement(sql, args)])  # type: ignore[arg-type]
