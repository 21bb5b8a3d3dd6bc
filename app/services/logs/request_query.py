"""SQL for lists of requests.

Pages are read by keyset: a page costs the same wherever it is. Status and trace id have indexes;
the other filters look at no more than `SCANNED` requests at once, and can say where they stopped.
"""

# Nothing that a person typed is put into SQL text: it all goes through `?`.
# ruff: noqa: S608

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import orjson

from app.lib.tracelog import ids
from app.lib.tracelog.rollup.tables import CLASS_COLUMNS, ERROR_HITS, REQUEST_SUMS
from app.lib.tracelog.schema import Value
from app.lib.tracelog.store.sql import Statement
from app.schemas.log import RequestFilter
from app.services.logs.sums import covering

SCANNED: Final = 5000
"""So many requests are looked at for one page by filters without an index."""

COLUMNS: Final = (
    "id",
    "trace_id",
    "method",
    "endpoint",
    "response_status",
    "duration_ms",
    "user_id",
    "created_at",
    "ip_address",
)
"""The columns of a list: headers and bodies are not among them."""

ROUTE: Final = (
    "CASE WHEN json_valid(request_header)"
    """ THEN json_extract(request_header, '$.":route"') END AS route"""
)
"""The one fact out of the headers that a list can show."""

FAILED: Final = (
    f"EXISTS (SELECT 1 FROM {ERROR_HITS} h WHERE h.trace_id = api_logs.trace_id) AS failed"
)
"""Whether a step has failed in a request's trace; asked of those that are shown alone."""

_CODES_OF_A_CLASS: Final = 100


@dataclass(frozen=True, slots=True)
class _Condition:
    """What a request must fulfil beyond what an index finds."""

    column: str
    test: str
    args: tuple[Value, ...]


class RequestQuery:
    """The statements that answer one filter; with `routes`, each request's route beside it."""

    def __init__(self, wanted: RequestFilter, *, routes: bool = False) -> None:
        self.backwards = wanted.before is not None and wanted.after is None
        """Whether the page is read from its cursor towards newer requests."""
        self._wanted = wanted
        self._columns = (*COLUMNS, FAILED, *([ROUTE] if routes else []))
        self._conditions = list(_conditions(wanted))
        self._direction = "ASC" if self.backwards else "DESC"

    @property
    def is_bounded(self) -> bool:
        """Whether the search may stop at its limit before it has seen all requests."""
        return bool(self._conditions)

    def page(self) -> Statement:
        """Up to one row more than the page has, newest first."""
        rows = self._wanted.limit + 1
        candidates = self._candidates(SCANNED if self._conditions else rows)
        tests = " AND ".join(c.test for c in self._conditions) or "1"
        args = (*candidates.args, *(arg for c in self._conditions for arg in c.args), rows)
        return Statement(
            f"SELECT {', '.join(self._columns)} FROM api_logs WHERE id IN"
            f" (SELECT id FROM ({candidates.sql}) c WHERE {tests} LIMIT ?) ORDER BY id DESC",
            args,
        )

    def end(self) -> Statement:
        """The id of the last request that the search looked at, and how many it looked at."""
        candidates = self._candidates(SCANNED)
        last = "MAX" if self.backwards else "MIN"
        return Statement(f"SELECT {last}(id), COUNT(*) FROM ({candidates.sql})", candidates.args)

    def _candidates(self, rows: int) -> Statement:
        """The first `rows` requests that an index finds, with what the conditions ask about."""
        names = dict.fromkeys(("id", *(c.column for c in self._conditions)))
        columns = ", ".join(f"a.{name}" for name in names)
        place = "a.id > ? AND a.id < ?"
        at = self._place()
        order = f"a.id {self._direction}"
        args: tuple[Value, ...]
        match self._wanted.trace, self._wanted.status:
            case str(trace), _:
                # The signs keep SQLite from walking all requests in order instead of the index.
                place, order = place.replace("a.id", "+a.id"), f"+{order}"
                source = f"api_logs a WHERE a.trace_id >= ? AND a.trace_id < ? AND {place}"
                args = (trace, trace + "\U0010ffff", *at)
            case None, str(status) if status.endswith("xx"):
                # One status comes out of its index in order, a range of them does not.
                first = int(status[0]) * _CODES_OF_A_CLASS
                codes = ", ".join(f"({code})" for code in range(first, first + _CODES_OF_A_CLASS))
                source = (
                    f"(VALUES {codes}) s CROSS JOIN api_logs a WHERE a.id IN"
                    f" (SELECT b.id FROM api_logs b WHERE b.response_status = s.column1"
                    f" AND b.id > ? AND b.id < ? ORDER BY b.id {self._direction} LIMIT ?)"
                )
                args = (*at, rows)
            case None, str(status):
                source = f"api_logs a WHERE a.response_status = ? AND {place}"
                args = (int(status), *at)
            case _:
                source = f"api_logs a WHERE {place}"
                args = at
        return Statement(f"SELECT {columns} FROM {source} ORDER BY {order} LIMIT ?", (*args, rows))

    def _place(self) -> tuple[int, int]:
        """Between which two ids the page lies, and neither of them on it."""
        wanted = self._wanted
        low = ids.first_at(wanted.since) - 1 if wanted.since is not None else 0
        high = ids.first_at(wanted.until) if wanted.until is not None else ids.MAX_ID
        if wanted.after is not None:
            return low, min(wanted.after, high)
        return max(wanted.before or 0, low), high


