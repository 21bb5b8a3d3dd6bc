"""One's jobs: a page of them, live while they run, and what can be done with them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app import live
from app.cookies import JOBS, delete_cookie, set_cookie
from app.database import Database
from app.dependencies import DatabaseDep, SessionDep, SettingsDep, SignedIn
from app.i18n import Language
from app.lib.utils import utc_now
from app.models.job import ENDED, Job
from app.routers import job_texts
from app.routers.job_news import Ends
from app.services.errors import NotFound
from app.services.job_files import JobFiles, file_of
from app.services.job_service import JobService
from app.templating import Template, Toast, is_partial, language_of, redirect, render, render_text

router = APIRouter(include_in_schema=False)

LOOK_SECONDS: Final = 1.0
STREAM_SECONDS: Final = 300.0
"""A stream ends after that and the page asks for a new one, so that signing out ends it too."""

COOKIE_SECONDS: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt at a step. `seconds` is how long it took; None while it runs."""

    name: str
    status: str
    began_at: datetime
    seconds: float | None


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job in its reader's words. `share` is how much of the step is done, from 0 to 100.

    `file` is what the file to download is called, empty where there is none; `bad_rows` is how many
    rows of an import were not fit to be items.
    """

    job: Job
    kind: str
    step: str
    problem: str
    outcome: str
    share: int | None
    seconds_left: float | None
    file: str
    bad_rows: int
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class JobsPage(Template):
    template: ClassVar[str] = "jobs/list.html"
    lines: Sequence[JobLine]


@dataclass(frozen=True, slots=True)
class JobsPartial(Template):
    template: ClassVar[str] = "jobs/_list.html"
    lines: Sequence[JobLine]


@dataclass(frozen=True, slots=True)
class Streamed(Template):
    """The list, the number in the navigation, and toasts for those that have just ended."""

    template: ClassVar[str] = "jobs/_streamed.html"
    lines: Sequence[JobLine]
    count: int
    toasts: Sequence[Toast]


@dataclass(frozen=True, slots=True)
class Badge(Template):
    """How many jobs go on, for the navigation, and toasts for those that have just ended."""

    template: ClassVar[str] = "jobs/_badge.html"
    count: int
    toasts: Sequence[Toast]


async def job_service(session: SessionDep, user: SignedIn) -> JobService:
    """The signed-in user's jobs."""
    return JobService(session, user.id)


Jobs = Annotated[JobService, Depends(job_service)]


def note_job(response: Response, settings: SettingsDep) -> Response:
    """Have the pages of this browser show that something runs. For routes that queue a job."""
    set_cookie(response, settings, JOBS, "1", max_age=COOKIE_SECONDS)
    return response


@router.get("/jobs")
async def list_jobs(request: Request, settings: SettingsDep, jobs: Jobs) -> Response:
    """All of one's jobs, those that go on first."""
    latest = await jobs.latest()
    lines = lines_of(language_of(request), latest)
    page = JobsPartial(lines) if is_partial(request) else JobsPage(lines)
    response = render(request, page)
    if all(job.status in ENDED for job in latest):
        delete_cookie(response, settings, JOBS)
    return response


@router.get("/jobs/stream")
async def stream_jobs(request: Request, database: DatabaseDep, user: SignedIn) -> Response:
    """The list anew whenever something of it has changed, and a toast for each job that ends."""
    user_id, ends = user.id, _ends(request)

    async def look(session: AsyncSession, shown: str) -> tuple[str, str | None]:
        service = JobService(session, user_id)
        lines, count = lines_of(ends.language, await service.latest()), await service.going_on()
        toasts = await ends.toasts(service)
        state = render_text(request, Streamed(lines, count, ()))
        if toasts:
            return state, render_text(request, Streamed(lines, count, toasts))
        return state, state if state != shown else None

    texts = _looks(request, database, user_id, look)
    return live.response(live.messages(texts, lambda: ends.place))


@router.get("/jobs/badge")
async def stream_badge(request: Request, database: DatabaseDep, user: SignedIn) -> Response:
    """How many jobs go on, and a toast for each that ends. The stream ends with the last one."""
    user_id, ends = user.id, _ends(request)

    async def look(session: AsyncSession, shown: str) -> tuple[str, str | None]:
        service = JobService(session, user_id)
        count, toasts = await service.going_on(), await ends.toasts(service)
        state = str(count)
        if state == shown and not toasts:
            return state, None
        return state, render_text(request, Badge(count, toasts))

    texts = _looks(request, database, user_id, look)
    return live.response(live.messages(texts, lambda: ends.place))


@router.get("/jobs/{job_id}/file")
async def download_file(settings: SettingsDep, jobs: Jobs, job_id: str) -> Response:
    """The file that a job has made."""
    job = await jobs.get(job_id)
    path = JobFiles(settings.files_dir).find(job)
    if path is None:
        raise NotFound
    return FileResponse(path, media_type="application/octet-stream", filename=file_of(job))


@router.post("/jobs/{job_id}/cancel")
async def cancel_job(request: Request, jobs: Jobs, job_id: str) -> Response:
    """Have a job end."""
    job = await jobs.cancel(job_id)
    _ = language_of(request).gettext
    text = _("It is cancelled.") if job.status == "cancelled" else _("It will stop in a moment.")
    return redirect(request, "/jobs", Toast(text))


@router.post("/jobs/{job_id}/retry")
async def retry_job(request: Request, settings: SettingsDep, jobs: Jobs, job_id: str) -> Response:
    """Run a failed or cancelled job again, from the step at which it ended."""
    await jobs.retry(job_id)
    _ = language_of(request).gettext
    return note_job(redirect(request, "/jobs", Toast(_("It runs again."))), settings)


def lines_of(language: Language, jobs: Sequence[Job]) -> list[JobLine]:
    """Jobs in words."""
    return [_line(language, job) for job in jobs]


def _line(language: Language, job: Job) -> JobLine:
    share = left = None
    if job.status == "running" and job.total:
        share = min(round(100 * job.done / job.total), 100)
        elapsed = (job.changed_at - job.step_at).total_seconds() if job.step_at else 0.0
        if job.done and elapsed > 1:
            left = elapsed / job.done * (job.total - job.done)
    return JobLine(
        job,
        job_texts.kind_name(language, job.kind),
        job_texts.step_name(language, job.step),
        job_texts.problem(language, job),
        job_texts.outcome(language, job),
        share,
        left,
        file_of(job),
        job_texts.bad_rows(job),
        [_step(language, step) for step in job.steps],
    )


def _step(language: Language, step: dict[str, str]) -> Step:
    began = datetime.fromisoformat(step["began_at"])
    ended = datetime.fromisoformat(step["ended_at"]) if "ended_at" in step else None
    seconds = (ended - began).total_seconds() if ended else None
    return Step(job_texts.step_name(language, step["name"]), step["status"], began, seconds)


def _ends(request: Request) -> Ends:
    return Ends(language_of(request), live.begun_at(request, utc_now()))


def _looks(
    request: Request, database: Database, user_id: int, look: live.Look
) -> AsyncIterator[str]:
    how_long = {"every": LOOK_SECONDS, "seconds": STREAM_SECONDS}
    return live.looks(request, database, user_id, look, **how_long)
