"""What a filter leaves out, asked of a SQLite file, of a real sqld and of CSV files."""

from pathlib import Path

import pytest

from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Store
from app.schemas.log import RequestFilter
from app.services.logs import log_service, request_query
from app.services.logs.csv_rows import csv_page
from app.services.logs.request_query import RequestQuery, count_statement
from tests.services.log_book import LogBook
from tests.services.logs.asked import OTHER, TRACE, found, page_of

ALL = ["/c", "/Items/9", "/items", "/a b", "/"]

CASES = [
    ("/items", ["/c", "/a b", "/"]),
    ("/items$", ["/c", "/Items/9", "/a b", "/"]),
    ("/$", ["/c", "/Items/9", "/items", "/a b"]),
    ("path:tems", ["/c", "/a b", "/"]),
    ("path:9$", ["/c", "/items", "/a b", "/"]),
    ('path:"/a b$"', ["/c", "/Items/9", "/items", "/"]),
    ("path:_", ALL),
    ("status:404", ["/c", "/items", "/a b", "/"]),
    ("status:5xx /c", ["/Items/9", "/items", "/"]),
    ("user:2", ["/c", "/items", "/"]),
    ("method:post", ["/Items/9", "/items", "/a b", "/"]),
    ("ip:192.0.2.1", ["/Items/9", "/items", "/a b", "/"]),
    ("route:/{rest}", ["/c", "/Items/9", "/items", "/a b"]),
    ("/items status:500", ["/c", "/"]),
    ("/", []),
]


def made_up() -> LogBook:
    book = LogBook()
    book.after(1).request("/", 200, user=None, request_header={":route": "/{rest}"})
    book.after(1).request("/a b", 500, user=2)
    book.after(1).request("/items", 201)
    book.after(1).request("/Items/9", 404, user=2, trace=OTHER)
    book.after(1).request("/c", 503, method="POST", ip_address="192.0.2.1", user=None)
    return book


@pytest.mark.parametrize(("without", "paths"), CASES)
async def test_what_is_left_out_is_not_found_and_all_else_is(
    store: Store, tmp_path: Path, without: str, paths: list[str]
) -> None:
    book = made_up()
    book.deliver(store)
    assert await found(store, without=without) == paths

    book.write_csv(tmp_path / "logs")
    wanted = RequestFilter.model_validate({"without": without})
    assert [r.endpoint for r in csv_page(tmp_path / "logs", wanted).requests] == paths


async def test_it_goes_along_with_every_other_filter(store: Store) -> None:
    made_up().deliver(store)
    assert await found(store, status="5xx", without="/c") == ["/a b"]
    assert await found(store, status="404", without="user:2") == []
    assert await found(store, trace=TRACE, without="status:2xx") == ["/c", "/a b"]
    assert await found(store, path="/items$", without="/c") == ["/items"]
    assert await found(store, route="/{rest}", path="/", without="user:7 route:/x") == ["/"]


async def test_a_search_that_leaves_out_stops_after_so_many_requests(
    sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (log_service, request_query):
        monkeypatch.setattr(module, "SCANNED", 10)
    book = LogBook()
    book.request("/wanted")
    for _ in range(25):
        book.after(1).request("/noise")
    book.deliver(sqlite_store)
    page = await page_of(sqlite_store, without="/noise")
    assert page.requests == []
    assert page.searched_to is not None
    seen = 1
    while page.next_cursor:
        page = await page_of(sqlite_store, without="/noise", after=page.next_cursor)
        seen += 1
    assert [request.endpoint for request in page.requests] == ["/wanted"]
    assert seen == 3


def test_the_sums_do_not_tell_how_many_are_left() -> None:
    span = {"since": 1_700_000_000, "until": 1_700_003_600}
    assert count_statement(RequestFilter.model_validate(span))
    assert count_statement(RequestFilter.model_validate({**span, "without": "/x"})) is None


def test_nothing_of_it_is_put_into_the_sql() -> None:
    wanted = RequestFilter.model_validate({"without": "/zebra ip:zebra route:zebra method:zebra"})
    assert "zebra" not in RequestQuery(wanted).page().sql.lower()
