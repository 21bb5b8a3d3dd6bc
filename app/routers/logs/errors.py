"""Failures by groups: a list, one group with its failures, and how it stands."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Annotated, ClassVar, Final

from fastapi import Depends, HTTPException, Request
from fastapi.responses import Response

from app.dependencies import Admin, LoggerDep
from app.forms import read_form
from app.lib.logger import TraceLogger
from app.lib.tracelog.store.store import StoreError
from app.routers.logs.reading import RETRY, Problem, ReaderDep, problem_of, there
from app.routers.logs.router import router
from app.schemas.numbers import IdFromZero
from app.services.logs.errors import (
    NOTE_CHARS,
    STATES,
    VIEWS,
    ErrorDetail,
    ErrorPage,
    ErrorService,
    State,
)
from app.services.logs.store_reader import StoreReader
from app.templating import Template, Toast, language_of, redirect, render, time_zone_of

_BASE: Final = "/logs/errors"
_MOST_SOUGHT: Final = 200


@dataclass(frozen=True, slots=True)
class ErrorsPage(Template):
    """`view` is the one that is shown, empty for all; `q` is what is looked for."""

    template: ClassVar[str] = "logs/errors.html"
    view: str
    page: ErrorPage | None
    problem: Problem | None = None
    q: str = ""
    views: tuple[str, ...] = VIEWS


@dataclass(frozen=True, slots=True)
class ErrorGroupPage(Template):
    template: ClassVar[str] = "logs/error_group.html"
    detail: ErrorDetail
    zone: tzinfo
    states: tuple[str, ...] = STATES
    note_chars: int = NOTE_CHARS


@dataclass(frozen=True, slots=True)
class _Errors:
    """The service as soon as it is asked for: where there is no store that is a problem to show."""

    reader: StoreReader | None
    logger: TraceLogger

    def __call__(self) -> ErrorService:
        return ErrorService(there(self.reader), self.logger)


async def error_service(reader: ReaderDep, logger: LoggerDep) -> _Errors:
    """`errors()` is the service. It raises `NoStore`."""
    return _Errors(reader, logger)


ErrorsDep = Annotated[_Errors, Depends(error_service)]


@router.get("/errors")
async def list_errors(
    request: Request,
    errors: ErrorsDep,
    state: str = "open",
    q: str = "",
    before: IdFromZero | None = None,
) -> Response:
    """Groups of a view, which hold the words of `q`; `all` shows every group."""
    chosen = next((view for view in VIEWS if view == state), None)
    words = q.strip()[:_MOST_SOUGHT]
    try:
        page = await errors().page(chosen, before, words)
    except StoreError as error:
        shown = ErrorsPage(chosen or "", None, problem_of(request, error), words)
        return render(request, shown, 503, headers=RETRY)
    return render(request, ErrorsPage(chosen or "", page, q=words))


@router.get("/errors/{fingerprint}")
async def show_group(
    request: Request, errors: ErrorsDep, fingerprint: str, before: IdFromZero | None = None
) -> Response:
    """One group."""
    try:
        detail = await errors().detail(fingerprint, before)
    except StoreError as error:
        return render(request, ErrorsPage("", None, problem_of(request, error)), 503, headers=RETRY)
    return render(request, ErrorGroupPage(detail, time_zone_of(request)))


@router.post("/errors/{fingerprint}")
async def change_group(
    request: Request, errors: ErrorsDep, user: Admin, fingerprint: str
) -> Response:
    """Say how a group stands, and leave a note."""
    _ = language_of(request).gettext
    sent = await read_form(request)
    state = _state(sent.get("state", ""))
    if state is None:
        raise HTTPException(422)
    toast = Toast(_("Saved."))
    try:
        await errors().change(fingerprint, user.id, state=state, note=sent.get("note", "").strip())
    except StoreError as error:
        toast = Toast(problem_of(request, error).title, "error")
    return redirect(request, f"{_BASE}/{fingerprint}", toast)


def _state(text: str) -> State | None:
    return next((state for state in STATES if state == text), None)
