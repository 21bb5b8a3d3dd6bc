"""What every store does, asked of all of them: a SQLite file, sqld with tokens, and tursodb."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.lib.tracelog.rollup.tables import REQUEST_SUMS
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Row
from app.lib.tracelog.store.migrations import MIGRATIONS
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import (
    Batch,
    Inserted,
    QueryFailed,
    RowRejected,
    Store,
    StoreError,
    StoreRefused,
    StoreSchemaMissing,
    StoreUnavailable,
)
from app.lib.tracelog.store.turso_store import TursoStore
from tests.lib.tracelog.rows import api_row
from tests.support.turso import TursoServer

SEED_TABLES = """CREATE TABLE api_logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, trace_id TEXT NOT NULL, method TEXT NOT NULL,
    endpoint TEXT NOT NULL, request_header TEXT, request_body TEXT, response_status INTEGER,
    response_body TEXT, duration_ms INTEGER, ip_address TEXT, user_id INTEGER,
    created_at DATETIME DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW'))
);CREATE INDEX idx_api_logs_trace_id ON api_logs(trace_id)
;CREATE INDEX idx_api_logs_created_at ON api_logs(created_at)
;CREATE INDEX idx_api_logs_status ON api_logs(response_status)
;CREATE TABLE task_progress_logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, trace_id TEXT NOT NULL, task_name TEXT NOT NULL,
    step_name TEXT NOT NULL, status TEXT NOT NULL, input_data TEXT, output_data TEXT,
    error_message TEXT, stack_trace TEXT, execution_order INTEGER DEFAULT 0,
    created_at DATETIME DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW'))
);CREATE INDEX idx_task_progress_trace_id ON task_progress_logs(trace_id)
;CREATE INDEX idx_task_progress_created_at ON task_progress_logs(created_at)"""

VERSIONS = [(migration.version,) for migration in MIGRATIONS]
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

VERSIONS = [(migration.version,) for migration in MIGRATIONS]

AnyStore = SQLiteStore | TursoStore
OpenStore = Callable[[], AnyStore]


@pytest.fixture(params=["sqlite", "sqld", "tursodb"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Opens the same store, which is empty at first, as often as a test likes."""
    opened: list[AnyStore] = []

    def sqlite() -> AnyStore:
        return SQLiteStore(tmp_path / "logs" / "trace.db")

    def turso() -> AnyStore:
        server: TursoServer = request.getfixturevalue(request.param)
        return TursoStore(server.url, server.token)

    def open_one() -> AnyStore:
        opened.append(sqlite() if request.param == "sqlite" else turso())
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: OpenStore) -> AnyStore:
    """A store with its tables."""
    store = open_store()
    store.migrate()
    return store


def stored(store: Store, table: str = API_LOGS) -> list[tuple[object, ...]]:
    columns = ", ".join(TABLES[table].column_names)
    return [tuple(row) for row in store.query(f"SELECT {columns} FROM {table} ORDER BY id").rows]


def run(store: AnyStore, *sql: str) -> None:
    store.transact([Statement(each) for each in sql])


def with_id(row: Row, row_id: int) -> Row:
    return (row_id, *row[1:])


# --- rows -----------------------------------------------------------------------------------


def test_rows_of_both_tables_come_back_as_they_were(store: Store) -> None:
    requests = [api_row(f"row {n}") for n in range(250)]

    inserted = store.insert(Batch({API_LOGS: requests, TASK_PROGRESS_LOGS: [STEP]}))

    assert inserted == Inserted(written=251)
    assert stored(store) == requests
    assert stored(store, TASK_PROGRESS_LOGS) == [STEP]


@pytest.mark.parametrize(
    "text",
    [
        "\x00",
        "a\x00b",
        "\r\n\t\x0b\x7f\x85\u2028\u2029\ufeff",
        "日本語 😀 \U0010ffff",
        "'; DROP TABLE api_logs; --",
        '=1+1,"quoted","",\\n\\u0041\\',
        "1e999",
        "null",
    ],
)
def test_any_text_comes_back_as_it_was(store: Store, text: str) -> None:
    row = with_id(STEP, ROW_ID)
    row = (*row[:7], text, text, *row[9:])

    store.insert(Batch({TASK_PROGRESS_LOGS: [row]}))
    again = store.insert(Batch({TASK_PROGRESS_LOGS: [row]}))

    assert stored(store, TASK_PROGRESS_LOGS) == [row]
    assert again == Inserted(known=1)


