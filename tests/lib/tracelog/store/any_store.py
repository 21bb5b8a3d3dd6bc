"""Stores of every kind, and a row of each table."""

from collections.abc import Callable

from app.lib.tracelog.schema import Row
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.turso_store import TursoStore
from tests.lib.tracelog.rows import api_row

ROW = api_row()
ROW_ID = 1_700_000_000_000_000_000
STEP: Row = (
    ROW_ID,
    "6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f",
    "Item_Update",
    "Validation",
    "FAILED",
    '{"title":"a"}',
    None,
    "ValueError: no",
    "Traceback\n  line\t1",
    1,
    "2026-11-23 04:47:08.123",
)

AnyStore = SQLiteStore | TursoStore
OpenStore = Callable[[], AnyStore]
