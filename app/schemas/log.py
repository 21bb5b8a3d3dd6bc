"""The trace log as its readers see it: lists of requests, and single traces.

Row ids go beyond 2^53, where JavaScript's numbers end: outside the database they are text.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Annotated, Final, Literal, NamedTuple, get_args
from urllib.parse import unquote

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from app.lib.utils import moment_of
from app.schemas.exclusion import MOST, Exclusion, exclusions
from app.schemas.numbers import IdFromZero, WholeNumber

SHORT_TRACE_ID: Final = 8
"""So many characters of a trace id are shown in lists, and are enough to search for."""


PATH_CHARS: Final = 200
"""So much of a path can be searched for."""


def _empty_is_none(value: object) -> object:
    value = value.strip() if isinstance(value, str) else value
    return None if value == "" else value


def _path_of(value: object) -> object:
    """Of a whole address, as somebody sends it, the path, which the log has without `%` codes."""
    if isinstance(value, str) and (match := _ADDRESS.fullmatch(value.strip())):
        return unquote(match[1] or "/")
    return value


_ADDRESS: Final = re.compile(r"https?://[^\s/?#]+(/[^?#]*)?.*", re.I)
_Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=PATH_CHARS)]


class RequestFilter(BaseModel):
    """Which requests, and which page of them; newest first."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    status: Annotated[
        Annotated[str, StringConstraints(to_lower=True, pattern=r"^[1-5]([xX]{2}|[0-9]{2})$")]
        | None,
        BeforeValidator(_empty_is_none),
        Field(description="A class such as `4xx`, or one status such as `404`."),
    ] = None
    method: Annotated[
        Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{1,20}$")] | None,
        BeforeValidator(_empty_is_none),
    ] = None
    path: Annotated[
        _Line,
        BeforeValidator(_path_of),
        Field(
            description="With a leading `/` how the path begins, else a part of it; "
            "a `$` behind it is where the path ends."
        ),
    ] = ""
    user: Annotated[IdFromZero | None, BeforeValidator(_empty_is_none)] = None
    trace: Annotated[
        Annotated[_Line, StringConstraints(min_length=SHORT_TRACE_ID, to_lower=True)] | None,
        BeforeValidator(_empty_is_none),
        Field(description="A trace id, or how it begins."),
    ] = None
    route: Annotated[_Line, Field(description="A route's template, whole.")] = ""
    ip: Annotated[_Line, Field(description="An IP address, whole.")] = ""
    slower: Annotated[IdFromZero | None, BeforeValidator(_empty_is_none)] = Field(
        None, description="At least so many milliseconds."
    )
    faster: Annotated[IdFromZero | None, BeforeValidator(_empty_is_none)] = Field(
        None, description="Less than so many milliseconds."
    )
    failed: Annotated[
        bool,
        BeforeValidator(lambda value: value or False),
        Field(description="Only those in whose trace a step has failed."),
    ] = False
    without: tuple[Exclusion, ...] = Field(
        (), description="Which are left out, such as `status:404 path:/api/health`."
    )
    since: WholeNumber | None = Field(None, description="From this second of Unix time on.")
    until: WholeNumber | None = Field(None, description="Before this second of Unix time.")
    after: Annotated[IdFromZero | None, BeforeValidator(_empty_is_none)] = Field(
        None, description="`next_cursor` of the page before."
    )
    before: Annotated[IdFromZero | None, BeforeValidator(_empty_is_none)] = Field(
        None, description="`previous_cursor` of the page behind; `after` counts where both are."
    )
    limit: WholeNumber = Field(50, ge=1, le=200)

    @field_validator("without", mode="before")
    @classmethod
    def _exclusions(cls, value: object) -> object:
        """Each is what the filter of its name would take."""
        if not isinstance(value, str):
            return value
        found = exclusions(value)
        if len(found) > MOST:
            raise ValueError("too many")
        return tuple(
            Exclusion(name, str(getattr(cls.model_validate({name: text}), name)))
            for name, text in found
        )

    @property
    def search(self) -> str:
        """What stands in the field for the path: that, and what is left out."""
        return " ".join([*filter(None, [self.path]), *(f"-{one}" for one in self.without)])


class RequestLine(BaseModel):
    """A request without its headers and bodies. `duration_ms` is in milliseconds."""

    id: str
    trace_id: str
    method: str
    endpoint: str
    status: int | None
    duration_ms: int | None
    user_id: int | None
    created_at: datetime
    ip_address: str | None = None
    route: str | None = Field(None, description="Its route's template, where that was asked for.")
    failed: bool = Field(
        default=False, description="Whether a step of its trace is known to have failed."
    )


class RequestPage(BaseModel):
    """One page of requests, newest first."""

    requests: list[RequestLine]
    next_cursor: str | None = Field(None, description="For `after`; none on the last page.")
    previous_cursor: str | None = Field(None, description="For `before`; none on the first page.")
    searched_to: datetime | None = Field(
        None,
        description="The search stopped there, at its limit, before the page was full: there may "
        "be more behind the cursor, even where `requests` is empty.",
    )