@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_integers_of_64_bits_come_back_exactly(store: Store, number: int) -> None:
    row = api_row()
    row = (*row[:8], number, row[9], number, row[11])

    store.insert(Batch({API_LOGS: [row]}))

    assert stored(store) == [row]


def test_a_row_with_megabytes_in_it_arrives(store: Store) -> None:
    big = api_row()
    big = (
        *big[:4],
        '"' + "x" * 900_000 + '"',
        '"' + "é" * 450_000 + '"',
        200,
        "1" * 900_000,
        *big[8:],
    )
    rows = [api_row("before"), big, api_row("after")]

    store.insert(Batch({API_LOGS: rows}))
    again = store.insert(Batch({API_LOGS: rows}))

    assert sorted(stored(store)) == sorted(rows)
    assert again == Inserted(known=3)


def test_an_empty_batch_changes_nothing(store: Store) -> None:
    assert store.insert(Batch({API_LOGS: []})) == Inserted()


# --- exactly once ---------------------------------------------------------------------------


def test_a_batch_that_is_sent_again_is_known(store: Store) -> None:
    batch = Batch({API_LOGS: [api_row(f"{n}") for n in range(120)], TASK_PROGRESS_LOGS: [STEP]})

    store.insert(batch)

    assert store.insert(batch) == Inserted(known=121)
    assert len(stored(store)) == 120


def test_of_a_batch_that_is_half_known_the_other_half_is_written(store: Store) -> None:
    rows = [api_row(f"{n}") for n in range(10)]
    store.insert(Batch({API_LOGS: rows[:5]}))

    assert store.insert(Batch({API_LOGS: rows})) == Inserted(written=5, known=5)
    assert stored(store) == rows


def test_two_rows_with_one_id_both_survive_and_stay_two(store: Store) -> None:
    first, second = api_row("first", row_id=ROW_ID), api_row("second", row_id=ROW_ID)
    store.insert(Batch({API_LOGS: [first]}))

    inserted = store.insert(Batch({API_LOGS: [second]}))
    again = [store.insert(Batch({API_LOGS: rows})) for rows in ([first], [second], [first, second])]

    assert inserted == Inserted(written=1, moved=((ROW_ID, ROW_ID + 1),))
    assert [(each.written, each.known) for each in again] == [(0, 1), (0, 1), (0, 2)]
    assert stored(store) == [first, with_id(second, ROW_ID + 1)]


def test_rows_with_one_id_in_one_batch_all_survive_in_any_order_of_sending(store: Store) -> None:
    rows = [api_row(f"{n}", row_id=ROW_ID + n // 3) for n in range(9)]

    store.insert(Batch({API_LOGS: rows}))
    once = stored(store)
    for part in (rows[::-1], rows[4:], rows[:5], [rows[8]]):
        store.insert(Batch({API_LOGS: part}))

    assert {row[7] for row in once} == {row[7] for row in rows}
    assert len(once) == 9
    assert stored(store) == once


def test_the_same_row_twice_in_one_batch_is_one_row(store: Store) -> None:
    row = api_row()

    assert store.insert(Batch({API_LOGS: [row, row]})) == Inserted(written=1, known=1)
    assert stored(store) == [row]


def test_a_row_that_moved_gives_way_to_nobody(store: Store) -> None:
    first, moved = api_row("first", row_id=ROW_ID), api_row("moved", row_id=ROW_ID)
    late = api_row("late", row_id=ROW_ID + 1)
    for row in (first, moved, late, moved, late):
        store.insert(Batch({API_LOGS: [row]}))

    assert stored(store) == [first, with_id(moved, ROW_ID + 1), with_id(late, ROW_ID + 2)]


def test_a_row_that_moved_by_several_ids_is_told_once(store: Store) -> None:
    rows = [api_row(text, row_id=ROW_ID) for text in ("first", "second", "third")]
    moved = [store.insert(Batch({API_LOGS: [row]})).moved for row in rows]

    assert moved == [(), ((ROW_ID, ROW_ID + 1),), ((ROW_ID, ROW_ID + 2),)]


# --- rows that cannot be stored -------------------------------------------------------------

_ROW = api_row()


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param((_ROW[0], None, *_ROW[2:]), id="required value missing"),
        pytest.param((*_ROW[:8], 2**63, *_ROW[9:]), id="integer too large"),
        pytest.param((*_ROW[:8], -(2**63) - 1, *_ROW[9:]), id="integer too small"),
        pytest.param((*_ROW[:7], '"\ud800"', *_ROW[8:]), id="lone surrogate"),
        pytest.param((2**63, *_ROW[1:]), id="id too large"),
        pytest.param(("abc", *_ROW[1:]), id="id no integer"),
    ],
)
def test_a_row_that_cannot_be_stored_keeps_the_whole_batch_out(store: Store, bad: Row) -> None:
    good = api_row("good")

    with pytest.raises(RowRejected):
        store.insert(Batch({TASK_PROGRESS_LOGS: [STEP], API_LOGS: [good, bad]}))

    assert stored(store) == []
    assert stored(store, TASK_PROGRESS_LOGS) == []


