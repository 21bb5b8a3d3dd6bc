"""The list of requests."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response

from app.dependencies import LoggerDep, SettingsDep
from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.ids import first_at
from app.lib.tracelog.store.store import StoreError
from app.lib.utils import utc_now
from app.routers.log_query_pages import console_url
from app.routers.logs import request_pages as pages
from app.routers.logs.columns import column_state, read_columns
from app.routers.logs.frame import Frame
from app.routers.logs.reading import RETRY, SWAP_ANYWAY, NoStore, StateDep, problem_of
from app.routers.logs.request_pages import (
    Listing,
    current_filter,
    filter_state,
    read_filter,
)
from app.routers.logs.router import router
from app.routers.logs.span import read_span
from app.schemas.log import RequestPage
from app.services.logs.log_service import LogService
from app.services.logs.request_query import RequestQuery
from app.services.logs.store_reader import StoreReader
from app.services.query_service import with_literals
from app.templating import is_partial, render, time_zone_of


async def log_service(logger: LoggerDep) -> LogService | None:
    """Questions to the trace log; None where the app keeps it in files only, or not at all."""
    if not isinstance(logger, EnhancedCSVLogger):
        return None
    return LogService(StoreReader(logger.store), logger.recorder.log_dir)


def log_there(log: LogService | None) -> LogService:
    """The service. Raises `NoStore`."""
    if log is None:
        raise NoStore("Its logger is no EnhancedCSVLogger.")
    return log


LogDep = Annotated[LogService | None, Depends(log_service)]


@router.get("/requests")
async def list_requests(
    request: Request, settings: SettingsDep, log: LogDep, state: StateDep
) -> Response:
    """One page of requests; filtering and paging all come here."""
    zone = time_zone_of(request)
    span = read_span(request.query_params, utc_now(), zone, default="")
    wanted, ignored = read_filter(request.query_params, span)
    columns = read_columns(request.query_params)
    status, headers = 200, {}
    page, counts, problem = RequestPage(requests=[]), None, None
    position = first_at(utc_now().timestamp())
    try:
        page = await log_there(log).requests(wanted, routes="route" in columns)
        counts = await log_there(log).status_counts(wanted)
        if page.previous_cursor is None:
            wanted = wanted.model_copy(update={"before": None})  # this is the list's start
    except StoreError as error:
        problem = problem_of(request, error)
        page = await log.requests_from_files(wanted) if log else page
        status, headers = 503, RETRY | SWAP_ANYWAY
    live = request.query_params.get("live") == "1"
    kept = filter_state(wanted) | column_state(columns) | ({"live": "1"} if live else {})
    frame = Frame("requests", span, zone, kept)
    listing = Listing(
        wanted, page, frame, counts, ignored, problem, columns, live=live, position=position
    )
    sql = with_literals(RequestQuery(wanted).page())
    question = pages.Question(sql, console_url(sql) if settings.has_log_console else "")
    if is_partial(request):
        headers = headers | _history(request, listing)
        part = pages.ListPartial(listing, state, frame, question)
        return render(request, part, status, headers=headers)
    whole = pages.ListPage(listing, state, frame, question)
    return render(request, whole, status, headers=headers)


def _history(request: Request, listing: Listing) -> dict[str, str]:
    """The URL goes into the browser's history; typing on in a search stays one step of it."""
    wanted = listing.wanted
    url = listing.url(after=wanted.after, before=wanted.before)
    before = current_filter(request)
    typing = bool(before.search and wanted.search and before.search != wanted.search)
    return {"HX-Replace-Url" if typing else "HX-Push-Url": url}
