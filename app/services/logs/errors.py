"""Failures by groups: what they have in common, when they occurred, and what was said of them."""

# Only names out of the rollup's tables are put into SQL text; values go through `?`.
# ruff: noqa: S608

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, Literal, get_args

import orjson

from app.lib.logger import TraceLogger
from app.lib.tracelog.ids import time_of
from app.lib.tracelog.rollup.tables import ERROR_HITS, ERROR_SUMS, ERRORS
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import Cell, StoreSchemaMissing
from app.lib.utils import utc_now
from app.services.errors import NotFound
from app.services.logs.log_text import visible
from app.services.logs.refusals import REFUSED, REQUEST_OF_HIT
from app.services.logs.store_reader import Ask, StoreReader
from app.services.logs.sums import DAY, HOUR, integer

State = Literal["open", "resolved", "ignored"]
STATES: Final[tuple[State, ...]] = get_args(State)

View = Literal["open", "refused", "resolved", "ignored"]
"""What a list shows: of the open groups those that are failures, or those that are refusals."""

VIEWS: Final[tuple[View, ...]] = get_args(View)

PAGE: Final = 50
NOTE_CHARS: Final = 2000
LINE_DAYS: Final = 7
_LINE_STEP: Final = 6 * HOUR
_NEWEST: Final = (1 << 63) - 1
_MOST_WORDS: Final = 10
_LOOKED_AT: Final = 1000
"""Users and routes are counted in so many of the newest failures of a page."""


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Failures that mean the same. `line` is their number in each quarter of the last days.

    `users` and `routes` are counted in the newest failures only.
    """

    fingerprint: str
    kind: str
    message: str
    place: str
    task: str
    step: str
    hits: int
    first_at: datetime
    last_at: datetime
    last_id: int
    last_trace: str
    view: View
    note: str
    line: list[int]
    users: int = 0
    routes: int = 0

    @property
    def state(self) -> State:
        """What somebody has said of it; a refusal counts as open."""
        return "open" if self.view == "refused" else self.view


@dataclass(frozen=True, slots=True)
class Hit:
    """One failure, with the request in which it occurred, or else the first one of its trace."""

    id: int
    trace_id: str
    at: datetime
    method: str
    endpoint: str
    status: int | None
    user_id: int | None


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """Groups, the one that failed last first; `before` is the cursor of the next page."""

    groups: list[ErrorGroup]
    counts: dict[str, int]
    before: int | None


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """A group with its newest failures; `before` is the cursor of the older ones."""

    group: ErrorGroup
    hits: list[Hit]
    before: int | None


class ErrorService:
    """Reads groups of failures, and what people say of them. Its calls raise `StoreError`."""

    def __init__(
        self,
        reader: StoreReader,
        logger: TraceLogger,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._reader = reader
        self._logger = logger
        self._clock = clock

    async def page(
        self, view: View | None, before: int | None = None, words: str = ""
    ) -> ErrorPage:
        """One page of the groups of a view, or of all; none before the first delivery.

        Each of the `words` is in a group's message, place, task or step.
        """
        try:
            return await self._reader.run(partial(self._page, view, before, words))
        except StoreSchemaMissing:
            return ErrorPage([], {}, None)

    async def detail(self, fingerprint: str, before: int | None = None) -> ErrorDetail:
        """Raises `NotFound`."""
        try:
            return await self._reader.run(partial(self._detail, fingerprint, before))
        except StoreSchemaMissing:
            raise NotFound from None

    async def change(self, fingerprint: str, user_id: int, *, state: State, note: str) -> None:
        """Say how a group stands. Recorded. Raises `NotFound`.

        What is resolved opens again by itself with the next failure.
        """
        await self.detail(fingerprint)
        statement = Statement(
            f"UPDATE {ERRORS} SET state = ?, state_id = last_id, note = ? WHERE fingerprint = ?",
            (state, note[:NOTE_CHARS], fingerprint),
        )
        what = {"user_id": user_id, "fingerprint": fingerprint, "state": state, "note": note}
        async with self._logger.task("Log_Errors") as task, task.step("Change", what):
            await self._reader.write(statement)

    def _page(self, view: View | None, before: int | None, words: str, ask: Ask) -> ErrorPage:
        wanted = words.split()[:_MOST_WORDS]
        text = "lower(message || char(10) || place || char(10) || task || ' › ' || step)"
        # The store folds the letters of both: Python knows more of them than SQLite does.
        found = "".join(f" AND instr({text}, lower(?))" for _ in wanted)
        # Whether a group is refusals takes a look at its requests: once for all, not also to count.
        sql = (
            f"WITH seen AS (SELECT *, {_VIEW} AS view FROM {ERRORS} WHERE 1{found}),"
            " counted AS (SELECT view AS name, count(*) AS n FROM seen GROUP BY view)"
            " SELECT * FROM counted LEFT JOIN (SELECT * FROM seen WHERE last_id < ?"
            " AND (? IS NULL OR view = ?) ORDER BY last_id DESC LIMIT ?) ON view = name"
            " ORDER BY last_id DESC"
        )
        answer = ask(Statement(sql, (*wanted, before or _NEWEST, view, view, PAGE + 1)))
        rows = [row for row in answer if row["view"] is not None]
        shown = rows[:PAGE]
        return ErrorPage(
            self._groups(ask, shown),
            {str(row["name"]): integer(row, "n") for row in answer},
            integer(shown[-1], "last_id") if len(rows) > PAGE else None,
        )

    def _detail(self, fingerprint: str, before: int | None, ask: Ask) -> ErrorDetail:
        sql = f"SELECT *, {_VIEW} AS view FROM {ERRORS} WHERE fingerprint = ?"
        found = ask(Statement(sql, (fingerprint,)))
        if not found:
            raise NotFound
        [group] = self._groups(ask, found)
        sql = (
            "SELECT h.id, h.trace_id, a.method, a.endpoint, a.response_status, a.user_id"
            f" FROM (SELECT id, trace_id FROM {ERROR_HITS} WHERE fingerprint = ? AND id < ?"
            f" ORDER BY id DESC LIMIT ?) AS h LEFT JOIN {API_LOGS} AS a"
            f" ON a.id = coalesce({REQUEST_OF_HIT},"
            f" (SELECT min(id) FROM {API_LOGS} WHERE trace_id = h.trace_id)) ORDER BY h.id DESC"
        )
        args = (fingerprint, before or _NEWEST, PAGE + 1)
        rows = ask(Statement(sql, args))
        hits = [_hit(row) for row in rows[:PAGE]]
        return ErrorDetail(group, hits, hits[-1].id if len(rows) > PAGE else None)

    def _groups(self, ask: Ask, rows: Sequence[dict[str, Cell]]) -> list[ErrorGroup]:
        if not rows:
            return []
        names = orjson.dumps([row["fingerprint"] for row in rows]).decode()
        lines = self._lines(ask, names)
        people = {str(row["fingerprint"]): row for row in ask(Statement(_PEOPLE_SQL, (names,)))}
        groups = []
        for row in rows:
            fingerprint = str(row["fingerprint"])
            seen = people.get(fingerprint)
            groups.append(
                ErrorGroup(
                    fingerprint,
                    visible(str(row["kind"])),
                    visible(str(row["message"])),
                    visible(str(row["place"])),
                    visible(str(row["task"])),
                    visible(str(row["step"])),
                    integer(row, "hits"),
                    _moment(integer(row, "first_id")),
                    _moment(integer(row, "last_id")),
                    integer(row, "last_id"),
                    str(row["last_trace"]),
                    next((view for view in VIEWS if view == row["view"]), "open"),
                    str(row["note"]),
                    lines.get(fingerprint, [0] * (LINE_DAYS * DAY // _LINE_STEP)),
                    integer(seen, "users") if seen else 0,
                    integer(seen, "routes") if seen else 0,
                )
            )
        return groups

    def _lines(self, ask: Ask, names: str) -> dict[str, list[int]]:
        end = int(self._clock().timestamp()) // HOUR * HOUR + HOUR
        start, count = end - LINE_DAYS * DAY, LINE_DAYS * DAY // _LINE_STEP
        sql = (
            f"SELECT fingerprint, (start - ?) / {_LINE_STEP} AS place, sum(n) AS n"
            f" FROM {ERROR_SUMS} WHERE start >= ?"
            " AND fingerprint IN (SELECT value FROM json_each(?)) GROUP BY fingerprint, place"
        )
        lines: dict[str, list[int]] = {}
        for row in ask(Statement(sql, (start, start, names))):
            line = lines.setdefault(str(row["fingerprint"]), [0] * count)
            line[min(integer(row, "place"), count - 1)] = integer(row, "n")
        return lines


def _hit(row: dict[str, Cell]) -> Hit:
    user, status = row["user_id"], row["response_status"]
    return Hit(
        integer(row, "id"),
        str(row["trace_id"]),
        _moment(integer(row, "id")),
        visible(str(row["method"] or "")),
        visible(str(row["endpoint"] or "")),
        status if isinstance(status, int) else None,
        user if isinstance(user, int) else None,
    )


def _moment(row_id: int) -> datetime:
    return datetime.fromtimestamp(time_of(row_id), UTC)


_VIEW: Final = f"CASE WHEN state = 'open' AND {REFUSED} THEN 'refused' ELSE state END"
_PEOPLE_SQL: Final = (
    "SELECT h.fingerprint, count(DISTINCT a.user_id) AS users,"
    " count(DISTINCT a.method || ' ' || a.endpoint) AS routes FROM (SELECT fingerprint, trace_id"
    f" FROM {ERROR_HITS} WHERE fingerprint IN (SELECT value FROM json_each(?))"
    f" ORDER BY id DESC LIMIT {_LOOKED_AT}) AS h JOIN {API_LOGS} AS a ON a.trace_id = h.trace_id"
    " GROUP BY h.fingerprint"
)
