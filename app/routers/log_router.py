"""The trace log as pages, for administrators."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from app.dependencies import LoggerDep, admin_user
from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.store.store import (
    QueryFailed,
    StoreError,
    StoreRefused,
    StoreSchemaMissing,
)
from app.lib.tracelog.trace import current_trace
from app.routers import log_pages as pages
from app.routers.log_pages import Listing, Problem, current_filter, list_url, read_filter
from app.routers.trace_timeline import Timeline
from app.schemas.log import LogState, RequestFilter, RequestPage
from app.services.log_service import LogService
from app.services.log_state import log_state
from app.templating import is_partial, language_of, render, time_zone_of

router = APIRouter(prefix="/logs", include_in_schema=False, dependencies=[Depends(admin_user)])

_RETRY: Final = {"Retry-After": "5"}
# Of a failed request the page's script keeps what is there, unless the response says otherwise.
_SWAP_ANYWAY: Final = {"HX-Reswap": "outerHTML"}
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TRACE_ID: Final = re.compile(r"[!-~]{1,100}")


def log_service(logger: LoggerDep) -> LogService | None:
    """Questions to the trace log; None where the app keeps it in files only, or not at all."""
    if not isinstance(logger, EnhancedCSVLogger):
        return None
    return LogService(logger.store, logger.recorder.log_dir)


async def current_state(logger: LoggerDep) -> LogState | None:
    """What became of this host's rows; None where nothing is delivered."""
    if not isinstance(logger, EnhancedCSVLogger):
        return None
    return await run_in_threadpool(log_state, logger)


LogDep = Annotated[LogService | None, Depends(log_service)]
StateDep = Annotated[LogState | None, Depends(current_state)]


@router.get("")
async def list_requests(request: Request, log: LogDep, state: StateDep) -> Response:
    """One page of requests; filtering and paging all come here."""
    wanted, ignored = read_filter(request.query_params)
    zone = time_zone_of(request)
    status, headers = 200, {}
    try:
        page = await _there(log).requests(wanted)
        if page.previous_cursor is None:
            wanted = wanted.model_copy(update={"before": None})  # this is the list's start
        listing = Listing(wanted, page, zone, ignored)
    except StoreError as error:
        problem = problem_of(request, error)
        listing = Listing(wanted, RequestPage(requests=[]), zone, ignored, problem)
        status, headers = 503, _RETRY | _SWAP_ANYWAY
    if is_partial(request):
        headers = headers | _history(request, wanted)
        return render(request, pages.ListPartial(listing, state), status, headers=headers)
    return render(request, pages.ListPage(listing, state), status, headers=headers)


@router.get("/traces/{trace_id}")
async def show_trace(request: Request, log: LogDep, state: StateDep, trace_id: str) -> Response:
    """All that happened under one trace id."""
    if not _TRACE_ID.fullmatch(trace_id):
        raise HTTPException(404)
    try:
        trace = await _there(log).trace(trace_id)
    except StoreError as error:
        page = pages.ProblemPage(trace_id, problem_of(request, error))
        return render(request, page, 503, headers=_RETRY)
    if trace is not None:
        return render(request, pages.TracePage(Timeline(trace), time_zone_of(request)))
    if not _UUID.fullmatch(trace_id):
        raise HTTPException(404)
    return render(request, pages.UnknownTracePage(trace_id, state.pending if state else 0), 404)


class NoStore(StoreError):
    """The app was made with a logger that delivers to no store."""


def _there(log: LogService | None) -> LogService:
    if log is None:
        raise NoStore("Its logger is no EnhancedCSVLogger.")
    return log


def _history(request: Request, wanted: RequestFilter) -> dict[str, str]:
    """The URL goes into the browser's history; typing on in a search stays one step of it."""
    url = list_url(wanted, after=wanted.after, before=wanted.before)
    before = current_filter(request)
    typing = bool(before.path and wanted.path and before.path != wanted.path)
    return {"HX-Replace-Url" if typing else "HX-Push-Url": url}


def problem_of(request: Request, error: StoreError) -> Problem:
    """Why there is no answer, in the reader's words; the trace log gets it as an exception."""
    _ = language_of(request).gettext
    if (trace := current_trace()) is not None:
        trace.exception = error  # the trace log shows it as it shows an unhandled one
    match error:
        case NoStore():
            title = _("This app delivers its log to no database.")
            advice = _("What its logger records is in the CSV files on the server.")
        case StoreRefused():
            title = _("The log database refuses access.")
            advice = _(
                "Check TURSO_TOKEN and the limits of your plan. Until then everything is kept in "
                "the CSV files on the server, and delivered afterwards."
            )
        case StoreSchemaMissing():
            title = _("The log database has no tables yet.")
            advice = _("They are made with the first delivery. Please try again in a few seconds.")
        case QueryFailed():
            title = _("The log database could not answer this question.")
            advice = _("Ask for less at once: another filter, or a full trace ID.")
        case _:
            title = _("The log database is not answering.")
            advice = _(
                "Nothing is lost: everything is kept in the CSV files on the server, and delivered "
                "as soon as the database answers. Please try again in a few seconds."
            )
    return Problem(title, advice, str(error))
