"""Rows and segments of any age, for the tests of what is deleted."""

import itertools
import os
from pathlib import Path

from app.lib.tracelog import codec, ids
from app.lib.tracelog.journal.tally import Tally
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Row
from app.lib.tracelog.shipper.accounting import Accountant
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, Store
from app.lib.tracelog.upkeep.retention import DAY, Rules
from tests.lib.tracelog.rows import API, STEPS

NOW = 1_795_000_000.0
EVERYTHING = Rules(0, 0, 0, 0)
_numbers = itertools.count()


def request(days: float, status: int | None = 200, trace: str = "", size: int = 1) -> Row:
    """A request of so many days ago, in a trace of its own unless told."""
    at = NOW - days * DAY
    row_id = ids.first_at(at) + next(_numbers) % 4096
    data = {
        "method": "GET",
        "endpoint": "/",
        "response_status": status,
        "response_body": "x" * size,
    }
    return make_row(API, data, row_id=row_id, trace_id=trace or f"trace {row_id}", now=at)


def step(days: float, status: str, trace: str) -> Row:
    at = NOW - days * DAY
    data = {"task_name": "T", "step_name": "S", "status": status}
    return make_row(STEPS, data, row_id=ids.first_at(at), trace_id=trace, now=at)


def fill(store: Store, requests: list[Row], steps: list[Row] | None = None) -> None:
    store.insert(Batch({API_LOGS: requests, TASK_PROGRESS_LOGS: steps or []}))


def left(store: Store, table: str = API_LOGS) -> list[object]:
    return [row[0] for row in store.query(f"SELECT id FROM {table} ORDER BY id").rows]


class Folder:
    """A log folder whose segments a test lays out; each has ten rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = SQLiteStore(path / "trace.db")
        self.tally = Tally(path)
        self.sizes: list[int] = []

    def seal(self, days: float = 1.0, table: str = API_LOGS) -> Path:
        rows = [
            request(days - n / 1e6) if table == API_LOGS else step(days - n / 1e6, "START", "t")
            for n in range(10)
        ]
        path = self.path / f"{table}.{rows[0][0]}.csv"
        lines = [codec.encode(TABLES[table], row) for row in rows]
        path.write_bytes(codec.header(TABLES[table]) + b"".join(lines))
        os.utime(path, (NOW - days * DAY, NOW - days * DAY))
        self.tally.add(appended=10)
        self.sizes.append(path.stat().st_size)
        return path

    def deliver(self) -> Checkpoint:
        shipper = Shipper(self.path, lambda: SQLiteStore(self.path / "trace.db"))
        while shipper.run_once():
            pass
        shipper.stop()
        return Checkpoint.load(self.path)

    def numbers(self) -> tuple[int, int, int, int]:
        """shipped, pending, dropped, unaccounted."""
        account = Accountant(self.path, self.tally).account()
        return account.shipped, account.pending, account.dropped, account.unaccounted

    def files(self) -> set[Path]:
        return set(self.path.glob("*.csv"))


def room_for(folder: Folder, files: float) -> Rules:
    return Rules(14, 90, 0, int(max(folder.sizes) * files))
