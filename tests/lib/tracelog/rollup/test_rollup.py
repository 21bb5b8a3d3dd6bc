"""The sums that a store keeps beside its rows: each row counts once, and only once."""

import pytest

from app.lib.tracelog.rollup.histogram import bucket_of
from app.lib.tracelog.rollup.tables import FILL_RUN_SUMS
from app.lib.tracelog.schema import API_LOGS, TASK_PROGRESS_LOGS
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import Batch, Inserted, Store
from app.lib.tracelog.upkeep.retention import DAY, Retention, Rules
from tests.lib.tracelog.rollup.sums import STACK, ask, errors, open_steps, part, steps, totals
from tests.services.log_book import START, LogBook

MINUTE = int(START.timestamp()) // 60 * 60
HOUR = MINUTE // 3600 * 3600
TRACE = "3f2a1b9c-0000-4000-8000-000000000001"


@pytest.fixture
def book() -> LogBook:
    return LogBook()


# --- requests ---------------------------------------------------------------------------------


def test_requests_are_summed_by_minute_and_hour_and_route(store: Store, book: LogBook) -> None:
    headers = {"accept": "*/*", ":route": "/items/{item_id}"}
    book.request("/items/1", duration=5, request_header=headers)
    book.after(10).request("/items/2", 500, duration=300, request_header=headers)
    store.insert(part(book))
    book.after(60_000).request("/nowhere", 404)
    store.insert(part(book))

    assert totals(store) == [
        (60, MINUTE, 2, 1, 1, 305),
        (60, MINUTE + 60, 1, 0, 0, 0),
        (3600, HOUR, 3, 1, 1, 305),
    ]
    columns = f"b{bucket_of(5)}, b{bucket_of(300)}, b{bucket_of(0)}"
    by_route = (
        f"SELECT method, route, n, {columns} FROM tracelog_request_sums"
        " WHERE seconds = 3600 AND method <> '' ORDER BY route"
    )
    assert ask(store, by_route) == [
        ("GET", "", 1, 0, 0, 1),
        ("GET", "/items/{item_id}", 2, 1, 1, 0),
    ]


def test_a_row_that_is_sent_again_is_not_counted_again(store: Store, book: LogBook) -> None:
    for _ in range(3):
        book.after(1).request()
    first = part(book)
    assert store.insert(first) == Inserted(written=3)
    book.after(1).request()
    both = Batch({API_LOGS: [*first.rows[API_LOGS], *part(book).rows[API_LOGS]]})

    assert store.insert(both) == Inserted(written=1, known=3)
    assert store.insert(both) == Inserted(known=4)

    assert totals(store)[-1] == (3600, HOUR, 4, 4, 0, 0)


def test_a_path_without_a_route_counts_without_its_ids(store: Store, book: LogBook) -> None:
    for path in ("/orders/17/lines/4", "/orders/3f2a1b9c-0000-4000-8000-000000000001/lines/5"):
        book.after(1).request(path)
    store.insert(part(book))

    sql = "SELECT route, n FROM tracelog_request_sums WHERE method <> '' AND seconds = 60"
    assert ask(store, sql) == [("/orders/{}/lines/{}", 2)]


def test_a_stream_of_events_counts_without_the_time_for_which_somebody_looked(
    store: Store, book: LogBook
) -> None:
    stream = {":type": "text/event-stream", ":size": 812}
    book.request("/jobs/badge", 499, duration=3_600_000, response_body=stream)
    book.after(1).request("/jobs", duration=7, response_body={":type": "text/html", ":size": 9})
    store.insert(part(book))

    assert [row[2:] for row in totals(store)] == [(2, 1, 0, 7), (2, 1, 0, 7)]


# --- steps ------------------------------------------------------------------------------------


def test_a_steps_duration_is_known_though_its_ends_come_in_two_batches(
    store: Store, book: LogBook
) -> None:
    book.step("Report", "Collect", "START")
    store.insert(part(book))
    book.after(100).step("Report", "Collect", "IN_PROGRESS")
    store.insert(part(book))
    assert open_steps(store) == [("Report", "Collect", 100_000)]

    book.after(400).step("Report", "Collect", "SUCCESS")
    book.after(1).step("Report", "Render", "START", order=2)
    book.after(20).step("Report", "Render", "FAILED", order=2, error_message="no")
    store.insert(part(book))

    assert steps(store) == [
        ("Report", "Collect", 1, 1, 0, 1, 500),
        ("Report", "Render", 1, 0, 1, 1, 20),
    ]
    assert open_steps(store) == []
    runs = "SELECT task, status, last_id > first_id FROM tracelog_runs"
    assert ask(store, runs) == [("Report", "FAILED", 1)]


def test_a_retry_counts_from_its_own_start(store: Store, book: LogBook) -> None:
    book.step("Report", "Collect", "START")
    store.insert(part(book))
    book.after(5_000).step("Report", "Collect", "START")
    store.insert(part(book))
    book.after(30).step("Report", "Collect", "SUCCESS")
    store.insert(part(book))

    assert steps(store) == [("Report", "Collect", 2, 1, 0, 1, 30)]
    assert open_steps(store) == []


def test_a_start_that_arrives_after_its_end_opens_nothing(store: Store, book: LogBook) -> None:
    book.step("Report", "Collect", "START")
    late = part(book)
    book.after(30).step("Report", "Collect", "SUCCESS")
    store.insert(part(book))
    store.insert(late)

    assert open_steps(store) == []
    assert ask(store, "SELECT status FROM tracelog_runs") == [("SUCCESS",)]


