"""The panel of a suggestion in an item's page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import Depends, Request

from app.config import Settings
from app.dependencies import LoggerDep, SessionDep, SettingsDep, SignedIn
from app.models.item import Item
from app.routers import job_texts
from app.services.refinement_service import Budget, RefinementService, Suggestion
from app.templating import Template, Toast, language_of


@dataclass(frozen=True, slots=True)
class Panel:
    """What the item's page shows of it. `text` is what is written so far.

    `left` is how many suggestions the user may still have today; `problem` why there is none.
    """

    item_id: int
    is_going: bool = False
    is_done: bool = False
    text: str = ""
    problem: str = ""
    changed: bool = False
    left: int = 0
    job_id: str = ""


@dataclass(frozen=True, slots=True)
class PanelPartial(Template):
    template: ClassVar[str] = "refinements/_panel.html"
    refinement: Panel


@dataclass(frozen=True, slots=True)
class EndPartial(Template):
    """The last message of a stream: the panel, how many jobs go on besides, and which ended."""

    template: ClassVar[str] = "refinements/_end.html"
    refinement: Panel
    count: int
    toasts: Sequence[Toast]
    since: str
    """For the stream that follows."""


async def refinement_service(
    session: SessionDep, logger: LoggerDep, settings: SettingsDep, user: SignedIn
) -> RefinementService:
    """Suggestions for the signed-in user's items."""
    return RefinementService(session, logger, user.id, budget_of(settings))


def budget_of(settings: Settings) -> Budget:
    """What each user may have a day."""
    return Budget(settings.ai_daily, settings.ai_daily_tokens)


Refinements = Annotated[RefinementService, Depends(refinement_service)]


async def panel(
    request: Request, refinements: RefinementService, item: Item, *, is_there: bool
) -> Panel | None:
    """The panel of an item's page; None where there is nothing to suggest, or nobody to do it."""
    if not is_there:
        return None
    suggestion = await refinements.find(item.id)
    if suggestion and suggestion.job.status == "done" and suggestion.text == item.description:
        suggestion = None  # it was taken, in a comparison with what came in between
    if suggestion is None:
        left = await refinements.left()
        return Panel(item.id, left=left) if item.description else None
    return _panel(request, item, suggestion)


def _panel(request: Request, item: Item, suggestion: Suggestion) -> Panel:
    _ = language_of(request).gettext
    job = suggestion.job
    problem = job_texts.problem(language_of(request), job)
    if job.status == "cancelled":
        problem = _("It was cancelled.")
    return Panel(
        item.id,
        is_going=suggestion.is_going,
        is_done=job.status == "done",
        text="" if problem else suggestion.text,
        problem=problem,
        changed=item.version != suggestion.version,
        job_id=job.id,
    )
