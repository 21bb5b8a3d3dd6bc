"""What a failed request gets: a page for people, a toast for htmx, JSON under `/api`.

All of them carry the trace id; none tells how the inside looks.
"""

import logging
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, Final, cast
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import Route

from app.cookies import SESSION, read_cookie
from app.database import Database
from app.dependencies import StaleSignIn, recognize
from app.lib.tracelog.trace import current_trace
from app.security import current_url, local_path, return_path
from app.services.errors import (
    AccountDisabled,
    Conflict,
    Forbidden,
    NotFound,
    ProviderUnavailable,
)
from app.services.rate_limits import TooMany
from app.services.session_service import SessionService
from app.templating import Template, Toast, is_partial, language_of, render, viewer_of

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class ErrorPage(Template):
    """An error in words: what happened and what to do."""

    template: ClassVar[str] = "errors/error.html"
    status: int
    title: str
    advice: str


@dataclass(frozen=True, slots=True)
class Nothing(Template):
    """No content; what there is to say comes as a toast."""

    template: ClassVar[str] = "_empty.html"


async def error_response(
    request: Request,
    status: int,
    *,
    detail: object = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response of an error status. `detail` goes into JSON only."""
    headers = dict(headers or {})
    if _speaks_json(request):
        body = {"detail": detail or HTTPStatus(status).phrase, "trace_id": _trace_id()}
        return JSONResponse(body, status, headers)
    if status == HTTPStatus.UNAUTHORIZED:
        if request.method != "GET" and is_partial(request):
            return _signed_out(request)
        return _to_sign_in(request)
    title, advice = _words(request, status)
    if is_partial(request):
        if status == HTTPStatus.NOT_FOUND:
            # They had it on their page: nobody has mistyped an address.
            title = language_of(request).gettext("That is not there any more.")
        # The part of the page that was asked for stays as it is.
        toast = Toast(title if status < 500 else f"{title} {advice}", "error", trace_id=_trace_id())
        return render(request, Nothing(), status, toast=toast, headers=headers | _KEEP_TARGET)
    if status < 500:
        await _identify(request)
    return render(request, ErrorPage(status, title, advice), status, headers=headers)


_KEEP_TARGET: Final = {"HX-Reswap": "none", "HX-Push-Url": "false", "HX-Replace-Url": "false"}


def install(app: FastAPI) -> None:
    """Make `app` answer errors as this module says."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(Forbidden, _forbidden)
    app.add_exception_handler(AccountDisabled, _forbidden)
    app.add_exception_handler(Conflict, _conflict)
    app.add_exception_handler(StaleSignIn, _stale_sign_in)
    app.add_exception_handler(ProviderUnavailable, _no_provider)
    app.add_exception_handler(TooMany, _too_many)
    app.add_exception_handler(SQLAlchemyError, _database)
    app.add_exception_handler(Exception, _unexpected)


async def _http(request: Request, error: Exception) -> Response:
    error = cast(HTTPException, error)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed(request, headers.get("Allow", "")))
    return await error_response(request, error.status_code, detail=error.detail, headers=headers)


def _allowed(request: Request, named: str) -> list[str]:
    """The methods that an address has: the route which refused has `named` its own only."""
    routers: Sequence[APIRouter] = request.app.state.routers
    fitting = [
        route
        for router in routers
        for route in router.routes
        if isinstance(route, Route) and route.path_regex.match(request.scope["path"])
    ]
    # `/items/new` is no item: of several paths the one with the fewest variables is meant.
    nearest = min(fitting, key=lambda route: len(route.param_convertors), default=None)
    methods = set(re.findall(r"\w+", named)) if nearest is None else set()
    for route in fitting:
        if nearest is not None and route.path == nearest.path:
            methods.update(route.methods or ())
    if "GET" in methods:
        methods.add("HEAD")  # HeadRequests answers it
    return sorted(methods)


async def _invalid(request: Request, error: Exception) -> Response:
    problems = cast(RequestValidationError, error).errors()
    # A path that names nothing, such as /users/abc, is an address without a page.
    if all(problem["loc"][0] == "path" for problem in problems):
        return await error_response(request, 404)
    shown = [{k: v for k, v in p.items() if k in {"type", "loc", "msg"}} for p in problems]
    return await error_response(request, 422, detail=jsonable_encoder(shown))


async def _not_found(request: Request, error: Exception) -> Response:
    return await error_response(request, 404)


async def _forbidden(request: Request, error: Exception) -> Response:
    return await error_response(request, 403)


async def _conflict(request: Request, error: Exception) -> Response:
    return await error_response(request, 409)


async def _stale_sign_in(request: Request, error: Exception) -> Response:
    return _to_sign_in(request, "/account/verify")


