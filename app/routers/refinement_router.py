"""A suggestion for an item's description as a part of its page: it is written before one's eyes.

Where no model is configured there is none of it.
"""

from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from fastapi.sse import format_sse_event
from sqlalchemy.ext.asyncio import AsyncSession

from app import live
from app.dependencies import DatabaseDep, Items, LoggerDep, SettingsDep, SignedIn
from app.forms import Form
from app.lib.utils import utc_now
from app.models.item import Item
from app.routers.item_pages import ConflictPage, values_of
from app.routers.job_news import JobNews
from app.routers.job_router import note_job
from app.routers.refinement_pages import (
    EndPartial,
    Panel,
    PanelPartial,
    Refinements,
    budget_of,
    panel,
)
from app.schemas.numbers import RowId
from app.services.errors import NotFound
from app.services.item_service import ItemChanged, ItemService
from app.services.refinement_service import BudgetSpent, RefinementService
from app.templating import Toast, is_partial, language_of, redirect, render, render_text

LOOK_SECONDS: Final = 0.4
STREAM_SECONDS: Final = 300.0
"""Longer than that nobody looks; the page asks again by itself."""


async def configured(settings: SettingsDep) -> None:
    """404 where no model is."""
    if not settings.uses_ai:
        raise HTTPException(404)


router = APIRouter(
    prefix="/items/{item_id}/refinement",
    include_in_schema=False,
    dependencies=[Depends(configured)],
)


@router.post("")
async def suggest(
    request: Request, settings: SettingsDep, items: Items, refinements: Refinements, item_id: RowId
) -> Response:
    """Have a new description written."""
    item = await items.get(item_id)
    try:
        await refinements.start(item)
    except BudgetSpent:
        text = language_of(request).gettext("Today's suggestions are used up.")
        return redirect(request, f"/items/{item_id}", Toast(text, "error"))
    return note_job(redirect(request, f"/items/{item_id}"), settings)


@router.get("")
async def show_suggestion(
    request: Request, items: Items, refinements: Refinements, item_id: RowId
) -> Response:
    """The panel for htmx; browsers get the item's page."""
    shown = await panel(request, refinements, await items.get(item_id), is_there=True)
    if shown and is_partial(request):
        return render(request, PanelPartial(shown))
    return redirect(request, f"/items/{item_id}")


@router.get("/stream")
async def stream_suggestion(
    request: Request,
    database: DatabaseDep,
    logger: LoggerDep,
    settings: SettingsDep,
    user: SignedIn,
    items: Items,
    item_id: RowId,
) -> Response:
    """The panel anew whenever more is written, and the event `ended` behind its last state.

    What else goes on is in it too.
    """
    item, user_id, over = await items.get(item_id), user.id, False
    jobs = JobNews(request, user_id, live.begun_at(request, utc_now()))

    async def look(session: AsyncSession, shown: str) -> tuple[str, str | None]:
        nonlocal over
        service = RefinementService(session, logger, user_id, budget_of(settings))
        state = await panel(request, service, item, is_there=True) or Panel(item_id)
        over = not state.is_going
        besides = await jobs.look(session, but=state.job_id)
        if over:
            return "", render_text(
                request, EndPartial(state, besides.count, besides.toasts, jobs.place)
            )
        html = render_text(request, PanelPartial(state))
        if besides.is_new:
            return html, html + render_text(request, besides)
        return html, html if html != shown else None

    async def events() -> AsyncIterator[bytes]:
        how_long = {"every": LOOK_SECONDS, "seconds": STREAM_SECONDS}
        async for html in live.looks(request, database, user_id, look, **how_long):
            yield format_sse_event(data_str=html, id=jobs.place)
            if over:
                yield format_sse_event(event="ended", data_str="ended")
                return

    return live.response(events())


@router.post("/accept")
async def accept_suggestion(
    request: Request, items: Items, refinements: Refinements, item_id: RowId
) -> Response:
    """Take it as the item's description, or decide between it and what came in between."""
    try:
        await refinements.accept(items, item_id)
    except NotFound:
        return await _gone(request, items, item_id)
    except ItemChanged as conflict:
        suggestion = await refinements.find(item_id)
        return _conflict(request, conflict.current, suggestion.text if suggestion else "")
    text = language_of(request).gettext("The suggestion is the description now.")
    return redirect(request, f"/items/{item_id}", Toast(text))


@router.post("/discard")
async def discard_suggestion(
    request: Request, items: Items, refinements: Refinements, item_id: RowId
) -> Response:
    """Throw it away, or have it not written any further."""
    try:
        await refinements.discard(item_id)
    except NotFound:
        return await _gone(request, items, item_id)
    return redirect(request, f"/items/{item_id}")


async def _gone(request: Request, items: ItemService, item_id: int) -> Response:
    """The item as it is: what was decided about has been decided in another window."""
    await items.get(item_id)
    text = language_of(request).gettext("There is no suggestion any more.")
    return redirect(request, f"/items/{item_id}", Toast(text, "info"))


def _conflict(request: Request, current: Item, text: str) -> Response:
    mine = values_of(current) | {"description": text, "version": str(current.version)}
    differing = ("description",) if text != current.description else ()
    page = ConflictPage(current, Form(mine), differing, f"/items/{current.id}")
    return render(request, page, 409)
