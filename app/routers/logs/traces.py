"""One trace: all that happened under one id."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import Annotated, ClassVar, Final

from fastapi import HTTPException, Query, Request
from fastapi.responses import Response

from app.dependencies import Admin, LoggerDep
from app.lib.logger import TraceLogger
from app.lib.tracelog.store.store import StoreError
from app.outbox import origin_of
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
from app.routers.logs.trace_details import record_reading
from app.routers.logs.trace_timeline import Part, Timeline
from app.schemas.log import RequestView, TraceView
from app.schemas.numbers import IdFromZero, WholeNumber
from app.services.logs.log_service import MOST_COMPARED, LogService
from app.services.logs.trace_comparison import StepPair, compare, most_different
from app.services.logs.trace_neighbours import NONE, Neighbours, find_neighbours
from app.templating import Template, is_partial, render, time_zone_of

_PAIRS_SHOWN: Final = 200
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TracePage(Template):
    """A trace; where there is a `problem` with the store, out of this server's CSV files."""

    template: ClassVar[str] = "logs/trace.html"
    of: str
    timeline: Timeline
    zone: tzinfo
    neighbours: Neighbours
    curl: Callable[[RequestView], str]
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class TracePart(Template):
    """Some rows of a trace's picture."""

    template: ClassVar[str] = "logs/_part.html"
    of: str
    timeline: Timeline
    part: Part
    zone: tzinfo
    curl: Callable[[RequestView], str]


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
    count: int
    """Of how many these are the ones that differ most."""


@router.get("/traces/{trace_id}")
async def show_trace(
    request: Request,
    log: LogDep,
    reader: ReaderDep,
    logger: LoggerDep,
    state: StateDep,
    user: Admin,
    trace_id: str,
    part: Annotated[WholeNumber, Query(ge=1, le=1000)] = 1,
    row: IdFromZero | None = None,
) -> Response:
    """All that happened under one trace id. Who looked at its bodies is recorded."""
    if not TRACE_ID.fullmatch(trace_id):
        raise HTTPException(404)
    zone, curl = time_zone_of(request), partial(curl_command, origin=origin_of(request))
    wants_part = is_partial(request)
    try:
        trace = await log_there(log).trace(trace_id)
        neighbours = NONE if wants_part else await find_neighbours(there(reader), trace_id)
        timeline = await _timeline(log_there(log), trace, part, row) if trace else None
    except StoreError as error:
        problem = problem_of(request, error)
        if log and (trace := await log.trace_from_files(trace_id)) is not None:
            page = TracePage(trace_id, Timeline(trace, part, row), zone, NONE, curl, problem)
            return render(request, page, 503, headers=RETRY)
        return render(request, TraceProblemPage(trace_id, problem), 503, headers=RETRY)
    if timeline is not None:
        if wants_part:
            return render(request, _one_part(trace_id, timeline, zone, curl))
        if "hx-request" not in request.headers:
            _record_reading(logger, timeline.trace, user.id)
        return render(request, TracePage(trace_id, timeline, zone, neighbours, curl))
    if not _UUID.fullmatch(trace_id):
        raise HTTPException(404)
    return render(request, UnknownTracePage(trace_id, state.pending if state else 0), 404)


@router.get("/traces/{trace_id}/compare/{other_id}")
async def compare_traces(request: Request, log: LogDep, trace_id: str, other_id: str) -> Response:
    """What differs between a trace and another one of the same task."""
    if not TRACE_ID.fullmatch(trace_id) or not TRACE_ID.fullmatch(other_id):
        raise HTTPException(404)
    try:
        here, other = [
            await log_there(log).trace(each, at_once=MOST_COMPARED) for each in (trace_id, other_id)
        ]
    except StoreError as error:
        page = TraceProblemPage(trace_id, problem_of(request, error))
        return render(request, page, 503, headers=RETRY)
    if here is None or other is None:
        raise HTTPException(404)
    pairs = compare(here, other)
    shown = most_different(pairs, _PAIRS_SHOWN)
    return render(request, ComparisonPage(here, other, shown, len(pairs)))


async def _timeline(log: LogService, trace: TraceView, part: int, row: int | None) -> Timeline:
    """The picture; of an outline the steps that stand open are there with their values."""
    timeline = Timeline(trace, part, row)
    for attempt in timeline.bare:
        found = await log.attempt(trace.trace_id, attempt.first_id, attempt.last_id)
        if found is not None:
            timeline.fill(found)
    return timeline


def _one_part(
    trace_id: str, timeline: Timeline, zone: tzinfo, curl: Callable[[RequestView], str]
) -> TracePart:
    for part in timeline.parts:
        if part.number == timeline.part:
            return TracePart(trace_id, timeline, part, zone, curl)
    raise HTTPException(404)


def _record_reading(logger: TraceLogger, trace: TraceView, user_id: int) -> None:
    if any(request.request_body or request.response_body for request in trace.requests):
        record_reading(logger, trace.trace_id, user_id)
