"""The tables of every store: made, taken over, mended and refused."""

import threading
from pathlib import Path

import pytest

from app.lib.tracelog.rollup.tables import REQUEST_SUMS
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS
from app.lib.tracelog.store.migrations import MIGRATIONS
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, Store, StoreError, StoreRefused, StoreSchemaMissing
from tests.lib.tracelog.rows import api_row, stored
from tests.lib.tracelog.store.any_store import ROW, STEP, AnyStore, OpenStore

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


def run(store: AnyStore, *sql: str) -> None:
    store.transact([Statement(each) for each in sql])


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
    store.insert(Batch({API_LOGS: [ROW]}))
    before = schema_of(store)
    store.migrate()

    assert schema_of(store) == before
    assert ("table", "tracelog_schema", "tracelog_schema") in before
    assert len(indexes_of_the_two_tables(store)) == 5
    assert stored(store) == [ROW]
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
    store.insert(Batch({API_LOGS: [ROW], TASK_PROGRESS_LOGS: [STEP]}))

    assert [row[:4] for row in stored(store)[:2]] == [
        (1, "t1", "GET", "/a"),
        (2, "t2", "GET", "/b"),
    ]
    assert stored(store)[2] == ROW
    assert stored(store, TASK_PROGRESS_LOGS) == [STEP]


def test_tables_in_capital_letters_are_taken_over_as_well(open_store: OpenStore) -> None:
    store = open_store()
    if isinstance(store, SQLiteStore):
        Path(store.name).parent.mkdir()
        Path(store.name).touch()
    run(store, SEED_TABLES.split(";")[0].replace("api_logs", "API_LOGS").replace("trace", "TRACE"))

    store.migrate()
    store.insert(Batch({API_LOGS: [ROW]}))

    assert stored(store) == [ROW]


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
    store.insert(Batch({API_LOGS: [ROW], TASK_PROGRESS_LOGS: [STEP]}))

    assert stored(store) == [ROW]
    assert len(indexes_of_the_two_tables(store)) == 5


def test_sums_that_were_dropped_by_hand_are_made_again(store: AnyStore) -> None:
    run(store, f"DROP TABLE {REQUEST_SUMS}")

    with pytest.raises(StoreSchemaMissing):
        store.insert(Batch({API_LOGS: [ROW]}))
    store.migrate()
    store.insert(Batch({API_LOGS: [ROW]}))

    assert stored(store) == [ROW]


def test_a_missing_column_is_told_as_a_missing_column(store: AnyStore) -> None:
    run(store, "ALTER TABLE api_logs DROP COLUMN user_id")

    with pytest.raises(StoreSchemaMissing):
        store.insert(Batch({API_LOGS: [ROW]}))


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
