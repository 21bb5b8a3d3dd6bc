"""Rows and journal contents for the tests of this folder."""

from pathlib import Path

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.ids import IdGenerator
from app.lib.tracelog.journal import reader
from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Row, Table
from app.lib.tracelog.store.store import Store

API = TABLES[API_LOGS]
STEPS = TABLES[TASK_PROGRESS_LOGS]
ROW_ID = 1_537_387_947_986_012_629
TRACE_ID = "6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"
NOW = 1_795_000_000.123
_ids = IdGenerator()


def make(table: Table, **data: object) -> Row:
    """The row of `data` that was recorded at `NOW`."""
    return make_row(table, data, row_id=ROW_ID, trace_id=TRACE_ID, now=NOW)


def columns(table: Table, row: Row) -> dict[str, object]:
    """The values of a row by column."""
    return dict(zip(table.column_names, row, strict=True))


def api_row(body: str = "hello", *, row_id: int | None = None, path: str = "/items") -> Row:
    """A row of `api_logs` whose response body is `body`."""
    return make_row(
        API,
        {
            "method": "GET",
            "endpoint": path,
            "request_header": {"accept": "text/html, */*"},
            "response_status": 200,
            "response_body": {"text": body},
            "duration_ms": 3,
        },
        row_id=row_id or _ids.next(),
        trace_id="6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f",
        now=1_795_000_000.0,
    )


def api_rows(count: int) -> list[Row]:
    """So many that can be told apart."""
    return [api_row(f"row {n}") for n in range(count)]


def append(journal: Journal, row: Row) -> Row:
    """Append it to a journal of `api_logs`."""
    assert isinstance(row[0], int)
    journal.append(codec.encode(API, row), row[0])
    return row


def stored(store: Store, table: str = API_LOGS) -> list[tuple[object, ...]]:
    """The rows of a table, by id."""
    columns = ", ".join(TABLES[table].column_names)
    return [tuple(row) for row in store.query(f"SELECT {columns} FROM {table} ORDER BY id").rows]


def count(store: Store) -> object:
    """How many rows `api_logs` has."""
    return store.query("SELECT count(*) FROM api_logs").rows[0][0]


def rows_of_appends(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each append to a journal has, from now on."""
    rows: list[int] = []
    real = Journal.append

    def append(journal: Journal, lines: bytes, row_id: int) -> None:
        rows.append(lines.count(b"\n"))
        real(journal, lines, row_id)

    monkeypatch.setattr(Journal, "append", append)
    return rows


def read_all(log_dir: Path, table: Table = API) -> tuple[list[Row], list[reader.BadSpan]]:
    """All rows and all damage of a table's journal, read in small steps."""
    rows: list[Row] = []
    bad: list[reader.BadSpan] = []
    for segment in reader.list_segments(log_dir, table):
        offset = 0
        while True:
            chunk = reader.read(segment.path, table, offset, max_rows=7, max_bytes=3_000)
            rows += chunk.rows
            bad += chunk.bad
            if chunk.next_offset == offset:
                break
            offset = chunk.next_offset
    return rows, bad