def test_a_progress_that_arrives_after_its_end_opens_nothing(store: Store, book: LogBook) -> None:
    book.step("Report", "Collect", "START")
    store.insert(part(book))
    book.after(20).step("Report", "Collect", "IN_PROGRESS")
    late = part(book)
    book.after(30).step("Report", "Collect", "SUCCESS")
    store.insert(part(book))
    store.insert(late)

    assert open_steps(store) == []


# --- failures ---------------------------------------------------------------------------------


def fail(book: LogBook, trace: str = TRACE, error: str = "ZeroDivisionError: no") -> None:
    """A step that fails, and with it its request, as the app records them."""
    outer = STACK.replace("Traceback", 'Traceback\n  File "/app/a.py", line 1, in b')
    book.after(1).step(
        "Report", "Render", "FAILED", trace=trace, error_message=error, stack_trace=STACK
    )
    book.after(1).step(
        "HTTP", "/r", "FAILED", order=0, trace=trace, error_message=error, stack_trace=outer
    )


@pytest.mark.parametrize("apart", [False, True])
def test_a_request_that_fails_with_its_step_is_one_failure(
    store: Store, book: LogBook, *, apart: bool
) -> None:
    fail(book)
    rows = part(book).rows[TASK_PROGRESS_LOGS]
    for batch in [[row] for row in rows] if apart else [rows]:
        store.insert(Batch({TASK_PROGRESS_LOGS: batch}))

    assert errors(store) == [("ZeroDivisionError", "Report", "Render", 1, "open")]
    assert ask(store, "SELECT start, n FROM tracelog_error_sums") == [(HOUR, 1)]
    assert ask(store, "SELECT trace_id FROM tracelog_error_hits") == [(TRACE,)]


def test_a_request_that_fails_by_itself_is_a_failure(store: Store, book: LogBook) -> None:
    book.step("HTTP", "/x", "FAILED", order=0, error_message="HTTP 503")
    store.insert(part(book))

    assert errors(store) == [("", "HTTP", "/x", 1, "open")]
    assert steps(store) == []


def test_what_was_resolved_opens_again_by_a_new_hit_and_not_by_a_late_one(
    store: Store, book: LogBook
) -> None:
    fail(book, "one")
    late = part(book)
    fail(book, "two")
    store.insert(part(book))
    resolve = "UPDATE tracelog_errors SET state = 'resolved', state_id = last_id"
    store.transact([_statement(resolve)])
    store.insert(late)
    assert [row[3:] for row in errors(store)] == [(2, "resolved")]

    fail(book, "three")
    store.insert(part(book))

    assert [row[3:] for row in errors(store)] == [(3, "open")]
    assert ask(store, "SELECT last_trace FROM tracelog_errors") == [("three",)]


def test_what_is_ignored_stays_ignored(store: Store, book: LogBook) -> None:
    fail(book, "one")
    store.insert(part(book))
    store.transact([_statement("UPDATE tracelog_errors SET state = 'ignored'")])
    fail(book, "two")
    store.insert(part(book))

    assert [row[3:] for row in errors(store)] == [(2, "ignored")]


def _statement(sql: str) -> Statement:
    return Statement(sql)


# --- retention --------------------------------------------------------------------------------


def test_minutes_go_with_the_rows_and_hours_with_those_of_failed_traces(
    store: Store, book: LogBook
) -> None:
    book.request(duration=3)
    book.step("Report", "Collect", "START", trace="stuck")
    fail(book)
    store.insert(part(book))

    def prune(days: float) -> None:
        now = START.timestamp() + days * DAY
        list(Retention(store, Rules(), clock=lambda: now).run())

    prune(20)
    assert [row[0] for row in totals(store)] == [3600]
    assert open_steps(store) == []
    assert ask(store, "SELECT status FROM tracelog_runs") == [("FAILED",)]
    assert len(errors(store)) == 1
    prune(100)
    assert totals(store) == steps(store) == errors(store) == []
    assert ask(store, "SELECT count(*) FROM tracelog_error_hits") == [(0,)]


def test_runs_are_counted_by_the_hour_in_which_they_began(store: Store, book: LogBook) -> None:
    def begin(trace: str, task: str = "Import") -> None:
        book.after(1).step(task, "Read", "START", trace=trace)

    def end(trace: str, status: str, task: str = "Import") -> None:
        book.after(1).step(task, "Read", status, trace=trace)

    begin("one")
    begin("two")
    end("two", "FAILED")
    first = part(book)
    store.insert(first)
    book.after(3_600_000)
    end("one", "FAILED")
    begin("two")  # a retry: what failed has not failed yet
    begin("three")
    store.insert(part(book))
    store.insert(first)  # sent again, and known
    end("two", "SUCCESS")
    end("three", "FAILED", "Mail")
    store.insert(part(book))

    sums = ask(store, "SELECT start, task, n, failed FROM tracelog_run_sums ORDER BY 1, 2")
    counted = [row for row in sums if row[2]]
    assert counted == [
        (HOUR, "Import", 2, 1),
        (HOUR + 3600, "Import", 1, 0),
        (HOUR + 3600, "Mail", 1, 1),
    ]
    # A store from before these sums gets them from its runs.
    store.transact([_statement("DELETE FROM tracelog_run_sums"), _statement(FILL_RUN_SUMS)])
    assert (
        ask(store, "SELECT start, task, n, failed FROM tracelog_run_sums ORDER BY 1, 2") == counted
    )