def test_a_bad_row_beside_known_ones_is_still_told(store: Store) -> None:
    good = api_row("good")
    store.insert(Batch({API_LOGS: [good]}))

    with pytest.raises(RowRejected):
        store.insert(Batch({API_LOGS: [good, (_ROW[0], None, *_ROW[2:])]}))


# --- tables ---------------------------------------------------------------------------------


def test_without_tables_an_insert_and_a_question_say_that_they_are_missing(
    open_store: OpenStore,
) -> None:
    store = open_store()

    with pytest.raises(StoreSchemaMissing):
        store.insert(Batch({API_LOGS: [api_row()]}))
    with pytest.raises(StoreSchemaMissing):
        store.query("SELECT id FROM api_logs")


def schema_of(store: Store) -> list[tuple[object, ...]]:
    sql = (
        "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
        " AND name NOT LIKE '%autoindex%' AND name NOT LIKE '%litestream%' ORDER BY 1, 2"
    )
    return [tuple(row) for row in store.query(sql).rows]


def indexes_of_the_two_tables(store: Store) -> list[object]:
    return [name for kind, name, table in schema_of(store) if kind == "index" and table in TABLES]


def test_migrating_makes_the_tables_once(open_store: OpenStore) -> None:
    store = open_store()
    store.migrate()
    store.insert(Batch({API_LOGS: [_ROW]}))
    before = schema_of(store)
    store.migrate()

    assert schema_of(store) == before
    assert ("table", "tracelog_schema", "tracelog_schema") in before
    assert len(indexes_of_the_two_tables(store)) == 5
    assert stored(store) == [_ROW]
    assert store.query("SELECT version FROM tracelog_schema").rows == VERSIONS


def test_tables_made_by_the_source_documents_statements_are_taken_over_with_their_rows(
    open_store: OpenStore,
) -> None:
    store = open_store()
    if isinstance(store, SQLiteStore):
        Path(store.name).parent.mkdir()
        Path(store.name).touch()
    run(store, *SEED_TABLES.split(";"))
    run(
        store,
        "INSERT INTO api_logs (trace_id, method, endpoint) VALUES ('t1', 'GET', '/a')",
        "INSERT INTO api_logs (trace_id, method, endpoint) VALUES ('t2', 'GET', '/b')",
    )

    store.migrate()
    store.insert(Batch({API_LOGS: [_ROW], TASK_PROGRESS_LOGS: [STEP]}))

    assert [row[:4] for row in stored(store)[:2]] == [
        (1, "t1", "GET", "/a"),
        (2, "t2", "GET", "/b"),
    ]
    assert stored(store)[2] == _ROW
    assert stored(store, TASK_PROGRESS_LOGS) == [STEP]


def test_tables_in_capital_letters_are_taken_over_as_well(open_store: OpenStore) -> None:
    store = open_store()
    if isinstance(store, SQLiteStore):
        Path(store.name).parent.mkdir()
        Path(store.name).touch()
    run(store, SEED_TABLES.split(";")[0].replace("api_logs", "API_LOGS").replace("trace", "TRACE"))

    store.migrate()
    store.insert(Batch({API_LOGS: [_ROW]}))

    assert stored(store) == [_ROW]


@pytest.mark.parametrize("key", ["id TEXT PRIMARY KEY", "id INTEGER", "number INTEGER PRIMARY KEY"])
def test_a_table_by_whose_ids_rows_are_not_known_again_is_refused(
    open_store: OpenStore, key: str
) -> None:
    store = open_store()
    if isinstance(store, SQLiteStore):
        Path(store.name).parent.mkdir()
        Path(store.name).touch()
    table = SEED_TABLES.split(";", maxsplit=1)[0]
    run(store, table.replace("id INTEGER PRIMARY KEY AUTOINCREMENT", key))

    with pytest.raises(StoreRefused, match="another table named api_logs, without an id that is"):
        store.migrate()