def count_statement(wanted: RequestFilter) -> Statement | None:
    """Counts the requests of each class out of the sums; None where they do not tell.

    They know of time, method and route, and of nothing else.
    """
    other = (wanted.path, wanted.user, wanted.ip, wanted.trace, wanted.slower, wanted.faster)
    if (
        wanted.since is None
        or wanted.until is None
        or wanted.failed
        or wanted.without
        or any(value not in {None, ""} for value in other)
    ):
        return None
    condition, args = covering(wanted.since, wanted.until)
    keys = [("method", wanted.method), ("route", wanted.route)]
    tests = [f"{name} = ?" for name, value in keys if value] or ["method = ''"]
    sums = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in CLASS_COLUMNS)
    return Statement(
        f"SELECT {sums} FROM {REQUEST_SUMS} WHERE {condition} AND {' AND '.join(tests)}",
        (*args, *(value for _, value in keys if value)),
    )


def _conditions(wanted: RequestFilter) -> Iterator[_Condition]:
    if wanted.method:
        yield _Condition("method", "method = ?", (wanted.method,))
    if wanted.path:
        start = "" if wanted.path.startswith("/") else "%"
        end = "" if wanted.path.endswith("$") else "%"
        pattern = f"{start}{_escaped(wanted.path.removesuffix('$'))}{end}"
        yield _Condition("endpoint", "endpoint LIKE ? ESCAPE '\\'", (pattern,))
    if wanted.route:
        yield _route(wanted.route)
    if wanted.user is not None:
        yield _Condition("user_id", "user_id = ?", (wanted.user,))
    if wanted.ip:
        yield _Condition("ip_address", "ip_address = ?", (wanted.ip,))
    if wanted.slower is not None:
        yield _Condition("duration_ms", "duration_ms >= ?", (wanted.slower,))
    if wanted.faster is not None:
        yield _Condition("duration_ms", "duration_ms < ?", (wanted.faster,))
    if wanted.failed:
        test = f"EXISTS (SELECT 1 FROM {ERROR_HITS} h WHERE h.trace_id = c.trace_id)"
        yield _Condition("trace_id", test, ())
    if wanted.trace and wanted.status:
        yield _status(wanted.status)
    for name, value in wanted.without:
        one = RequestFilter.model_validate({name: value})
        met = _status(value) if name == "status" else next(_conditions(one))
        # What is not known, as the user of who is not signed in, is not what is left out.
        yield replace(met, test=f"NOT coalesce({met.test}, 0)")


def _status(status: str) -> _Condition:
    ends = int(status.replace("x", "0")), int(status.replace("x", "9"))
    return _Condition("response_status", "response_status BETWEEN ? AND ?", ends)


def _route(route: str) -> _Condition:
    """Requests of a route; of those that name none, the ones whose path the sums take for it."""
    named = f'":route":{orjson.dumps(route).decode()}'
    pattern = "%".join(_escaped(part) for part in route.split("{}"))
    test = (
        "(instr(request_header, ?) OR (endpoint LIKE ? ESCAPE '\\'"
        " AND NOT instr(coalesce(request_header, ''), '\":route\"')))"
    )
    return _Condition("request_header, a.endpoint", test, (named, pattern))


def _escaped(text: str) -> str:
    """`text` so that LIKE takes its signs for themselves."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
