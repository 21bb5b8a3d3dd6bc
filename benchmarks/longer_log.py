"""Makes a made-up log longer by SQL: all of it again, and again, before it began."""

import sqlite3
from pathlib import Path
from typing import Final

from app.lib.tracelog import ids
from app.lib.tracelog.rollup import tables as rollup
from app.lib.tracelog.schema import TABLES
from benchmarks.made_up_log import DAYS

_SECONDS: Final = DAYS * 86_400
_IDS: Final = _SECONDS * 1_000_000 << ids.NODE_BITS

_SHIFTED: Final = {
    "id": "id - :n * :ids",
    "first_id": "first_id - :n * :ids",
    "last_id": "last_id - :n * :ids",
    "start": "start - :n * :seconds",
    "trace_id": "printf('%08x', :n) || substr(trace_id, 9)",
    "created_at": f"strftime('%Y-%m-%d %H:%M:%f', created_at, (:n * -{DAYS}) || ' days')",
}
_TABLES: Final = (
    *TABLES,
    rollup.REQUEST_SUMS,
    rollup.STEP_SUMS,
    rollup.RUNS,
    rollup.RUN_SUMS,
    rollup.ERROR_SUMS,
    rollup.ERROR_HITS,
)


def repeat_before(path: Path, times: int) -> None:
    """Put the log of a SQLite file into it `times` times more, each one before the last."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    for name in _TABLES:
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({name})")]
        selected = ", ".join(_SHIFTED.get(column, column) for column in columns)
        # Copies have lower ids, or where a table has none of its own, higher row ids.
        ends, first = ("min(id)", "id >=") if "id" in columns else ("max(rowid)", "rowid <=")
        [[end]] = database.execute(f"SELECT {ends} FROM {name}")
        for n in range(1, times + 1):
            # Where two of them meet in an hour, the sums of the later one stay.
            database.execute(
                f"INSERT OR IGNORE INTO {name} ({', '.join(columns)})"
                f" SELECT {selected} FROM {name} WHERE {first} :end",
                {"n": n, "ids": _IDS, "seconds": _SECONDS, "end": end},
            )
    database.close()