PREVIEW_CHARS: Final = 2000
"""So many characters of a value stand in a page at first."""

AttemptStatus = Literal["SUCCESS", "UNFINISHED", "RUNNING", "FAILED"]
_GRAVITY: Final[tuple[AttemptStatus, ...]] = get_args(AttemptStatus)
_ENDED: Final = frozenset({"SUCCESS", "FAILED"})


@dataclass(frozen=True, slots=True)
class Payload:
    """A logged value to be read by a person. `cut` says that the value goes on in the log.

    `column` and `row_id` tell where it is there.
    """

    text: str
    is_json: bool
    cut: bool = False
    column: str = field(default="", compare=False)
    row_id: int = field(default=0, compare=False)

    @property
    def preview(self) -> str:
        return self.text[:PREVIEW_CHARS]

    @property
    def is_whole(self) -> bool:
        """Whether the preview is all of it."""
        return not self.cut and len(self.text) <= PREVIEW_CHARS


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request whole. `facts` are what the log keeps beside the headers, such as the route."""

    line: RequestLine
    ended_at: datetime
    ip_address: str | None
    facts: dict[str, str]
    headers: Payload | None
    request_body: Payload | None
    response_body: Payload | None


class Attempt(NamedTuple):
    """One run of a step.

    `seen` is its last sign of life; it and `started` are in microseconds of Unix time. It is not
    `timed` where only its end was recorded: then nobody knows how long it took. `progress` is what
    it said last while it ran. Its rows are from `first_id` to `last_id`, beside those of others. Of
    `cut` values the log itself has a part only.
    """

    number: int
    first_id: int
    last_id: int
    status: AttemptStatus
    started: int
    seen: int
    timed: bool
    cut: int
    input: Payload | None = None
    progress: Payload | None = None
    output: Payload | None = None
    error_message: str | None = None
    stack_trace: str | None = None

    @property
    def started_at(self) -> datetime:
        return moment_of(self.started)

    @property
    def seen_at(self) -> datetime:
        return moment_of(self.seen)

    @property
    def has_ended(self) -> bool:
        return self.status in _ENDED

    @property
    def ended_at(self) -> datetime | None:
        return moment_of(self.seen) if self.has_ended else None


class StepView(NamedTuple):
    """A step with its attempts, oldest first."""

    name: str
    order: int
    attempts: tuple[Attempt, ...]

    @property
    def status(self) -> AttemptStatus:
        return self.attempts[-1].status


@dataclass(frozen=True)
class TaskView:
    """One run of a task; `number` counts the runs of the same task in the trace."""

    name: str
    number: int
    steps: tuple[StepView, ...]

    @cached_property
    def status(self) -> AttemptStatus:
        found = {step.status for step in self.steps}
        return max(found, key=_GRAVITY.index)

    @cached_property
    def started(self) -> int:
        """In microseconds of Unix time."""
        return min(step.attempts[0].started for step in self.steps)

    @cached_property
    def seen(self) -> int:
        """Its last sign of life, in microseconds of Unix time."""
        return max(attempt.seen for step in self.steps for attempt in step.attempts)

    @property
    def ended_at(self) -> datetime | None:
        """None while a step of it has no end."""
        ends = [step.attempts[-1] for step in self.steps]
        if not all(attempt.has_ended for attempt in ends):
            return None
        return moment_of(max(attempt.seen for attempt in ends))


@dataclass(frozen=True, slots=True)
class TraceView:
    """All that the log has under one trace id, oldest first.

    `undelivered` of its rows were found in the CSV files only. `truncated` tells that there are
    more rows than are shown. An `outline` has no values, messages and stack traces of steps.
    """

    trace_id: str
    requests: tuple[RequestView, ...]
    tasks: tuple[TaskView, ...]
    started_at: datetime
    ended_at: datetime
    undelivered: int = 0
    truncated: bool = False
    is_outline: bool = False

    @property
    def is_running(self) -> bool:
        return any(task.status == "RUNNING" for task in self.tasks)


@dataclass(frozen=True, slots=True)
class LogState:
    """What became of the rows of this host. `lag_seconds` is how long the oldest pending one waits.

    `appended = delivered + pending + quarantined + dropped`, as far as rows on their way can be
    counted at one moment. `last_error` is empty when the last delivery went well. The process
    `leader_pid` delivers, which may be this one. `elsewhere` of the delivered rows are in
    `other_stores`, which were set before this one.
    """

    appended: int
    delivered: int
    pending: int
    quarantined: int
    dropped: int
    lag_seconds: float
    last_error: str = ""
    leader_pid: int | None = None
    is_leader: bool = False
    elsewhere: int = 0
    other_stores: tuple[str, ...] = ()
