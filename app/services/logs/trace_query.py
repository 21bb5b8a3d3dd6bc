"""The SQL of single traces."""

from operator import itemgetter
from typing import Final

import orjson

from app.lib.tracelog.schema import API_LOGS, TASK_PROGRESS_LOGS, Table
from app.lib.tracelog.store.sql import Statement
from app.services.logs.log_rows import CUT_MARK, StepRow
from app.services.logs.step_assembly import STEP_CHARS
from app.services.logs.store_reader import Ask
from app.services.logs.trace_assembly import REQUEST_CHARS

MOST_ROWS: Final = {API_LOGS: 50, TASK_PROGRESS_LOGS: 20_000}
"""So many rows of one trace are shown."""

MOST_CHARS: Final = 1_000_000
"""So much of one value is shown at most, when it is asked for alone."""

_CHARS: Final = {API_LOGS: REQUEST_CHARS, TASK_PROGRESS_LOGS: STEP_CHARS}

_AT_ONCE: Final = 12_000
"""So many rows of an outline come as one value, of which servers give 5 MB."""

# Rows of many steps, without what can be long: how many of their values were cut is counted there.
# As one JSON text they cost a fifth of what their cells cost, one by one, on a server.
_OUTLINE: Final = (
    "SELECT json_group_array(json_array(id, CAST(task_name AS TEXT), CAST(step_name AS TEXT),"
    " CAST(status AS TEXT), CAST(coalesce(execution_order, 0) AS INTEGER),"
    " CAST(created_at AS TEXT), cut, NULL)) AS step_rows"
    " FROM (SELECT id, task_name, step_name, status, execution_order, created_at,"
    " coalesce(instr(input_data, ?) > 0, 0) + coalesce(instr(output_data, ?) > 0, 0) AS cut"
    " FROM task_progress_logs WHERE trace_id = ? AND id > ? ORDER BY id LIMIT ?)"
)


def trace_statement(table: Table, trace_id: str, rows: int) -> Statement:
    """Rows of a trace with their values, each as far as it is shown."""
    return Statement(f"{_selected(table)} ORDER BY id LIMIT ?", (trace_id, rows))


def rows_statement(table: Table, trace_id: str, first_id: int, last_id: int) -> Statement:
    """The same of the rows between two of them."""
    sql = f"{_selected(table)} AND id >= ? AND id <= ? ORDER BY id LIMIT ?"
    return Statement(sql, (trace_id, first_id, last_id, MOST_ROWS[table.name]))


def value_statement(table: Table, trace_id: str, column: str, row_id: int) -> Statement:
    """One value as far as `MOST_CHARS`, and a character more where it is longer."""
    return Statement(
        f"SELECT substr({column}, 1, {MOST_CHARS + 1}) AS {column}"  # noqa: S608 # a column's name
        f" FROM {table.name} WHERE id = ? AND trace_id = ?",
        (row_id, trace_id),
    )


def outline(ask: Ask, trace_id: str, most: int) -> list[StepRow]:
    """The first rows of a trace's steps without their values, in the order of their ids."""
    rows: list[StepRow] = []
    while len(rows) < most:
        last = rows[-1].id if rows else 0
        wanted = min(_AT_ONCE, most - len(rows))
        [found] = ask(Statement(_OUTLINE, (CUT_MARK, CUT_MARK, trace_id, last, wanted)))
        more = list(map(StepRow._make, orjson.loads(str(found["step_rows"]))))
        more.sort(key=itemgetter(0))
        rows += more
        if len(more) < wanted:
            break
    return rows


def _selected(table: Table) -> str:
    long = f"substr({{0}}, 1, {_CHARS[table.name] + 1}) AS {{0}}"
    columns = [long.format(c.name) if c.kind == "json" else c.name for c in table.columns]
    return f"SELECT {', '.join(columns)} FROM {table.name} WHERE trace_id = ?"  # noqa: S608 # names out of the schema
