"""Questions to the trace log: which requests there were, and what happened in one trace."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Final

from anyio import to_thread

from app.lib.tracelog.ids import time_of
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Table
from app.lib.tracelog.store.store import Cell, StoreSchemaMissing
from app.lib.utils import utc_now
from app.schemas.log import Attempt, Payload, RequestFilter, RequestPage, TraceView
from app.services.logs.csv_rows import FAR_BYTES, NEAR_BYTES, csv_page, csv_trace
from app.services.logs.log_rows import LogRow, StepRow, id_of, step_row
from app.services.logs.log_text import payload
from app.services.logs.request_query import SCANNED, RequestQuery, count_statement
from app.services.logs.store_reader import Ask, StoreReader
from app.services.logs.sums import integer
from app.services.logs.trace_assembly import assemble, request_line
from app.services.logs.trace_query import (
    MOST_CHARS,
    MOST_ROWS,
    outline,
    rows_statement,
    trace_statement,
    value_statement,
)

AT_ONCE: Final = 500
"""Of so many rows of steps the values are read with them, of more when somebody opens a step."""

MOST_COMPARED: Final = 2000
"""So many rows of steps are read with their values where all of them are asked for."""

_DELIVERED_AFTER: Final = timedelta(minutes=1)
_TABLES: Final = (TABLES[API_LOGS], TABLES[TASK_PROGRESS_LOGS])

_Requests = dict[int, LogRow]
_Steps = dict[int, StepRow]


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
        work = partial(self._put_together, trace_id, {}, {}, FAR_BYTES)
        return await to_thread.run_sync(work)

    # --- traces ------------------------------------------------------------------------------

    def _trace(self, trace_id: str, at_once: int, ask: Ask) -> TraceView | None:
        most = MOST_ROWS[TASK_PROGRESS_LOGS]
        api, tasks = _TABLES
        found = ask(trace_statement(tasks, trace_id, min(at_once, most) + 1))
        is_outline = len(found) > at_once
        rows = outline(ask, trace_id, most + 1) if is_outline else map(step_row, found)
        steps = {row.id: row for row in rows}
        statement = trace_statement(api, trace_id, MOST_ROWS[API_LOGS] + 1)
        requests: _Requests = {id_of(row): row for row in ask(statement)}
        newest = max((*requests, *steps), default=0)
        age = self._clock() - datetime.fromtimestamp(time_of(newest), UTC)
        near = not requests or age < _DELIVERED_AFTER
        csv_bytes = NEAR_BYTES if near else 0
        return self._put_together(trace_id, requests, steps, csv_bytes, is_outline=is_outline)

    def _put_together(
        self,
        trace_id: str,
        requests: _Requests,
        steps: _Steps,
        csv_bytes: int,
        *,
        is_outline: bool = False,
    ) -> TraceView | None:
        """The trace out of what the store has, and of so many bytes of each CSV file."""
        undelivered = 0
        if csv_bytes:
            api, tasks = (self._journal(table, trace_id, csv_bytes) for table in _TABLES)
            more = {id_of(row): row for row in api if id_of(row) not in requests}
            more_steps = {id_of(row): step_row(row) for row in tasks if id_of(row) not in steps}
            undelivered = len(more) + len(more_steps)
            requests, steps = more | requests, more_steps | steps
        if not requests and not steps:
            return None
        most = [MOST_ROWS[table.name] for table in _TABLES]
        return assemble(
            trace_id,
            [row for _, row in sorted(requests.items())][: most[0]],
            sorted(steps.values(), key=attrgetter("id"))[: most[1]],
            self._clock(),
            undelivered=undelivered,
            truncated=len(requests) > most[0] or len(steps) > most[1],
            is_outline=is_outline,
        )

    def _attempt(self, trace_id: str, first_id: int, last_id: int, ask: Ask) -> Attempt | None:
        table = TABLES[TASK_PROGRESS_LOGS]
        found = {id_of(r): r for r in ask(rows_statement(table, trace_id, first_id, last_id))}
        if not {first_id, last_id} <= found.keys():
            journal = {id_of(row): row for row in self._journal(table, trace_id, NEAR_BYTES)}
            found |= {key: row for key, row in journal.items() if first_id <= key <= last_id}
        rows = [step_row(row) for _, row in sorted(found.items())]
        if not rows or rows[0].id != first_id:
            return None
        step = rows[0].key
        [task, *_] = assemble(trace_id, [], [r for r in rows if r.key == step], self._clock()).tasks
        return task.steps[0].attempts[0]

    def _value(self, trace_id: str, column: str, row_id: int, ask: Ask) -> Payload | None:
        [table] = [table for table in _TABLES if column in table.column_names]
        found = ask(value_statement(table, trace_id, column, row_id))
        journal = () if found else self._journal(table, trace_id, NEAR_BYTES)
        rows = found or [row for row in journal if id_of(row) == row_id]
        return payload(rows[0][column], MOST_CHARS, column, row_id) if rows else None

    def _journal(self, table: Table, trace_id: str, max_bytes: int) -> Iterator[dict[str, Cell]]:
        """The trace's rows in the newest part of this host's CSV files."""
        if self._log_dir is not None:
            yield from csv_trace(self._log_dir, table, trace_id, max_bytes=max_bytes)


def _text(cursor: int | None) -> str | None:
    return None if cursor is None else str(cursor)