async def _no_provider(request: Request, error: Exception) -> Response:
    log.error("Supabase Auth does not answer: %s", error.__cause__)
    if (trace := current_trace()) is not None:
        trace.exception = error
    request.state.unavailable = "accounts"
    return await error_response(request, 503, headers={"Retry-After": str(RETRY_SECONDS)})


async def _too_many(request: Request, error: Exception) -> Response:
    retry_after = str(cast(TooMany, error).retry_after)
    return await error_response(request, 429, headers={"Retry-After": retry_after})


async def _database(request: Request, error: Exception) -> Response:
    if not _is_unavailable(error):
        raise error
    reason = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, PoolTimeout):
        request.state.unavailable = "connections"
        log.error("Every connection to the database is taken: %s", reason)
    else:
        log.error("The database does not answer: %s", reason)
    if (trace := current_trace()) is not None:
        trace.exception = error  # the trace log shows it as it shows an unhandled one
    return await error_response(request, 503, headers={"Retry-After": str(RETRY_SECONDS)})


def _is_unavailable(error: Exception) -> bool:
    """Whether the database did not answer, rather than that it was asked something wrong."""
    if isinstance(error, OperationalError):
        # SQLite reports a missing table or column as an operational error too.
        return getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR
    return isinstance(error, PoolTimeout | InterfaceError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


async def _unexpected(request: Request, error: Exception) -> Response:
    return await error_response(request, 500)


def _words(request: Request, status: int) -> tuple[str, str]:
    _ = language_of(request).gettext
    match status:
        case 403:
            return _("This is not allowed."), _(
                "Your account may not open this page, or the request did not come from this site. "
                "Go back, open the page again and try once more."
            )
        case 404:
            return _("There is nothing here."), _(
                "The address may be mistyped, or what it showed was deleted."
            )
        case 405:
            return _("This address cannot be opened like this."), _(
                "Start again from the page before."
            )
        case 409:
            return _("Somebody else changed this in the meantime."), _(
                "Open it again to see the newest version."
            )
        case 413:
            return _("That was too large."), _("Send less at once, please.")
        case 421:
            return _("This app is not at this address."), _("Open it by its own address, please.")
        case 422:
            return _("Something in the request was not valid."), _(
                "Go back and check what you entered."
            )
        case 429:
            return _("That was tried too often."), _(
                "Please wait a few minutes before you try again. Nothing was changed."
            )
        case 503 if getattr(request.state, "unavailable", "") == "accounts":
            return _("The sign-in service is not answering."), _(
                "Please try again in a few minutes. Who is signed in can go on working."
            )
        case 503 if getattr(request.state, "unavailable", "") == "connections":
            return _("Too much is going on here at once."), _("Please try again in a few seconds.")
        case 503:
            return _("The database is not answering."), _("Please try again in a few seconds.")
        case _ if status >= 500:
            return _("Something went wrong on our side."), _(
                "It has been recorded. If you report it, please include the trace ID."
            )
        case _:
            return _("This request could not be answered."), _("Go back and try once more.")


def _speaks_json(request: Request) -> bool:
    path = request.url.path
    return path.startswith("/api/") and path != "/api/docs"


def _trace_id() -> str:
    trace = current_trace()
    return trace.trace_id if trace else ""


def _signed_out(request: Request) -> Response:
    """What was typed into a form of the page would be lost on the way to the sign-in page."""
    text = language_of(request).gettext(
        "You are signed out. Sign in in another window and try again: nothing is lost."
    )
    toast = Toast(text, "error", sign_in=True)
    return render(request, Nothing(), 401, toast=toast, headers=_KEEP_TARGET)


def _to_sign_in(request: Request, page: str = "/sign-in") -> Response:
    """To the page that asks who somebody is, and from there back to where the reader was."""
    if request.headers.get("hx-request") == "true":
        current = current_url(request)
        back = local_path(f"{current.path}?{current.query}" if current.query else current.path)
        return Response(status_code=401, headers={"HX-Redirect": f"{page}?next={quote(back)}"})
    if request.method == "GET":
        url = request.url
        back = local_path(f"{url.path}?{url.query}" if url.query else url.path)
    else:
        back = return_path(request)
    return RedirectResponse(f"{page}?next={quote(back)}", 303)


async def _identify(request: Request) -> None:
    """Find out who is signed in where the route did not get to it, for the page's navigation."""
    token = read_cookie(request, SESSION)
    if viewer_of(request) is not None or not token:
        return
    database: Database = request.app.state.database
    try:
        async with database.session() as session:
            if (login := await SessionService(session).resolve(token)) is not None:
                await recognize(request, session, login.user)
    except SQLAlchemyError:
        log.warning("An error page could not find out who is signed in")
