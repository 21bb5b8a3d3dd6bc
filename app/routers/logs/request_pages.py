"""What the templates of the trace log are given, and the list's state in its URL."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from itertools import groupby
from typing import ClassVar, Final
from urllib.parse import urlencode

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import QueryParams

from app.lib.utils import half_width
from app.routers.logs.columns import CHOICES, DEFAULT, in_order
from app.routers.logs.frame import Frame
from app.routers.logs.reading import Problem
from app.routers.logs.span import Span
from app.schemas.exclusion import EXCLUDABLE, MOST, Exclusion, without_exclusions
from app.schemas.log import (
    PATH_CHARS,
    SHORT_TRACE_ID,
    LogState,
    RequestFilter,
    RequestLine,
    RequestPage,
)
from app.security import current_url
from app.templating import Template

FILTERS: Final = (
    "status",
    "method",
    "path",
    "route",
    "user",
    "ip",
    "trace",
    "slower",
    "faster",
    "failed",
    "without",
)
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
CLASSES: Final = ("2xx", "3xx", "4xx", "5xx")
_PATH: Final = "/logs/requests"
_CURSORS: Final = ("after", "before")
_AS_SENT: Final = frozenset({"path", "route", "without"})
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


def filter_state(wanted: RequestFilter) -> dict[str, str]:
    """The filters that are on, by name, as they stand in a URL."""
    values = {name: getattr(wanted, name) for name in FILTERS}
    values["without"] = " ".join(map(str, wanted.without))
    return {
        name: "1" if value is True else str(value)
        for name, value in values.items()
        if value not in {None, "", False}
    }


def read_filter(parameters: Mapping[str, str], span: Span) -> tuple[RequestFilter, tuple[str, ...]]:
    """The list that a URL means, and the names of the filters in it that make no sense."""
    sent = {
        name: parameters[name] if name in _AS_SENT else half_width(parameters[name])
        for name in (*FILTERS, *_CURSORS)
        if name in parameters
    }
    if "path" in sent:
        sent["path"], left_out = without_exclusions(sent["path"])
        sent["without"] = f"{sent.get('without', '')} {left_out}".strip()
    if not sent.get("trace") and _UUID.fullmatch(sent.get("path", "").strip()):
        sent["trace"] = sent.pop("path")  # what somebody was told, in the first field there is
    ends = {"since": span.start, "until": span.end} if span.is_bounded else {}
    try:
        return RequestFilter.model_validate({**sent, **ends}), ()
    except ValidationError as error:
        wrong = {str(detail["loc"][0]) for detail in error.errors()}
        kept = {name: value for name, value in sent.items() if name not in wrong}
        wanted, _ = read_filter(kept, span)
        return wanted, tuple(name for name in FILTERS if name in wrong)


def current_filter(request: Request) -> RequestFilter:
    """The list that is shown around the element that htmx sent a request for."""
    url = current_url(request)
    parameters = QueryParams(url.query) if url.path == _PATH else QueryParams()
    return read_filter(parameters, Span(0, 0))[0]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list, or the problem that there is none, and the URLs of its neighbours.

    `counts` are the requests of each status class in the frame's span, where that is known.
    `ignored` are filters that made no sense and were left out. A list that is `live` goes on with
    what comes after `position`, an id.
    """

    wanted: RequestFilter
    page: RequestPage
    frame: Frame
    counts: Mapping[str, int] | None = None
    ignored: tuple[str, ...] = ()
    problem: Problem | None = None
    columns: tuple[str, ...] = DEFAULT
    live: bool = False
    position: int = 0

    @property
    def zone(self) -> tzinfo:
        return self.frame.zone

    def url(self, **changes: object) -> str:
        """The shortest URL of a list; it starts anew unless a change is a cursor."""
        state = {**self.frame.kept, **self.frame.span.state, **changes}
        kept = {name: value for name, value in state.items() if value not in {None, ""}}
        return f"{_PATH}?{urlencode(kept)}" if kept else _PATH

    def url_with(self, name: str) -> str:
        """The URL of a list with another value of one filter, up to that value."""
        url = self.url(**{name: None})
        return f"{url}{'&' if '?' in url else '?'}{name}="

    def url_of_others(self, name: str, value: object) -> str:
        """The URL of the requests of this list that another value of one filter has."""
        more = Exclusion(name, str(value))
        kept = {name: None} if self.filters.get(name) == more.value else {}
        return self.url(**kept, without=" ".join(map(str, (*self.wanted.without, more))))

    def can_leave_out(self, path: str) -> bool:
        """Whether a path is one that a search can name."""
        return '"' not in path and len(path) < PATH_CHARS

    def url_with_again(self, left_out: Exclusion) -> str:
        """The URL of a list with what is left out of this one."""
        kept = (str(one) for one in self.wanted.without if one != left_out)
        return self.url(without=" ".join(kept))

    @property
    def can_be_live(self) -> bool:
        """Only the newest page can, and only of a span without an end."""
        wanted = self.wanted
        ends = wanted.after is not None or wanted.before is not None or self.frame.is_custom
        return not (ends or self.problem)

    @property
    def is_live(self) -> bool:
        return self.live and self.can_be_live

    @property
    def live_url(self) -> str:
        """The stream of what comes next."""
        url = self.url(live=None, since=self.position)
        return url.replace(_PATH, f"{_PATH}/live", 1)

    @property
    def shown_columns(self) -> tuple[str, ...]:
        return in_order(self.columns)

    def export_url(self, kind: str) -> str:
        """All that the filter finds, as a file."""
        return self.url(kind=kind, live=None).replace(_PATH, f"{_PATH}/export", 1)

    @property
    def anew(self) -> str:
        """All requests of the span."""
        return _PATH + self.frame.span.query

    @property
    def filters(self) -> dict[str, str]:
        """Those that choose; what is left out is `wanted.without`."""
        return {k: v for k, v in filter_state(self.wanted).items() if k != "without"}

    @property
    def is_filtered(self) -> bool:
        return bool(filter_state(self.wanted))

    @property
    def count(self) -> int | None:
        """How many requests there are in the span, where that is known."""
        if self.counts is None:
            return None
        if self.wanted.status:
            return self.counts.get(self.wanted.status)
        return sum(self.counts.values())

    @property
    def days(self) -> list[tuple[date, list[RequestLine]]]:
        """The requests by the day on which the reader's clock says they arrived."""
        days = groupby(self.page.requests, lambda r: r.created_at.astimezone(self.zone).date())
        return [(day, list(requests)) for day, requests in days]


@dataclass(frozen=True, slots=True)
class Question:
    """The SQL that finds what a list shows; `url` asks it in the console, where there is one."""

    sql: str
    url: str


@dataclass(frozen=True, slots=True)
class _ListTemplate(Template):
    listing: Listing
    state: LogState | None
    frame: Frame
    question: Question
    classes: tuple[str, ...] = CLASSES
    methods: tuple[str, ...] = METHODS
    columns: tuple[str, ...] = CHOICES
    excludable: tuple[str, ...] = EXCLUDABLE
    most_exclusions: int = MOST
    short: int = SHORT_TRACE_ID


@dataclass(frozen=True, slots=True)
class LiveRows(Template):
    """The rows of a live list that are new."""

    template: ClassVar[str] = "logs/_rows.html"
    listing: Listing
    short: int = SHORT_TRACE_ID


@dataclass(frozen=True, slots=True)
class ListPage(_ListTemplate):
    template: ClassVar[str] = "logs/list.html"


@dataclass(frozen=True, slots=True)
class ListPartial(_ListTemplate):
    template: ClassVar[str] = "logs/_swapped.html"
