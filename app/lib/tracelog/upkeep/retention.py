"""How long rows stay in the store, and how much of it they may fill.

Rows are deleted oldest first, some hundred in a transaction, by whoever delivers. The rows of a
trace that failed (a status of 500 or above, a FAILED step) stay together, for longer than others.
The store remembers what was deleted, so that any number of hosts may share it, and so that
comparing it with a journal can tell a deleted row from a lost one.
"""

# Only names out of the schema are put into SQL text.
# ruff: noqa: S608

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import orjson

from app.lib.tracelog import ids
from app.lib.tracelog.rollup import trimming
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Value
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import Store, StoreSchemaMissing

DAY: Final = 86_400.0
RUN_SECONDS: Final = 3600.0
"""Rows are looked through at most so often, by all hosts together."""

YOUNG_SECONDS: Final = 3600.0
"""Rows younger than this are not deleted for the store's size."""

_WHOLE_SECONDS: Final = DAY
_FLOOR: Final = ids.MIN_ID - 1
"""Rows with smaller ids were not made by this logger, and their age cannot be told from them."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is kept: days for rows, days for the rows of failed traces, and most bytes.

    `store_bytes` is the whole database's, with whatever else is in it; `folder_bytes` the log
    folder's CSV files and quarantine. 0 is no limit.
    """

    days: int = 14
    error_days: int = 90
    store_bytes: int = 2 << 30
    folder_bytes: int = 1 << 30


@dataclass(frozen=True, slots=True)
class Horizon:
    """Up to the id `normal_to` rows of traces without failure were deleted, to `all_to` all."""

    normal_to: int = 0
    all_to: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """One step of the way from the oldest row to `end`: `rows` were deleted up to `position`."""

    rows: int
    position: int
    end: int


