"""What any page tells of one's jobs: how many go on, and of each that ends, once.

A page with a stream of its own has that tell it too: browsers have few connections for a host.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from app import live
from app.i18n import Language
from app.lib.utils import utc_now
from app.models.job import Job
from app.routers import job_texts
from app.services.job_service import JobService
from app.templating import Template, Toast, language_of


@dataclass(frozen=True, slots=True)
class Besides(Template):
    """For a stream that is about something else: the number in the navigation, and toasts."""

    template: ClassVar[str] = "jobs/_besides.html"
    count: int
    toasts: Sequence[Toast]
    is_new: bool
    """Whether either has changed since the last look."""


class JobNews:
    """Looks at the jobs of a user for one stream."""

    def __init__(self, request: Request, user_id: int, since: datetime | None = None) -> None:
        self._user_id = user_id
        self._ends = Ends(language_of(request), since or utc_now())
        self._count = -1

    @property
    def place(self) -> str:
        """Up to where it has told of ends."""
        return self._ends.place

    async def look(self, session: AsyncSession, but: str = "") -> Besides:
        """How it is now; nothing is said of the end of the job `but`, which the page shows."""
        service = JobService(session, self._user_id)
        count, toasts = await service.going_on(), await self._ends.toasts(service, but)
        is_new = count != self._count or bool(toasts)
        self._count = count
        return Besides(count, toasts, is_new)


class Ends:
    """Tells of each job that ends after a moment, once."""

    def __init__(self, language: Language, since: datetime) -> None:
        self.language = language
        self._since = since

    @property
    def place(self) -> str:
        """Up to where it has told of them."""
        return live.place_of(self._since)

    async def toasts(self, service: JobService, but: str = "") -> list[Toast]:
        """What has ended since the last call; `but` is a job of which nothing is said."""
        ended = await service.ended_since(self._since)
        if ended:
            self._since = max(job.ended_at for job in ended if job.ended_at)
        return [toast_of(self.language, job) for job in ended if job.id != but]


def toast_of(language: Language, job: Job) -> Toast:
    """What is said when a job has ended."""
    _ = language.gettext
    name = f"{job_texts.kind_name(language, job.kind)}: {job.title}"
    match job.status:
        case "done":
            return Toast(_("Done: %(name)s") % {"name": name}, "success")
        case "cancelled":
            return Toast(_("Cancelled: %(name)s") % {"name": name}, "info")
        case _:
            return Toast(_("Failed: %(name)s") % {"name": name}, "error", trace_id=job.trace_id)
