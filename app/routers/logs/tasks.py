"""Tasks with their steps, and the runs of one task."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import ClassVar
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response

from app.lib.tracelog.store.store import StoreError
from app.lib.utils import utc_now
from app.routers.logs.frame import Frame
from app.routers.logs.reading import RETRY, Problem, ReaderDep, problem_of, there
from app.routers.logs.router import router
from app.routers.logs.span import read_span
from app.schemas.numbers import IdFromZero
from app.services.logs.tasks import RunPage, TaskService, TasksView
from app.templating import Template, render, time_zone_of


@dataclass(frozen=True, slots=True)
class TasksPage(Template):
    """`view` is None while the store does not answer; `problem` then says why."""

    template: ClassVar[str] = "logs/tasks.html"
    frame: Frame
    view: TasksView | None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class RunsPage(Template):
    template: ClassVar[str] = "logs/runs.html"
    page: RunPage
    zone: tzinfo
    older: str


@router.get("/tasks")
async def list_tasks(
    request: Request,
    reader: ReaderDep,
    task: str = "",
    before: IdFromZero | None = None,
) -> Response:
    """All tasks of a span of time; with `task` the runs of that one."""
    zone = time_zone_of(request)
    frame = Frame("tasks", read_span(request.query_params, utc_now(), zone), zone)
    try:
        service = TaskService(there(reader))
        if task:
            page = await service.runs(task, before)
            return render(request, RunsPage(page, zone, _older(page, {"task": task})))
        view = await service.tasks(frame.span.start, frame.span.end)
    except StoreError as error:
        shown = TasksPage(frame, None, problem_of(request, error))
        return render(request, shown, 503, headers=RETRY)
    return render(request, TasksPage(frame, view))


def _older(page: RunPage, state: Mapping[str, str]) -> str:
    if page.before is None:
        return ""
    return f"/logs/tasks?{urlencode({**state, 'before': page.before})}"
