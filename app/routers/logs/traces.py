"""One trace: all that happened under one id."""

import re
from dataclasses import dataclass
from datetime import tzinfo
from typing import ClassVar, Final

from fastapi import HTTPException, Request
from fastapi.responses import Response

from app.lib.tracelog.store.store import StoreError
from app.routers.logs.reading import RETRY, TRACE_ID, Problem, StateDep, problem_of
from app.routers.logs.requests import LogDep, log_there
from app.routers.logs.router import router
from app.routers.logs.trace_timeline import Timeline
from app.templating import Template, render, time_zone_of

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TracePage(Template):
    """A trace; where there is a `problem` with the store, out of this server's CSV files."""

    template: ClassVar[str] = "logs/trace.html"
    timeline: Timeline
    zone: tzinfo
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


@router.get("/traces/{trace_id}")
async def show_trace(request: Request, log: LogDep, state: StateDep, trace_id: str) -> Response:
    """All that happened under one trace id."""
    if not TRACE_ID.fullmatch(trace_id):
        raise HTTPException(404)
    try:
        trace = await log_there(log).trace(trace_id)
    except StoreError as error:
        problem = problem_of(request, error)
        if log and (trace := await log.trace_from_files(trace_id)) is not None:
            page = TracePage(Timeline(trace), time_zone_of(request), problem)
            return render(request, page, 503, headers=RETRY)
        return render(request, TraceProblemPage(trace_id, problem), 503, headers=RETRY)
    if trace is not None:
        return render(request, TracePage(Timeline(trace), time_zone_of(request)))
    if not _UUID.fullmatch(trace_id):
        raise HTTPException(404)
    return render(request, UnknownTracePage(trace_id, state.pending if state else 0), 404)
