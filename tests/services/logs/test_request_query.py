"""The requests that administrators find, asked of a SQLite file and of a real sqld."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from app.lib.tracelog.schema import Value
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Result, Store
from app.schemas.log import RequestFilter
from app.services.logs import log_service, request_query
from app.services.logs.log_service import LogService
from app.services.logs.store_reader import StoreReader
from tests.services.log_book import START, LogBook
from tests.services.logs.asked import OTHER, TRACE, found, page_of


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