@pytest.mark.parametrize(
    "damage",
    [
        "DROP TABLE api_logs",
        "ALTER TABLE api_logs DROP COLUMN user_id",
        "ALTER TABLE api_logs DROP COLUMN ip_address",
        "DROP TABLE task_progress_logs",
        "DROP INDEX idx_api_logs_status",
    ],
)
def test_what_was_dropped_by_hand_is_made_again(store: AnyStore, damage: str) -> None:
    run(store, damage)

    store.migrate()
    store.insert(Batch({API_LOGS: [_ROW], TASK_PROGRESS_LOGS: [STEP]}))

    assert stored(store) == [_ROW]
    assert len(indexes_of_the_two_tables(store)) == 5


def test_sums_that_were_dropped_by_hand_are_made_again(store: AnyStore) -> None:
    run(store, f"DROP TABLE {REQUEST_SUMS}")

    with pytest.raises(StoreSchemaMissing):
        store.insert(Batch({API_LOGS: [_ROW]}))
    store.migrate()
    store.insert(Batch({API_LOGS: [_ROW]}))

    assert stored(store) == [_ROW]


def test_a_missing_column_is_told_as_a_missing_column(store: AnyStore) -> None:
    run(store, "ALTER TABLE api_logs DROP COLUMN user_id")

    with pytest.raises(StoreSchemaMissing):
        store.insert(Batch({API_LOGS: [_ROW]}))


def test_several_that_migrate_at_once_do_not_disturb_each_other(open_store: OpenStore) -> None:
    stores = [open_store() for _ in range(2)]
    errors: list[StoreError] = []
    together = threading.Barrier(len(stores))

    def migrate(store: Store) -> None:
        together.wait()
        try:
            store.migrate()
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=migrate, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert stores[0].query("SELECT version FROM tracelog_schema").rows == VERSIONS


# --- questions ------------------------------------------------------------------------------


def test_a_question_has_arguments_and_names_its_columns(store: Store) -> None:
    store.insert(Batch({API_LOGS: [_ROW]}))
    sql = "SELECT id, endpoint AS path, user_id FROM api_logs WHERE id = ? AND endpoint = ?"

    result = store.query(sql, (_ROW[0], "/items"))

    assert result.dicts() == [{"id": _ROW[0], "path": "/items", "user_id": None}]


def test_fractions_and_blobs_are_values_too(store: Store) -> None:
    assert store.query("SELECT 1.5, x'00ff', NULL").rows == [(1.5, b"\x00\xff", None)]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM api_logs",
        "  -- SELECT\n DROP TABLE api_logs",
        "/* SELECT */ INSERT INTO api_logs (trace_id) VALUES ('a')",
        "WITH x AS (SELECT 1) DELETE FROM api_logs",
        "SELECT 1; DELETE FROM api_logs",
        "SELECT 1; SELECT 2",
        "COMMIT",
        "PRAGMA user_version = 7",
        "ATTACH 'x' AS x",
        "VACUUM",
        "",
    ],
)
def test_what_is_no_question_is_refused_and_changes_nothing(store: Store, sql: str) -> None:
    store.insert(Batch({API_LOGS: [_ROW]}))

    with pytest.raises(QueryFailed):
        store.query(sql)

    assert stored(store) == [_ROW]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'a;b', \"id\" FROM api_logs; -- done; really",
        "WITH n AS (SELECT 1 AS a) SELECT replace('update', 'u', 'x') FROM n;",
        "VALUES (1), (2)",
        "EXPLAIN QUERY PLAN SELECT * FROM api_logs",
    ],
)
def test_questions_of_all_kinds_are_answered(store: Store, sql: str) -> None:
    store.query(sql)


def test_wrong_sql_is_told_in_one_line(store: Store) -> None:
    with pytest.raises(QueryFailed) as told:
        store.query("SELECT nonsense(1) FROM api_logs WHERE")

    assert "\n" not in str(told.value)


def test_a_question_that_takes_too_long_is_ended(store: Store) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000000)"
        " SELECT sum(i) FROM n"
    )

    with pytest.raises((QueryFailed, StoreUnavailable)):
        store.query(endless, timeout=0.2)


def test_many_threads_ask_while_one_writes(store: Store) -> None:
    problems: list[StoreError] = []
    counts: set[object] = set()
    done = threading.Event()

    def ask() -> None:
        try:
            while not done.is_set():
                counts.add(store.query("SELECT count(*) FROM api_logs").rows[0][0])
        except StoreError as error:
            problems.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        store.insert(Batch({API_LOGS: [api_row() for _ in range(50)]}))
    done.set()
    for thread in threads:
        thread.join()

    assert problems == []
    assert counts <= {n * 50 for n in range(11)}
