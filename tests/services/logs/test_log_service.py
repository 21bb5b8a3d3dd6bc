"""What administrators find in the trace log, asked of a SQLite file and of a real sqld."""

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from app.lib.tracelog.schema import TASK_PROGRESS_LOGS, Value
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import (
    Result,
    Store,
    StoreError,
    StoreUnavailable,
)
from app.lib.tracelog.store.turso_store import TursoStore
from app.schemas.log import RequestFilter, RequestPage, TraceView
from app.services.logs import log_service, request_query, trace_query
from app.services.logs.log_service import LogService
from app.services.logs.store_reader import StoreReader
from tests.services.log_book import START, LogBook
from tests.support.turso import TursoServer

TRACE = "3f2a1b9c-0000-4000-8000-000000000001"
OTHER = "7d000000-0000-4000-8000-000000000002"


@pytest.fixture(params=["sqlite", "sqld"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: SQLiteStore | TursoStore
    if request.param == "sqlite":
        opened = SQLiteStore(tmp_path / "trace.db")
    else:
        server: TursoServer = request.getfixturevalue("sqld")
        opened = TursoStore(server.url, server.token)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SQLiteStore]:
    opened = SQLiteStore(tmp_path / "trace.db")
    yield opened
    opened.close()


async def found(store: Store, **wanted: object) -> list[str]:
    """The paths of the requests that a filter finds, in the order of the list."""
    page = await LogService(StoreReader(store)).requests(RequestFilter.model_validate(wanted))
    return [request.endpoint for request in page.requests]


async def page_of(store: Store, **wanted: object) -> RequestPage:
    return await LogService(StoreReader(store)).requests(RequestFilter.model_validate(wanted))


async def trace_of(store: Store, book: LogBook, log_dir: Path | None = None) -> TraceView:
    trace = await LogService(StoreReader(store), log_dir, clock=book.clock).trace(TRACE)
    assert trace is not None
    return trace


# --- the list --------------------------------------------------------------------------------


async def test_requests_are_listed_newest_first_with_ids_as_text(store: Store) -> None:
    book = LogBook()
    book.request("/first", duration=12, user=None)
    newest = book.after(5).request("/second", 404, method="POST", trace=OTHER, user=3, duration=1)
    book.deliver(store)
    second, first = (await page_of(store)).requests
    assert (second.id, second.endpoint, second.status) == (newest, "/second", 404)
    assert (second.method, second.trace_id, second.user_id) == ("POST", OTHER, 3)
    assert (first.endpoint, first.user_id, first.duration_ms) == ("/first", None, 12)
    assert first.created_at == START - timedelta(milliseconds=12)


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        ({"status": "5xx"}, ["/api/a_b", "/items/9"]),
        ({"status": "4XX"}, ["/Items/10%"]),
        ({"status": "503"}, ["/api/a_b"]),
        ({"status": "3xx"}, []),
        ({"method": "post"}, ["/api/a_b", "/items/9"]),
        ({"path": "/items"}, ["/Items/10%", "/items/9", "/items"]),
        ({"path": "items"}, ["/Items/10%", "/items/9", "/items", "/x/items"]),
        ({"path": "a_b"}, ["/api/a_b"]),
        ({"path": "10%"}, ["/Items/10%"]),
        ({"path": "_"}, ["/api/a_b"]),
        ({"path": "\\"}, []),
        ({"path": "' OR 1=1 --"}, []),
        ({"user": "2"}, ["/api/a_b", "/Items/10%"]),
        ({"trace": OTHER}, ["/api/a_b", "/items/9"]),
        ({"trace": OTHER[:8].upper()}, ["/api/a_b", "/items/9"]),
        ({"trace": OTHER, "status": "500"}, ["/items/9"]),
        ({"trace": OTHER, "status": "5xx", "method": "POST"}, ["/api/a_b", "/items/9"]),
        ({"trace": OTHER, "status": "2xx"}, []),
        ({"status": "5xx", "user": "2"}, ["/api/a_b"]),
        ({"status": "2xx", "path": "/x", "method": "GET", "user": "1"}, ["/x/items"]),
    ],
)
async def test_filters_find_what_fits_all_of_them(
    store: Store, wanted: dict[str, object], paths: list[str]
) -> None:
    book = LogBook()
    for path, status, method, trace, user in [
        ("/x/items", 200, "GET", TRACE, 1),
        ("/items", 201, "GET", TRACE, 1),
        ("/items/9", 500, "POST", OTHER, 1),
        ("/Items/10%", 404, "GET", TRACE, 2),
        ("/api/a_b", 503, "POST", OTHER, 2),
        ("/aXb", 200, "GET", TRACE, None),
    ]:
        book.after(1).request(path, status, method=method, trace=trace, user=user)
    book.deliver(store)
    assert await found(store, **wanted) == paths


