"""What of the sums goes with the rows that retention has deleted, and what outlives them.

Minutes go as far as ordinary rows are gone, hours as far as all rows are: they are small, and show
what was normal when a failure of long ago is looked at. A group of failures stays while it has
hits, and for ever where somebody has ignored it or left a note.
"""

# Only names out of `tables.py` are put into SQL text.
# ruff: noqa: S608

from collections.abc import Iterator
from typing import Final

from app.lib.tracelog import ids
from app.lib.tracelog.rollup.tables import (
    ERROR_HITS,
    ERROR_SUMS,
    ERRORS,
    OPEN_STEPS,
    REQUEST_SUMS,
    RUN_SUMS,
    RUNS,
    STEP_SUMS,
)
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import Store

_ROWS: Final = 2000
"""So many rows of one table are deleted in a transaction."""

_MICROSECONDS: Final = 1_000_000


def trim(store: Store, normal_to: int, all_to: int) -> Iterator[int]:
    """Delete what is older than these ids, a transaction at each step. Raises `StoreError`."""
    normal, everything = int(ids.time_of(normal_to)), int(ids.time_of(all_to))
    doomed: list[tuple[str, str, tuple[int, ...]]] = [
        (table, f"seconds {sign} 60 AND start < ?", (before,))
        for table in (REQUEST_SUMS, STEP_SUMS)
        for sign, before in (("=", normal), (">", everything))
    ]
    doomed += [
        (OPEN_STEPS, "began < ?", (normal * _MICROSECONDS,)),
        (RUNS, f"{_EACH_TASK} AND first_id <= ? AND status <> 'FAILED'", (normal_to,)),
        (RUNS, f"{_EACH_TASK} AND first_id <= ?", (all_to,)),
        (RUN_SUMS, "start < ?", (everything,)),
        (ERROR_SUMS, "start < ?", (everything,)),
        (ERROR_HITS, "id <= ?", (all_to,)),
        (ERRORS, "last_id <= ? AND state <> 'ignored' AND note = ''", (all_to,)),
    ]
    for table, condition, args in doomed:
        found = f"SELECT rowid FROM {table} WHERE {condition} LIMIT {_ROWS}"
        while rows := store.query(f"SELECT count(*) FROM ({found})", args).rows[0][0]:
            store.transact([Statement(f"DELETE FROM {table} WHERE rowid IN ({found})", args)])
            yield rows if isinstance(rows, int) else 0


# The index of runs begins with the task.
_EACH_TASK: Final = f"task IN (SELECT DISTINCT task FROM {RUNS})"
