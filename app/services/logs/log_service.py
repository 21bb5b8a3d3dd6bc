"""Questions to the trace log: which requests there were, and what happened in one trace."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from anyio import to_thread

from app.lib.tracelog.ids import time_of
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Table
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import Cell, StoreSchemaMissing
from app.lib.utils import utc_now
from app.schemas.log import Attempt, Payload, RequestFilter, RequestPage, TraceView
from app.services.logs.csv_rows import FAR_BYTES, NEAR_BYTES, csv_page, csv_rows
from app.services.logs.log_text import payload
from app.services.logs.request_query import SCANNED, RequestQuery, count_statement
from app.services.logs.store_reader import Ask, StoreReader
from app.services.logs.sums import integer
from app.services.logs.trace_assembly import (
    CUT_MARK,
    REQUEST_CHARS,
    STEP_CHARS,
    assemble,
    request_line,
)

MOST_ROWS: Final = {API_LOGS: 50, TASK_PROGRESS_LOGS: 20_000}
"""So many rows of one trace are shown."""

AT_ONCE: Final = 500
"""Of so many rows of steps the values are read with them, of more when somebody opens a step."""

MOST_COMPARED: Final = 2000
"""So many rows of steps are read with their values where all of them are asked for."""

MOST_CHARS: Final = 1_000_000
"""So much of one value is shown at most, when it is asked for alone."""

_DELIVERED_AFTER: Final = timedelta(minutes=1)
_CHARS: Final = {API_LOGS: REQUEST_CHARS, TASK_PROGRESS_LOGS: STEP_CHARS}

_STEP_KEY: Final = ("task_name", "step_name", "execution_order")
# Rows of many steps, without what can be long: how many of their values were cut is counted there.
_OUTLINE_SQL: Final = (
    "SELECT id, task_name, step_name, status, execution_order, created_at,"
    " coalesce(instr(input_data, ?) > 0, 0) + coalesce(instr(output_data, ?) > 0, 0) AS cut"
    " FROM task_progress_logs WHERE trace_id = ? ORDER BY id LIMIT ?"
)

_Rows = dict[int, dict[str, Cell]]


class LogService:
    """Reads the trace log. Its calls raise `StoreError`.

    Before the first delivery, when the store has no tables, the CSV files answer.

    `log_dir` is where this host's CSV files are: what a trace lacks in the store because it has
    only just happened is taken from there.
    """

    def __init__(
        self,
        reader: StoreReader,
        log_dir: Path | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._reader = reader
        self._log_dir = log_dir
        self._clock = clock

    async def requests(self, wanted: RequestFilter, *, routes: bool = False) -> RequestPage:
        """One page of the list, newest first. Of headers and bodies only `routes` are read."""
        try:
            return await self._reader.run(partial(self._page, wanted, routes=routes))
        except StoreSchemaMissing:
            return await self.requests_from_files(wanted)

    async def status_counts(self, wanted: RequestFilter) -> dict[str, int] | None:
        """How many requests of each class there are; None where the sums cannot tell."""
        statement = count_statement(wanted)
        if statement is None:
            return None
        try:
            [row] = await self._reader.run(lambda ask: ask(statement))
        except StoreSchemaMissing:
            return None
        return {f"{digit}xx": integer(row, f"c{digit}") for digit in range(1, 6)}

    async def trace(self, trace_id: str, *, at_once: int = AT_ONCE) -> TraceView | None:
        """All of a trace, an outline where it has many steps; None where nothing is known of it."""
        try:
            return await self._reader.run(partial(self._trace, trace_id, at_once))
        except StoreSchemaMissing:
            return await self.trace_from_files(trace_id)

    async def attempt(self, trace_id: str, first_id: int, last_id: int) -> Attempt | None:
        """One attempt at a step with its values, by its rows' ids; None where there is none."""
        return await self._reader.run(partial(self._attempt, trace_id, first_id, last_id))

    async def value(self, trace_id: str, column: str, row_id: int) -> Payload | None:
        """One value as far as `MOST_CHARS`; None where there is none."""
        return await self._reader.run(partial(self._value, trace_id, column, row_id))

    # --- lists -------------------------------------------------------------------------------

    def _page(self, wanted: RequestFilter, ask: Ask, *, routes: bool = False) -> RequestPage:
        query = RequestQuery(wanted, routes=routes)
        found = [request_line(row) for row in ask(query.page())]
        more = len(found) > wanted.limit
        stopped = None if more or not query.is_bounded else self._stopped(query, ask)
        newer: int | None
        older: int | None
        if query.backwards:
            if not more and stopped is None:
                # The list's start: a full first page is of more use than what is left of it.
                return self._page(wanted.model_copy(update={"before": None}), ask, routes=routes)
            found = found[-wanted.limit :]
            newer = stopped or int(found[0].id)
            older = int(found[-1].id) if found else (wanted.before or 0) + 1
        else:
            found = found[: wanted.limit]
            older = stopped or (int(found[-1].id) if more else None)
            newer = None
            if wanted.after is not None:
                newer = int(found[0].id) if found else wanted.after - 1
        return RequestPage(
            requests=found,
            next_cursor=_text(older),
            previous_cursor=_text(newer),
            searched_to=datetime.fromtimestamp(time_of(stopped), UTC) if stopped else None,
        )

    def _stopped(self, query: RequestQuery, ask: Ask) -> int | None:
        """The id at which the search gave up; None where it saw everything."""
        [row] = ask(query.end())
        last, seen = row.values()
        return last if seen == SCANNED and isinstance(last, int) else None

    # --- without the store -------------------------------------------------------------------

    async def requests_from_files(self, wanted: RequestFilter) -> RequestPage:
        """One page of what this host's CSV files still have; empty where they are not there."""
        if self._log_dir is None:
            return RequestPage(requests=[])
        return await to_thread.run_sync(csv_page, self._log_dir, wanted)

    async def trace_from_files(self, trace_id: str) -> TraceView | None:
        """The same of a trace."""
        work = partial(self._put_together, trace_id, {}, FAR_BYTES)
        return await to_thread.run_sync(work)

    # --- traces ------------------------------------------------------------------------------

    def _trace(self, trace_id: str, at_once: int, ask: Ask) -> TraceView | None:
        def read(name: str, most: int) -> _Rows:
            statement = _trace_statement(TABLES[name], trace_id, most + 1)
            return {_id(row): row for row in ask(statement)}

        most = MOST_ROWS[TASK_PROGRESS_LOGS]
        steps = read(TASK_PROGRESS_LOGS, min(at_once, most))
        is_outline = len(steps) > at_once
        if is_outline:
            statement = Statement(_OUTLINE_SQL, (CUT_MARK, CUT_MARK, trace_id, most + 1))
            steps = {_id(row): row for row in ask(statement)}
        rows = {API_LOGS: read(API_LOGS, MOST_ROWS[API_LOGS]), TASK_PROGRESS_LOGS: steps}
        newest = max((row_id for found in rows.values() for row_id in found), default=0)
        age = self._clock() - datetime.fromtimestamp(time_of(newest), UTC)
        near = not rows[API_LOGS] or age < _DELIVERED_AFTER
        csv_bytes = NEAR_BYTES if near else 0
        return self._put_together(trace_id, rows, csv_bytes, is_outline=is_outline)

    def _put_together(
        self, trace_id: str, rows: dict[str, _Rows], csv_bytes: int, *, is_outline: bool = False
    ) -> TraceView | None:
        """The trace out of what the store has, and of so many bytes of each CSV file."""
        undelivered = 0
        if csv_bytes:
            for name in MOST_ROWS:
                found = rows.get(name, {})
                journal = {
                    _id(row): row for row in self._journal(TABLES[name], trace_id, csv_bytes)
                }
                undelivered += len(journal.keys() - found.keys())
                rows[name] = journal | found
        if not any(rows.values()):
            return None
        shown = {name: sorted(found.items())[: MOST_ROWS[name]] for name, found in rows.items()}
        truncated = any(len(found) > MOST_ROWS[name] for name, found in rows.items())
        requests, steps = ([row for _, row in shown[name]] for name in MOST_ROWS)
        return assemble(
            trace_id,
            requests,
            steps,
            self._clock(),
            undelivered=undelivered,
            truncated=truncated,
            is_outline=is_outline,
        )

    def _attempt(self, trace_id: str, first_id: int, last_id: int, ask: Ask) -> Attempt | None:
        table = TABLES[TASK_PROGRESS_LOGS]
        found = {_id(r): r for r in ask(_rows_statement(table, trace_id, first_id, last_id))}
        if not {first_id, last_id} <= found.keys():
            journal = {_id(row): row for row in self._journal(table, trace_id, NEAR_BYTES)}
            found |= {key: row for key, row in journal.items() if first_id <= key <= last_id}
        if (first := found.get(first_id)) is None:
            return None
        step = [first[name] for name in _STEP_KEY]
        rows = [row for _, row in sorted(found.items()) if [row[n] for n in _STEP_KEY] == step]
        [task, *_] = assemble(trace_id, [], rows, self._clock()).tasks
        return task.steps[0].attempts[0]

    def _value(self, trace_id: str, column: str, row_id: int, ask: Ask) -> Payload | None:
        [table] = [table for table in TABLES.values() if column in table.column_names]
        statement = Statement(
            f"SELECT substr({column}, 1, {MOST_CHARS + 1}) AS {column}"  # noqa: S608 # a column's name
            f" FROM {table.name} WHERE id = ? AND trace_id = ?",
            (row_id, trace_id),
        )
        found = ask(statement)
        journal = () if found else self._journal(table, trace_id, NEAR_BYTES)
        rows = found or [row for row in journal if _id(row) == row_id]
        return payload(rows[0][column], MOST_CHARS, column, row_id) if rows else None

    def _journal(self, table: Table, trace_id: str, max_bytes: int) -> Iterator[dict[str, Cell]]:
        """The trace's rows in the newest part of this host's CSV files."""
        if self._log_dir is None:
            return
        for row in csv_rows(self._log_dir, table, max_bytes=max_bytes):
            if row["trace_id"] == trace_id:
                yield row


def _selected(table: Table) -> str:
    long = f"substr({{0}}, 1, {_CHARS[table.name] + 1}) AS {{0}}"
    columns = [long.format(c.name) if c.kind == "json" else c.name for c in table.columns]
    return f"SELECT {', '.join(columns)} FROM {table.name} WHERE trace_id = ?"  # noqa: S608 # names out of the schema


def _trace_statement(table: Table, trace_id: str, rows: int) -> Statement:
    return Statement(f"{_selected(table)} ORDER BY id LIMIT ?", (trace_id, rows))


def _rows_statement(table: Table, trace_id: str, first_id: int, last_id: int) -> Statement:
    sql = f"{_selected(table)} AND id >= ? AND id <= ? ORDER BY id LIMIT ?"
    return Statement(sql, (trace_id, first_id, last_id, MOST_ROWS[table.name]))


def _id(row: dict[str, Cell]) -> int:
    row_id = row["id"]
    return row_id if isinstance(row_id, int) else 0


def _text(cursor: int | None) -> str | None:
    return None if cursor is None else str(cursor)