@pytest.mark.parametrize(
    "wanted", [{}, {"status": "2xx"}, {"status": "200"}, {"method": "GET"}, {"trace": TRACE}]
)
async def test_pages_follow_each_other_in_both_directions_without_gap_or_overlap(
    store: Store, wanted: dict[str, object]
) -> None:
    book = LogBook()
    for number in range(8):
        book.after(1).request(
            f"/{number}", 200 + number % 2 if wanted == {"status": "2xx"} else 200
        )
    book.deliver(store)
    wanted = {**wanted, "limit": 3}
    first = await page_of(store, **wanted)
    second = await page_of(store, **wanted, after=first.next_cursor)
    third = await page_of(store, **wanted, after=second.next_cursor)
    pages = [[request.endpoint for request in page.requests] for page in (first, second, third)]
    assert pages == [["/7", "/6", "/5"], ["/4", "/3", "/2"], ["/1", "/0"]]
    assert (first.previous_cursor, third.next_cursor) == (None, None)
    assert await page_of(store, **wanted, before=third.previous_cursor) == second
    assert await page_of(store, **wanted, before=second.previous_cursor) == first


async def test_a_page_behind_the_oldest_request_leads_back(sqlite_store: SQLiteStore) -> None:
    book = LogBook()
    oldest = book.request("/0")
    book.after(1).request("/1")
    book.deliver(sqlite_store)
    page = await page_of(sqlite_store, after=oldest)
    assert page.requests == []
    assert await found(sqlite_store, before=page.previous_cursor) == ["/1", "/0"]


async def test_a_search_without_index_stops_after_so_many_requests_and_goes_on_from_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_query, "SCANNED", 4)
    monkeypatch.setattr(log_service, "SCANNED", 4)
    book = LogBook()
    for number in range(10):
        book.after(1).request("/rare" if number == 1 else f"/{number}")
    book.deliver(store)
    first = await page_of(store, path="/rare")
    assert (first.requests, first.previous_cursor) == ([], None)
    assert first.searched_to == START + timedelta(milliseconds=7)  # of 10, 9, 8 and 7
    second = await page_of(store, path="/rare", after=first.next_cursor)
    assert (second.requests, second.searched_to) == ([], START + timedelta(milliseconds=3))
    third = await page_of(store, path="/rare", after=second.next_cursor)
    assert [request.endpoint for request in third.requests] == ["/rare"]
    assert (third.next_cursor, third.searched_to) == (None, None)
    back = await page_of(store, path="/rare", before=third.previous_cursor)
    assert (back.requests, back.searched_to) == ([], START + timedelta(milliseconds=6))
    assert await found(store, path="/rare", after=back.next_cursor) == ["/rare"]


