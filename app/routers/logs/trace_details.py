"""Parts of a trace that are loaded when somebody opens them: one step, one long value."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import ClassVar, Literal

from fastapi import HTTPException, Request
from fastapi.responses import Response

from app.dependencies import Admin, LoggerDep
from app.lib.logger import TraceLogger
from app.lib.tracelog.schema import TASK_PROGRESS_LOGS
from app.lib.tracelog.store.store import StoreError
from app.routers.logs.reading import RETRY, TRACE_ID, Problem, problem_of
from app.routers.logs.requests import LogDep, log_there
from app.routers.logs.router import router
from app.routers.logs.trace_timeline import Row, detail_row
from app.schemas.log import Payload
from app.schemas.numbers import IdFromZero
from app.templating import Template, is_partial, render, time_zone_of

_Column = Literal["request_header", "request_body", "response_body", "input_data", "output_data"]


@dataclass(frozen=True, slots=True)
class StepPage(Template):
    """One attempt at a step of the trace `of`."""

    template: ClassVar[str] = "logs/step.html"
    of: str
    row: Row
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class StepPartial(StepPage):
    template: ClassVar[str] = "logs/_step.html"


@dataclass(frozen=True, slots=True)
class ValuePage(Template):
    """A value of the trace `of`, whole."""

    template: ClassVar[str] = "logs/value.html"
    of: str
    column: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class ValuePartial(ValuePage):
    template: ClassVar[str] = "logs/_value.html"


@dataclass(frozen=True, slots=True)
class DetailProblemPage(Template):
    """The store did not answer the question about a part of a trace."""

    template: ClassVar[str] = "logs/problem.html"
    wanted: str
    problem: Problem


@router.get("/traces/{trace_id}/steps/{first_id}/{last_id}")
async def show_step(
    request: Request, log: LogDep, trace_id: str, first_id: IdFromZero, last_id: IdFromZero
) -> Response:
    """One attempt at a step, by the ids of its first and last row."""
    try:
        attempt = await log_there(log).attempt(_checked(trace_id), first_id, last_id)
    except StoreError as error:
        page = DetailProblemPage(trace_id, problem_of(request, error))
        return render(request, page, 503, headers=RETRY)
    if attempt is None:
        raise HTTPException(404)
    kind = StepPartial if is_partial(request) else StepPage
    return render(request, kind(trace_id, detail_row(attempt), time_zone_of(request)))


@router.get("/traces/{trace_id}/values/{column}/{row_id}")
async def show_value(
    request: Request,
    log: LogDep,
    logger: LoggerDep,
    user: Admin,
    trace_id: str,
    column: _Column,
    row_id: IdFromZero,
) -> Response:
    """A long value whole. Who opened it is recorded."""
    try:
        payload = await log_there(log).value(_checked(trace_id), column, row_id)
    except StoreError as error:
        page = DetailProblemPage(trace_id, problem_of(request, error))
        return render(request, page, 503, headers=RETRY)
    if payload is None:
        raise HTTPException(404)
    record_reading(logger, trace_id, user.id, column)
    kind = ValuePartial if is_partial(request) else ValuePage
    return render(request, kind(trace_id, column, payload))


def record_reading(logger: TraceLogger, trace_id: str, user_id: int, column: str = "") -> None:
    """Record that somebody opened the bodies of a trace, or one long value of it."""
    what: dict[str, object] = {"user_id": user_id, "trace_id": trace_id}
    row = {
        "task_name": "Log_Trace",
        "step_name": "Open_Bodies",
        "status": "SUCCESS",
        "input_data": what | ({"column": column} if column else {}),
    }
    logger.log(None, TASK_PROGRESS_LOGS, row)


def _checked(trace_id: str) -> str:
    if not TRACE_ID.fullmatch(trace_id):
        raise HTTPException(404)
    return trace_id
