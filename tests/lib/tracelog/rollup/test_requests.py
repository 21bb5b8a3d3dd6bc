"""Requests under which name, and with which numbers, whatever their rows hold."""

import pytest

from app.lib.tracelog.rollup.requests import KEY_CHARS, route_of
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from tests.lib.tracelog.rollup.sums import ask, part
from tests.services.log_book import LogBook


@pytest.mark.parametrize(
    ("headers", "path", "status", "route"),
    [
        ('{":route":"/items/{item_id}"}', "/items/1", 404, "/items/{item_id}"),
        ('{":route":"%s"}' % ("x" * 300), "/a", 200, "x" * KEY_CHARS),
        ('{":route":5}', "/a", 200, "/a"),
        ('[":route"]', "/a", 200, "/a"),
        ('{":route"', "/a", 200, "/a"),
        (None, "/" + "z" * 300, 200, "/" + "z" * (KEY_CHARS - 1)),
        (None, "/files/0123456789abcdef", 200, "/files/{}"),
        (None, "/a", 404, ""),
        (None, "/a", 405, ""),
    ],
)
def test_a_request_is_counted_under_its_route(
    headers: str | None, path: str, status: int, route: str
) -> None:
    assert route_of(headers, path, status) == route


def test_durations_and_codes_that_make_no_sense_do_not_spoil_the_sums(
    file_store: SQLiteStore,
) -> None:
    book = LogBook()
    for milliseconds in (-5, 7, 2**62, 2**62):
        book.after(1).request(status=600, method="X" * 300, duration_ms=milliseconds)
    file_store.insert(part(book))

    sums = "SELECT n, c0, c5, ms, length(method) FROM tracelog_request_sums WHERE seconds = 60"
    assert sorted(ask(file_store, sums)) == [
        (4, 4, 0, 2 * 2**40 + 7, 0),
        (4, 4, 0, 2 * 2**40 + 7, KEY_CHARS),
    ]
