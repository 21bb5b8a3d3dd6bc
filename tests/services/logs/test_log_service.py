"""Rows on their way, and stores that do not answer."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.lib.tracelog.schema import Value
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Result, Store, StoreError, StoreUnavailable
from app.lib.tracelog.store.turso_store import TursoStore
from app.schemas.log import RequestFilter
from app.services.logs.log_service import LogService
from app.services.logs.store_reader import StoreReader
from tests.services.log_book import LogBook
from tests.services.logs.asked import TRACE, page_of, trace_of
from tests.support.turso import TursoServer


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
