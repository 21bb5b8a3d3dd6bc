"""What the service of the log finds in a store."""

from pathlib import Path

from app.lib.tracelog.store.store import Store
from app.schemas.log import RequestFilter, RequestPage, TraceView
from app.services.logs.log_service import LogService
from app.services.logs.store_reader import StoreReader
from tests.services.log_book import LogBook

TRACE = "3f2a1b9c-0000-4000-8000-000000000001"
OTHER = "7d000000-0000-4000-8000-000000000002"


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
