"""Files to be imported, and what has become of them."""

import csv
import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.schema import API_LOGS, TABLES
from app.lib.tracelog.store.store import Store
from app.lib.tracelog.transfer.csv_source import BadRow, CSVSource
from app.lib.tracelog.transfer.load import Loaded, load

TOKYO = ZoneInfo("Asia/Tokyo")
TRACE = "6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"
STEP = {"trace_id": TRACE, "task_name": "AI_Refinement", "step_name": "Fetch_Data"}


class SourceLogger:
    """Writes as the source document's logger does: each row with its own keys and no other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.time = dt.datetime(2026, 11, 23, 9, 0, 0)  # the clock on the wall

    def log(self, table: str, data: Mapping[str, object]) -> Path:
        self.time += dt.timedelta(milliseconds=250)
        shown = self.time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        if "created_at" not in data:
            data = {**data, "created_at": shown}
        path = self.folder / f"{table}.csv"
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(data))
            if is_new:
                writer.writeheader()
            writer.writerow(data)
        return path


def put(
    store: Store, path: Path, *, zone: dt.tzinfo | None = TOKYO, **options: object
) -> tuple[Loaded, list[BadRow]]:
    bad: list[BadRow] = []
    loaded = load(store, CSVSource(path, Redactor(), zone=zone), tell=bad.append, **options)  # type: ignore[arg-type]
    return loaded, bad


def stored(store: Store, table: str = API_LOGS) -> list[dict[str, object]]:
    columns = ", ".join(TABLES[table].column_names)
    found = store.query(f"SELECT {columns} FROM {table} ORDER BY id").dicts()
    return [dict(row) for row in found]


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path