class Retention:
    """Applies `rules` to a store. `clock` is Unix time."""

    def __init__(
        self,
        store: Store,
        rules: Rules,
        *,
        chunk_rows: int = 500,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._rules = rules
        self._chunk_rows = chunk_rows
        self._clock = clock
        self.too_large = False
        """Whether the last run left the store larger than it may be, since all rows are young."""

    def is_due(self) -> bool:
        """Whether nobody has looked through the rows for `RUN_SECONDS`. Raises `StoreError`."""
        # A clock that was ahead for a moment has left a time that may not come for years.
        return abs(self._clock() - self._state().started_at) >= RUN_SECONDS

    def run(self, *, whole: bool = False) -> Iterator[Chunk]:
        """Delete what is too old or too much, a chunk at each step of the iteration.

        It begins where an earlier run has stopped, once a day and if `whole` with the oldest row:
        rows that were delivered late are found then. Raises `StoreError`.
        """
        now, state, rules = self._clock(), self._state(), self._rules
        whole = whole or abs(now - state.whole_at) >= _WHOLE_SECONDS
        self._store.transact([_started(now, whole=whole)])
        if rules.error_days:
            too_old = ids.first_at(now - max(rules.error_days, rules.days) * DAY)
            yield from self._walk(_FLOOR, too_old, everything=True)
        if rules.days:
            start = _FLOOR if whole else max(state.normal_to, _FLOOR)
            yield from self._walk(start, ids.first_at(now - rules.days * DAY), everything=False)
        self.too_large = False
        if rules.store_bytes:
            yield from self._shrink(ids.first_at(now - YOUNG_SECONDS))
        state = self._state()
        for _ in trimming.trim(self._store, state.normal_to, state.all_to):
            yield Chunk(0, state.normal_to, state.normal_to)

    def _state(self) -> "_State":
        try:
            return _state(self._store)
        except StoreSchemaMissing:
            self._store.migrate()
            return _state(self._store)

    def _shrink(self, end: int) -> Iterator[Chunk]:
        start = max(_state(self._store).normal_to, _FLOOR)
        for walk in (
            self._walk(start, end, everything=False),
            self._walk(_FLOOR, end, everything=True),
        ):
            while used_bytes(self._store) > self._rules.store_bytes:
                if (chunk := next(walk, None)) is None:
                    break
                yield chunk
            else:
                return
        self.too_large = True

    def _walk(self, position: int, end: int, *, everything: bool) -> Iterator[Chunk]:
        """Go through the rows after `position` and before `end`."""
        while True:
            found = self._store.query(*_next_rows(position, end, self._chunk_rows)).rows
            if not any(count for count, _ in found):
                return
            full = [int(last) for count, last in found if count == self._chunk_rows and last]
            last = min(full, default=end - 1)
            yield Chunk(self._delete(position, last, everything=everything), last, end)
            position = last

    def _delete(self, after: int, to: int, *, everything: bool) -> int:
        failed = [] if everything else self._failed(after, to)
        arguments = (after, to, orjson.dumps(failed).decode())
        [counts] = self._store.query(_COUNT_SQL, arguments * 2).rows
        rows = sum(count for count in counts if isinstance(count, int))
        statements = [Statement(sql, arguments) for sql in _DELETE_SQL] if rows else []
        limits = ["normal_to", "all_to"] if everything else ["normal_to"]
        moved = ", ".join(f"{name} = max({name}, ?)" for name in limits)
        update = f"UPDATE tracelog_retention SET {moved} WHERE id = 1"
        self._store.transact([*statements, Statement(update, [to] * len(limits))])
        return rows

    def _failed(self, after: int, to: int) -> list[Value]:
        """Which of the traces of these rows have failed anywhere."""
        rows = self._store.query(_FAILED_SQL, (after, to, after, to)).rows
        return [str(trace_id) for (trace_id,) in rows]


def horizon(store: Store) -> Horizon:
    """What was deleted of a store so far. Raises `StoreError`."""
    try:
        state = _state(store)
    except StoreSchemaMissing:
        return Horizon()
    return Horizon(state.normal_to, state.all_to)


def used_bytes(store: Store) -> int:
    """How much of the store's database is in use. Raises `StoreError`."""
    value = store.query(_SIZE_SQL).rows[0][0]
    return value if isinstance(value, int) else 0


@dataclass(frozen=True, slots=True)
class _State:
    normal_to: int
    all_to: int
    started_at: int
    whole_at: int


def _state(store: Store) -> _State:
    sql = "SELECT normal_to, all_to, started_at, whole_at FROM tracelog_retention WHERE id = 1"
    rows = store.query(sql).rows
    return _State(*(int(value or 0) for value in rows[0])) if rows else _State(0, 0, 0, 0)


def _started(now: float, *, whole: bool) -> Statement:
    columns = ("started_at", "whole_at") if whole else ("started_at",)
    moved = ", ".join(f"{name} = ?" for name in columns)
    sql = f"UPDATE tracelog_retention SET {moved} WHERE id = 1"
    return Statement(sql, [int(now)] * len(columns))


def _next_rows(position: int, end: int, rows: int) -> tuple[str, tuple[int, ...]]:
    """Of each table, how many of the next rows there are and the last one's id."""
    sql = " UNION ALL ".join(
        f"SELECT count(*), max(id) FROM (SELECT id FROM {name}"
        " WHERE id > ? AND id < ? ORDER BY id LIMIT ?)"
        for name in TABLES
    )
    return sql, (position, end, rows) * len(TABLES)


_DOOMED: Final = "id > ? AND id <= ? AND trace_id NOT IN (SELECT value FROM json_each(?))"
_DELETE_SQL: Final = [f"DELETE FROM {name} WHERE {_DOOMED}" for name in TABLES]
_COUNT_SQL: Final = "SELECT " + ", ".join(
    f"(SELECT count(*) FROM {name} WHERE {_DOOMED})" for name in TABLES
)
# Each trace of the chunk is looked up once, however many rows it has. The plus keeps the planner
# from going through all failed requests instead.
_FAILED_SQL: Final = f"""WITH chunk (trace_id) AS MATERIALIZED (
    SELECT trace_id FROM {API_LOGS} WHERE id > ? AND id <= ?
    UNION SELECT trace_id FROM {TASK_PROGRESS_LOGS} WHERE id > ? AND id <= ?
)
SELECT trace_id FROM chunk WHERE EXISTS (
    SELECT 1 FROM {API_LOGS} AS r
    WHERE r.trace_id = chunk.trace_id AND +r.response_status >= 500
) OR EXISTS (
    SELECT 1 FROM {TASK_PROGRESS_LOGS} AS s
    WHERE s.trace_id = chunk.trace_id AND s.status = 'FAILED'
)"""
_SIZE_SQL: Final = """SELECT (p.page_count - f.freelist_count) * s.page_size
FROM pragma_page_count() AS p, pragma_freelist_count() AS f, pragma_page_size() AS s"""