class Asked:
    """Passes questions on to a store and keeps them."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = store
        self.name = store.name
        self.asked: list[str] = []

    def query(self, sql: str, args: Sequence[Value] = (), *, timeout: float = 10.0) -> Result:
        self.asked.append(sql)
        return self._store.query(sql, args, timeout=timeout)

    migrate = insert = close = None


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({}, "SEARCH a USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        ({"status": "404"}, "idx_api_logs_status (response_status=? AND rowid>? AND rowid<?)"),
        ({"status": "4xx"}, "idx_api_logs_status (response_status=? AND rowid>? AND rowid<?)"),
        ({"trace": TRACE}, "idx_api_logs_trace_id (trace_id>? AND trace_id<?)"),
        ({"trace": TRACE, "status": "4xx"}, "idx_api_logs_trace_id (trace_id>? AND trace_id<?)"),
    ],
)
async def test_a_list_is_one_question_that_an_index_answers_and_reads_no_bodies(
    sqlite_store: SQLiteStore, wanted: dict[str, object], index: str
) -> None:
    book = LogBook()
    for number in range(60):
        book.after(1).request(status=400 + number % 5)
    book.deliver(sqlite_store)
    asked = Asked(sqlite_store)
    page = await LogService(StoreReader(asked)).requests(RequestFilter.model_validate(wanted))  # type: ignore[arg-type] # asks nothing else
    assert page.requests
    [sql] = asked.asked
    assert not {"*", "request_header", "request_body", "response_body"} & set(sql.split(", "))
    wanted_filter = RequestFilter.model_validate(wanted)
    statement = request_query.RequestQuery(wanted_filter).page()
    plan = sqlite_store.query(f"EXPLAIN QUERY PLAN {statement.sql}", statement.args)
    steps = [str(row[3]) for row in plan.rows]
    assert any(index in step for step in steps), steps
    assert not any(step.startswith("SCAN api_logs") for step in steps), steps


# --- a trace ---------------------------------------------------------------------------------


async def test_a_trace_shows_requests_whole_and_each_step_with_its_times_and_values(
    store: Store,
) -> None:
    book = LogBook()
    book.after(2.25).step("Item_Update", "Validation", "START", input_data={"title": "a"})
    book.after(0.5).step("Item_Update", "Validation", "SUCCESS", output_data={"ok": True})
    book.after(1).step("Item_Update", "DB_Update", "START", order=2)
    book.after(3).step(
        "Item_Update",
        "DB_Update",
        "FAILED",
        order=2,
        error_message="IntegrityError: no",
        stack_trace="Traceback\n  boom",
    )
    book.after(1).request(
        "/items/7",
        500,
        method="POST",
        duration=8,
        request_header={"host": "example.com", ":route": "/items/{item_id}", ":query": "a=1"},
        request_body={"title": "日本"},
        response_body={"detail": "no"},
        ip_address="203.0.113.9",
    )
    book.deliver(store)
    trace = await trace_of(store, book)

    [request] = trace.requests
    assert (request.line.endpoint, request.line.status, request.ip_address) == (
        "/items/7",
        500,
        "203.0.113.9",
    )
    assert request.facts == {"route": "/items/{item_id}", "query": "a=1"}
    assert request.headers is not None
    assert request.headers.text == '{\n  "host": "example.com"\n}'
    assert request.request_body is not None
    assert request.request_body.text == '{\n  "title": "日本"\n}'
    assert request.ended_at - request.line.created_at == timedelta(milliseconds=8)

    [task] = trace.tasks
    assert (task.name, task.number, task.status) == ("Item_Update", 1, "FAILED")
    validation, update = (step.attempts[0] for step in task.steps)
    assert [step.name for step in task.steps] == ["Validation", "DB_Update"]
    assert validation.status == "SUCCESS"
    assert validation.ended_at is not None
    assert validation.ended_at - validation.started_at == timedelta(milliseconds=0.5)
    assert validation.input is not None
    assert validation.output is not None
    assert '"ok": true' in validation.output.text
    assert (update.status, update.error_message) == ("FAILED", "IntegrityError: no")
    assert update.stack_trace == "Traceback\n  boom"
    assert (trace.started_at, trace.ended_at) == (request.line.created_at, request.ended_at)


async def test_several_requests_share_a_trace_and_each_runs_the_task_anew(store: Store) -> None:
    book = LogBook()
    for path in ("/items/1", "/items/2"):
        book.after(1).step("Item_Delete", "DB_Update", "START")
        book.after(1).step("Item_Delete", "DB_Update", "SUCCESS")
        book.after(1).request(path, duration=3)
    book.after(1).step("Mail", "Send", "START")
    book.after(1).step("Mail", "Send", "SUCCESS")
    book.deliver(store)
    trace = await trace_of(store, book)
    assert [request.line.endpoint for request in trace.requests] == ["/items/1", "/items/2"]
    assert [(task.name, task.number) for task in trace.tasks] == [
        ("Item_Delete", 1),
        ("Item_Delete", 2),
        ("Mail", 1),
    ]


def test_rows_of_one_step_become_attempts() -> None:
    book = LogBook()
    book.step("Sync", "Fetch", "START", input_data={"page": 1})
    book.after(1).step("Sync", "Fetch", "FAILED", error_message="timeout")
    book.after(1).step("Sync", "Fetch", "START")
    book.after(1).step("Sync", "Fetch", "IN_PROGRESS", output_data={"done": 1, "total": 3})
    book.after(1).step("Sync", "Fetch", "IN_PROGRESS", output_data={"done": 2, "total": 3})
    book.after(1).step("Sync", "Fetch", "SUCCESS", output_data={"rows": 9})
    [task] = assembled(book).tasks
    [step] = task.steps
    first, second = step.attempts
    assert (first.number, first.status, first.error_message) == (1, "FAILED", "timeout")
    assert (second.number, second.status, task.status) == (2, "SUCCESS", "SUCCESS")
    assert second.progress is not None
    assert '"done": 2' in second.progress.text
    assert second.ended_at is not None
    assert second.ended_at - second.started_at == timedelta(milliseconds=3)


def test_running_a_task_again_in_one_request_is_told_from_trying_a_step_again() -> None:
    book = LogBook()
    for _ in range(2):
        for order, step in enumerate(("Validation", "DB_Update"), 1):
            book.after(1).step("Item_Update", step, "START", order=order)
            book.after(1).step("Item_Update", step, "SUCCESS", order=order)
    first, second = assembled(book).tasks
    assert (first.number, second.number) == (1, 2)
    assert [len(step.attempts) for task in (first, second) for step in task.steps] == [1, 1, 1, 1]


def test_steps_that_run_side_by_side_keep_their_own_rows() -> None:
    book = LogBook()
    book.step("Import", "A", "START", order=1)
    book.after(1).step("Import", "B", "START", order=2)
    book.after(1).step("Import", "A", "SUCCESS", order=1, output_data="a")
    book.after(1).step("Import", "B", "SUCCESS", order=2, output_data="b")
    [task] = assembled(book).tasks
    outputs = [step.attempts[0].output for step in task.steps]
    assert [output and output.text for output in outputs] == ["a", "b"]
    assert task.ended_at == START + timedelta(milliseconds=3)


def test_a_step_logged_only_at_its_end_has_no_known_duration() -> None:
    book = LogBook()
    book.step("AI_Refinement", "Fetch_Data", "SUCCESS")
    book.after(5).step("AI_Refinement", "Refine", "SUCCESS", order=2)
    [task] = assembled(book).tasks
    assert [(step.name, step.attempts[0].timed) for step in task.steps] == [
        ("Fetch_Data", False),
        ("Refine", False),
    ]


def test_a_step_without_an_end_is_running_and_after_ten_silent_minutes_unfinished() -> None:
    book = LogBook()
    book.step("Sync", "Fetch", "START")
    book.after(9 * 60_000).step("Sync", "Fetch", "IN_PROGRESS", output_data={"done": 1})
    book.after(9 * 60_000)
    [task] = assembled(book).tasks
    assert (task.status, task.ended_at, assembled(book).is_running) == ("RUNNING", None, True)
    assert assembled(book).ended_at == book.now
    book.after(2 * 60_000)
    [attempt] = assembled(book).tasks[0].steps[0].attempts
    assert attempt.status == "UNFINISHED"
    assert attempt.seen_at - attempt.started_at == timedelta(minutes=9)


def test_an_attempt_that_was_started_over_before_it_ended_is_unfinished() -> None:
    book = LogBook()
    book.step("Sync", "Fetch", "START")
    book.after(1).step("Sync", "Fetch", "START")
    book.after(1).step("Sync", "Fetch", "SUCCESS")
    [step] = assembled(book).tasks[0].steps
    assert [attempt.status for attempt in step.attempts] == ["UNFINISHED", "SUCCESS"]


def test_long_values_are_cut_and_say_so() -> None:
    book = LogBook()
    book.step("Sync", "Fetch", "SUCCESS", input_data={"text": "x" * 9_000}, output_data="y" * 20)
    [attempt] = assembled(book).tasks[0].steps[0].attempts
    assert attempt.input is not None
    assert (len(attempt.input.text), attempt.input.cut, attempt.input.is_json) == (
        8192,
        True,
        False,
    )
    assert attempt.output is not None
    assert not attempt.output.cut


async def test_more_rows_than_are_shown_are_announced(
    sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(trace_query.MOST_ROWS, TASK_PROGRESS_LOGS, 3)
    book = LogBook()
    for order in range(1, 5):
        book.after(1).step("Import", f"Step_{order}", "SUCCESS", order=order)
    book.deliver(sqlite_store)
    trace = await trace_of(sqlite_store, book)
    assert trace.truncated
    assert [step.name for step in trace.tasks[0].steps] == ["Step_1", "Step_2", "Step_3"]


async def test_nothing_is_known_of_a_trace_that_never_was(store: Store, tmp_path: Path) -> None:
    LogBook().deliver(store)
    assert await LogService(StoreReader(store), tmp_path).trace(TRACE) is None


# --- rows on their way -----------------------------------------------------------------------


async def test_rows_that_are_still_on_their_way_are_read_from_the_csv_files(
    store: Store, tmp_path: Path
) -> None:
    book = LogBook()
    book.step("Item_Update", "Validation", "START")
    book.deliver(store)
    book.after(1).step("Item_Update", "Validation", "SUCCESS")
    book.after(1).request("/items/7", duration=3)
    book.write_csv(tmp_path / "logs")
    trace = await trace_of(store, book, tmp_path / "logs")
    assert trace.undelivered == 2
    assert [request.line.endpoint for request in trace.requests] == ["/items/7"]
    assert trace.tasks[0].steps[0].attempts[0].status == "SUCCESS"


async def test_a_trace_that_was_delivered_long_ago_is_not_looked_for_in_the_csv_files(
    sqlite_store: SQLiteStore, tmp_path: Path
) -> None:
    book = LogBook()
    book.request()
    book.deliver(sqlite_store)
    book.after(1).request("/undelivered")
    book.write_csv(tmp_path / "logs")
    assert (await trace_of(sqlite_store, book, tmp_path / "logs")).undelivered == 1
    book.after(61_000)
    assert (await trace_of(sqlite_store, book, tmp_path / "logs")).undelivered == 0


async def test_a_log_folder_that_is_gone_is_no_harm(
    sqlite_store: SQLiteStore, tmp_path: Path
) -> None:
    LogBook().deliver(sqlite_store)
    assert await LogService(StoreReader(sqlite_store), tmp_path / "nowhere").trace(TRACE) is None


# --- a store that does not answer ------------------------------------------------------------


async def test_before_the_first_delivery_the_csv_files_answer(
    sqlite_store: SQLiteStore, tmp_path: Path
) -> None:
    book = LogBook()
    row_id = book.request("/items")
    book.write_csv(tmp_path / "logs")
    log = LogService(StoreReader(sqlite_store), tmp_path / "logs", clock=book.clock)
    assert [line.id for line in (await log.requests(RequestFilter())).requests] == [row_id]
    trace = await log.trace(TRACE)
    assert trace is not None
    assert trace.undelivered == 1


async def test_a_stopped_server_is_an_error_in_words(sqld: TursoServer) -> None:
    store = TursoStore(sqld.url, sqld.token)
    sqld.kill()
    with pytest.raises(StoreUnavailable):
        await page_of(store)
    with pytest.raises(StoreError):
        await LogService(StoreReader(store)).trace(TRACE)


async def test_a_server_that_hangs_is_not_waited_for(sqld: TursoServer) -> None:
    store = TursoStore(sqld.url, sqld.token)
    LogBook().deliver(store)
    sqld.pause()
    try:
        with pytest.raises(StoreUnavailable):
            await LogService(StoreReader(store, seconds=0.3)).trace(TRACE)
    finally:
        sqld.resume()


class Hanging:
    """A store that keeps no deadline."""

    name = "hanging.example"

    def __init__(self) -> None:
        self.released = threading.Event()

    def query(self, sql: str, args: Sequence[Value] = (), *, timeout: float = 10.0) -> Result:
        self.released.wait(30)
        return Result((), [])

    migrate = insert = close = None


async def test_a_store_that_ignores_its_deadline_is_left_behind() -> None:
    store = Hanging()
    try:
        with pytest.raises(StoreUnavailable, match="hanging"):
            await LogService(StoreReader(store, seconds=0.1)).requests(RequestFilter())  # type: ignore[arg-type] # asks nothing else
    finally:
        store.released.set()


def assembled(book: LogBook) -> TraceView:
    """The trace of the book's steps, as at `book.now`."""
    from app.lib.tracelog.schema import TABLES, TASK_PROGRESS_LOGS
    from app.services.logs.log_rows import step_row
    from app.services.logs.trace_assembly import assemble

    columns = TABLES[TASK_PROGRESS_LOGS].column_names
    rows = [step_row(dict(zip(columns, row, strict=True))) for row in book.rows[TASK_PROGRESS_LOGS]]
    return assemble(TRACE, [], rows, book.now)
