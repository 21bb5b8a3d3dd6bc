"""What the templates of the trace log are given, and the list's state in its URL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from itertools import groupby
from typing import ClassVar, Final
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import QueryParams

from app.routers.trace_timeline import Timeline
from app.schemas.log import SHORT_TRACE_ID, LogState, RequestFilter, RequestLine, RequestPage
from app.templating import Template

FILTERS: Final = ("status", "method", "path", "user", "trace")
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
CLASSES: Final = ("2xx", "3xx", "4xx", "5xx")
_CURSORS: Final = ("after", "before")


def list_url(wanted: RequestFilter, **changes: object) -> str:
    """The shortest URL of a list; it starts anew unless a change is a cursor."""
    state = {name: getattr(wanted, name) for name in FILTERS} | changes
    kept = {name: value for name, value in state.items() if value not in {None, ""}}
    return f"/logs?{urlencode(kept)}" if kept else "/logs"


def read_filter(parameters: Mapping[str, str]) -> tuple[RequestFilter, tuple[str, ...]]:
    """The list that a URL means, and the names of the filters in it that make no sense."""
    sent = {name: parameters[name] for name in (*FILTERS, *_CURSORS) if name in parameters}
    try:
        return RequestFilter.model_validate(sent), ()
    except ValidationError as error:
        wrong = {str(detail["loc"][0]) for detail in error.errors()}
        kept = {name: value for name, value in sent.items() if name not in wrong}
        wanted, _ = read_filter(kept)
        return wanted, tuple(name for name in FILTERS if name in wrong)


def current_filter(request: Request) -> RequestFilter:
    """The list that is shown around the element that htmx sent a request for."""
    url = urlsplit(request.headers.get("hx-current-url", ""))
    return read_filter(QueryParams(url.query) if url.path == "/logs" else {})[0]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no answer from the store, in words. `detail` is what the store said."""

    title: str
    advice: str
    detail: str
    status: int = 503


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list, or the problem that there is none, and the URLs of its neighbours.

    `ignored` are filters that made no sense and were left out. Times are shown in `zone`.
    """

    wanted: RequestFilter
    page: RequestPage
    zone: tzinfo
    ignored: tuple[str, ...] = ()
    problem: Problem | None = None

    def url(self, **changes: object) -> str:
        return list_url(self.wanted, **changes)

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are on, by name."""
        values = {name: getattr(self.wanted, name) for name in FILTERS}
        return {name: str(value) for name, value in values.items() if value not in {None, ""}}

    @property
    def days(self) -> list[tuple[date, list[RequestLine]]]:
        """The requests by the day on which the reader's clock says they arrived."""
        days = groupby(self.page.requests, lambda r: r.created_at.astimezone(self.zone).date())
        return [(day, list(requests)) for day, requests in days]


@dataclass(frozen=True, slots=True)
class _ListTemplate(Template):
    listing: Listing
    state: LogState | None
    classes: tuple[str, ...] = CLASSES
    methods: tuple[str, ...] = METHODS
    short: int = SHORT_TRACE_ID


@dataclass(frozen=True, slots=True)
class ListPage(_ListTemplate):
    template: ClassVar[str] = "logs/list.html"


@dataclass(frozen=True, slots=True)
class ListPartial(_ListTemplate):
    template: ClassVar[str] = "logs/_list.html"


@dataclass(frozen=True, slots=True)
class TracePage(Template):
    template: ClassVar[str] = "logs/trace.html"
    timeline: Timeline
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class UnknownTracePage(Template):
    """Nothing is known of a trace; `pending` rows of this host are still on their way."""

    template: ClassVar[str] = "logs/unknown.html"
    wanted: str
    pending: int


@dataclass(frozen=True, slots=True)
class ProblemPage(Template):
    """The store did not answer the question about a trace."""

    template: ClassVar[str] = "logs/problem.html"
    wanted: str
    problem: Problem
