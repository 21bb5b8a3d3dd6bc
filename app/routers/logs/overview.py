"""How the app is doing: the first page of the trace log."""

from dataclasses import dataclass
from typing import ClassVar

from fastapi import Request
from fastapi.responses import Response

from app.lib.tracelog.store.store import StoreError
from app.lib.utils import utc_now
from app.routers.logs.charts import Chart, HeatMap, duration_chart, heat_map, request_chart
from app.routers.logs.frame import Frame
from app.routers.logs.reading import (
    RETRY,
    Problem,
    ReaderDep,
    StateDep,
    problem_of,
    there,
)
from app.routers.logs.router import router
from app.routers.logs.span import read_span
from app.schemas.log import LogState
from app.services.logs.overview import Overview, OverviewService
from app.templating import Template, language_of, render, time_zone_of


@dataclass(frozen=True, slots=True)
class OverviewPage(Template):
    """`overview` is None while the store does not answer; `problem` then says why."""

    template: ClassVar[str] = "logs/overview.html"
    frame: Frame
    state: LogState | None
    overview: Overview | None = None
    charts: tuple[Chart, ...] = ()
    heat: HeatMap | None = None
    problem: Problem | None = None


@router.get("")
async def show_overview(request: Request, reader: ReaderDep, state: StateDep) -> Response:
    """Charts and lists of one span of time, each of which leads to the requests behind it."""
    zone = time_zone_of(request)
    frame = Frame("overview", read_span(request.query_params, utc_now(), zone), zone)
    _ = language_of(request).gettext
    try:
        overview = await OverviewService(there(reader)).overview(frame.span.start, frame.span.end)
    except StoreError as error:
        page = OverviewPage(frame, state, problem=problem_of(request, error))
        return render(request, page, 503, headers=RETRY)
    charts = (
        request_chart(overview.points, overview.step, _),
        duration_chart(overview.points, overview.step, _),
    )
    heat = heat_map(overview.points, overview.step)
    return render(request, OverviewPage(frame, state, overview, charts, heat))
