"""Questions in SQL over both stores: what they find, and what they cannot do."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.schema import TABLES, TASK_PROGRESS_LOGS
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import QueryFailed, Store, StoreError
from app.lib.utils import utc_now
from app.services.errors import NotFound
from app.services.query_service import QueryService, bound, parameters_of, with_literals
from app.services.ready_queries import READY_QUERIES
from tests.lib.tracelog.rows import read_all
from tests.services.log_book import LogBook

TRACE = "3f2a1b9c-0000-4000-8000-000000000001"
OTHER = "3f2a1b9c-0000-4000-8000-000000000002"
ELSEWHERE = "3f2a1b9c-0000-4000-8000-000000000003"
VALUES = {
    "hours": "24",
    "trace_id": TRACE,
    "words": "no days",
    "body": "days here",
    "user_id": "7",
    "at_least_ms": "900",
}


@pytest.fixture
def store(store: Store) -> Store:
    fill(store)
    return store


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[CSVOnlyLogger]:
    logger = CSVOnlyLogger(tmp_path / "logs")
    yield logger
    logger.close()


@pytest.fixture
def queries(store: Store, logger: CSVOnlyLogger) -> QueryService:
    return QueryService(store, logger)


def fill(store: Store) -> None:
    """A morning in which a report failed twice, and some other things happened."""
    book = LogBook(utc_now())
    headers = {":route": "/report", "user-agent": "Firefox"}
    failed = "ZeroDivisionError: no days in May"
    for trace in (TRACE, OTHER):
        book.after(1000).step("Report", "Render", "START", trace=trace)
        book.after(30).step("Report", "Render", "FAILED", trace=trace, error_message=failed)
        book.after(5).request(
            "/report",
            500,
            trace=trace,
            user=7,
            duration=1200,
            request_header=headers,
            request_body={":type": "application/pdf", ":size": 90_000},
            ip_address="192.0.2.7",
        )
    book.after(10).step("Report", "Render", "START", trace=OTHER)
    book.after(400).step("Report", "Render", "SUCCESS", trace=OTHER)
    book.after(10).step("Import", "Read", "START", trace=OTHER)
    book.after(10).request(
        "/nothing",
        404,
        user=None,
        trace=ELSEWHERE,
        ip_address="192.0.2.9",
        response_body={"detail": "no days here"},
    )
    book.after(10).request("/items", 499, duration=3000, trace=ELSEWHERE)
    book.after(10).request("/items", 200, user=7, duration=20, trace=ELSEWHERE)
    book.deliver(store)


def recorded(logger: CSVOnlyLogger) -> list[tuple[object, ...]]:
    """The step rows of this logger: task, step, status."""
    table = TABLES[TASK_PROGRESS_LOGS]
    places = [table.column_names.index(name) for name in ("task_name", "step_name", "status")]
    return [tuple(row[i] for i in places) for row in read_all(logger.recorder.log_dir, table)[0]]


EXPECTED: Mapping[str, Mapping[str, object]] = {
    "failed-steps-of-500s": {"task_name": "Report", "step_name": "Render", "trace_id": OTHER},
    "trace-in-order": {"kind": "request", "what": "GET /report", "status": 500},
    "most-failing-steps": {"step": "Report › Render", "failed": 2, "succeeded": 1},
    "error-messages": {"error": "ZeroDivisionError: no days in May", "times": 2, "traces": 2},
    "new-errors": {"error": "ZeroDivisionError: no days in May", "times": 2},
    "traces-with-error": {"step_name": "Render", "trace_id": OTHER},
    "steps-without-end": {"task_name": "Import", "step_name": "Read", "trace_id": OTHER},
    "retried-steps": {"step": "Report › Render", "attempts": 2, "failed": 1},
    "refused-addresses": {"ip_address": "192.0.2.9", "refused": 1, "statuses": "404"},
    "clients-that-left": {"route": "/items", "times": 1, "longest_ms": 3000},
    "user-actions": {"endpoint": "/items", "response_status": 200},
    "requests-with-words": {"endpoint": "/nothing", "ip_address": "192.0.2.9"},
    "slowest-routes": {"requests": 2, "longest_ms": 3000},
    "slowest-requests": {"endpoint": "/items", "duration_ms": 3000},
    "errors-by-hour": {"errors": 2},
    "traffic-by-hour": {"users": 2},
    "statuses-by-route": {"route": "/report", "requests": 2, "failed": 2, "fine": 0},
    "largest-bodies": {"user_id": 7, "ip_address": "192.0.2.7", "sent_bytes": 90_000},
    "busiest-users": {"user_id": 7, "requests": 3, "failed": 2},
    "step-durations": {"step": "Report › Render", "runs": 3, "longest_ms": 400.0},
    "browsers": {"browser": "Firefox", "requests": 2, "failed": 2},
}


async def test_every_ready_question_finds_what_it_says(queries: QueryService) -> None:
    assert EXPECTED.keys() == {query.key for query in READY_QUERIES}
    for query in READY_QUERIES:
        answer = await queries.ask(query.sql, {p.name: VALUES[p.name] for p in query.parameters})
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        expected = EXPECTED[query.key]
        found = [{name: row[name] for name in expected} for row in rows]
        if query.key == "browsers":  # the newest requests had no such header
            assert expected in found, query.key
        elif query.key in {"errors-by-hour", "traffic-by-hour"}:  # it may be just past the hour
            assert sum(int(str(row["requests"])) for row in rows) == 5, query.key
        else:
            assert found[:1] == [expected], query.key
        assert query.chart is None or set(query.chart) <= set(answer.columns), query.key


async def test_a_long_answer_is_cut_and_says_so(queries: QueryService) -> None:
    many = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50) SELECT i FROM n"
    )

    answer = await queries.ask(many + " -- and a comment", {}, rows=10)

    assert [row[0] for row in answer.rows] == list(range(1, 11))
    assert answer.more
    assert not (await queries.ask(many, {}, rows=50)).more


async def test_a_long_question_is_given_up_in_time(store: Store, logger: CSVOnlyLogger) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n"
    queries = QueryService(store, logger, seconds=0.3)

    with pytest.raises(StoreError, match=r"longer than 0\.3 s|did not answer in time"):
        await queries.ask(endless, {})


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM api_logs",
        "SELECT 1; DELETE FROM api_logs",
        "WITH a AS (SELECT 1) DELETE FROM api_logs",
        "PRAGMA journal_mode = DELETE",
        "ATTACH 'other.db' AS other",
        "DROP TABLE api_logs",
        "UPDATE api_logs SET method = 'X'",
        "",
    ],
)
async def test_nothing_but_questions_are_asked(
    sql: str, queries: QueryService, store: Store
) -> None:
    with pytest.raises(QueryFailed):
        await queries.ask(sql, {})

    [[count]] = store.query("SELECT count(*) FROM api_logs").rows
    assert count == 5


async def test_a_free_question_is_recorded_also_when_it_fails(
    queries: QueryService, logger: CSVOnlyLogger
) -> None:
    await queries.ask_freely("SELECT method FROM api_logs WHERE user_id = :who", {"who": "7"}, 3)
    with pytest.raises(QueryFailed):
        await queries.ask_freely("SELECT nonsense(1)", {}, 3)

    query = ("Log_Console", "Query")
    assert recorded(logger) == [(*query, end) for end in ("START", "SUCCESS", "START", "FAILED")]


async def test_questions_are_saved_replaced_and_deleted(
    queries: QueryService, logger: CSVOnlyLogger
) -> None:
    first = await queries.save("遅いリクエスト", "SELECT 1", 3)
    again = await queries.save("遅いリクエスト", "SELECT 2", 4)
    other = await queries.save("A", "SELECT 3", 3)

    assert (again.id, again.sql) == (first.id, "SELECT 2")
    assert [query.name for query in await queries.saved()] == ["A", "遅いリクエスト"]
    await queries.delete(other.id, 3)
    with pytest.raises(NotFound):
        await queries.get_saved(other.id)
    with pytest.raises(QueryFailed):
        await queries.save("bad", "DELETE FROM api_logs", 3)
    assert [step for _, step, end in recorded(logger) if end == "SUCCESS"] == [
        "Save",
        "Save",
        "Save",
        "Delete",
    ]


def test_names_are_found_outside_of_texts_and_comments() -> None:
    sql = "SELECT ':no', \":no\", a ->> '$.\":no\"' -- :no\nFROM t"
    sql += " WHERE b = :yes AND c = :and OR :yes"

    assert parameters_of(sql) == ["yes", "and"]
    statement = bound(sql, {"yes": "12", "and": "x'y"})
    assert statement.args == [12, "x'y"]
    assert statement.sql.endswith("b = ?1 AND c = ?2 OR ?1")
    assert bound("SELECT :empty", {"empty": ""}).args == [None]
    with pytest.raises(QueryFailed, match=":and"):
        bound(sql, {"yes": "1"})


def test_a_statement_is_shown_as_one_text() -> None:
    statement = Statement("SELECT '?' FROM t WHERE a = ? AND b IS ?", ("it's", None))

    assert with_literals(statement) == "SELECT '?' FROM t WHERE a = 'it''s' AND b IS NULL"
