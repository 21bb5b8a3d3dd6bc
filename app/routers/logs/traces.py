"""One trace: all that happened under one id."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import ClassVar, Final

from fastapi import HTTPException, Request
from fastapi.responses import Response

from app.config import Settings
from app.dependencies import Admin, LoggerDep
from app.lib.logger import TraceLogger
from app.lib.tracelog.schema import TASK_PROGRESS_LOGS
from app.lib.tracelog.store.store import StoreError
from app.routers.logs.curl import curl_command
from app.routers.logs.reading import (
    RETRY,
    TRACE_ID,
    Problem,
    ReaderDep,
    StateDep,
    problem_of,
    there,
)
from app.routers.logs.requests import LogDep, log_there
from app.routers.logs.router import router
from app.routers.logs.trace_timeline import Timeline
from app.schemas.log import RequestView, TraceView
from app.services.logs.trace_comparison import StepPair, compare
from app.services.logs.trace_neighbours import NONE, Neighbours, find_neighbours
from app.templating import Template, render, time_zone_of

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TracePage(Template):
    """A trace; where there is a `problem` with the store, out of this server's CSV files."""

    template: ClassVar[str] = "logs/trace.html"
    timeline: Timeline
    zone: tzinfo
    neighbours: Neighbours
    curl: Callable[[RequestView], str]
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class UnknownTracePage(Template):
    """Nothing is known of a trace; `pending` rows of this host are still on their way."""

    template: ClassVar[str] = "logs/unknown.html"
    wanted: str
    pending: int


@dataclass(frozen=True, slots=True)
class TraceProblemPage(Template):
    """The store did not answer the question about a trace."""

    template: ClassVar[str] = "logs/problem.html"
    wanted: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class ComparisonPage(Template):
    """Two traces of one task; `here` is the one that is in question."""

    template: ClassVar[str] = "logs/comparison.html"
    here: TraceView
    there: TraceView
    pairs: list[StepPair]


@router.get("/traces/{trace_id}")
async def show_trace(
    request: Request,
    log: LogDep,
    reader: ReaderDep,
    logger: LoggerDep,
    state: StateDep,
    user: Admin,
    trace_id: str,
) -> Response:
    """All that happened under one trace id. Who looked at its bodies is recorded."""
    if not TRACE_ID.fullmatch(trace_id):
        raise HTTPException(404)
    try:
        trace = await log_there(log).trace(trace_id)
        neighbours = await find_neighbours(there(reader), trace_id)
    except StoreError as error:
        problem = problem_of(request, error)
        if log and (trace := await log.trace_from_files(trace_id)) is not None:
            curl = partial(curl_command, origin=_origin(request))
            page = TracePage(Timeline(trace), time_zone_of(request), NONE, curl, problem)
            return render(request, page, 503, headers=RETRY)
        return render(request, TraceProblemPage(trace_id, problem), 503, headers=RETRY)
    if trace is not None:
        if "hx-request" not in request.headers:
            _record_reading(logger, trace, user.id)
        curl = partial(curl_command, origin=_origin(request))
        page = TracePage(Timeline(trace), time_zone_of(request), neighbours, curl)
        return render(request, page)
    if not _UUID.fullmatch(trace_id):
        raise HTTPException(404)
    return render(request, UnknownTracePage(trace_id, state.pending if state else 0), 404)


@router.get("/traces/{trace_id}/compare/{other_id}")
async def compare_traces(request: Request, log: LogDep, trace_id: str, other_id: str) -> Response:
    """What differs between a trace and another one of the same task."""
    if not TRACE_ID.fullmatch(trace_id) or not TRACE_ID.fullmatch(other_id):
        raise HTTPException(404)
    try:
        here, other = [await log_there(log).trace(each) for each in (trace_id, other_id)]
    except StoreError as error:
        page = TraceProblemPage(trace_id, problem_of(request, error))
        return render(request, page, 503, headers=RETRY)
    if here is None or other is None:
        raise HTTPException(404)
    return render(request, ComparisonPage(here, other, compare(here, other)))


def _record_reading(logger: TraceLogger, trace: TraceView, user_id: int) -> None:
    if not any(request.request_body or request.response_body for request in trace.requests):
        return
    row = {
        "task_name": "Log_Trace",
        "step_name": "Open_Bodies",
        "status": "SUCCESS",
        "input_data": {"user_id": user_id, "trace_id": trace.trace_id},
    }
    logger.log(None, TASK_PROGRESS_LOGS, row)


def _origin(request: Request) -> str:
    settings: Settings = request.app.state.settings
    return settings.public_origin or str(request.base_url).rstrip("/")
