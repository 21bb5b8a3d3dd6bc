"""Questions that every store answers or refuses alike."""

import threading

import pytest

from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.store.store import Batch, QueryFailed, Store, StoreError, StoreUnavailable
from tests.lib.tracelog.rows import api_row, stored
from tests.lib.tracelog.store.any_store import ROW


def test_a_question_has_arguments_and_names_its_columns(store: Store) -> None:
    store.insert(Batch({API_LOGS: [ROW]}))
    sql = "SELECT id, endpoint AS path, user_id FROM api_logs WHERE id = ? AND endpoint = ?"

    result = store.query(sql, (ROW[0], "/items"))

    assert result.dicts() == [{"id": ROW[0], "path": "/items", "user_id": None}]


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
    store.insert(Batch({API_LOGS: [ROW]}))

    with pytest.raises(QueryFailed):
        store.query(sql)

    assert stored(store) == [ROW]


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
    assert store.query(sql).columns


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
