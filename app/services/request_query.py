"""SQL for lists of requests.

Pages are read by keyset: a page costs the same wherever it is. Status and trace id have indexes;
the other filters look at no more than `SCANNED` requests at once, and can say where they stopped.
"""

# Nothing that a person typed is put into SQL text: it all goes through `?`.
# ruff: noqa: S608

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.lib.tracelog.schema import Value
from app.lib.tracelog.store.sql import Statement
from app.schemas.log import RequestFilter

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
)
"""The columns of a list: headers and bodies are not among them."""

_CODES_OF_A_CLASS: Final = 100


@dataclass(frozen=True, slots=True)
class _Condition:
    """What a request must fulfil beyond what an index finds."""

    column: str
    test: str
    args: tuple[Value, ...]


class RequestQuery:
    """The statements that answer one filter."""

    def __init__(self, wanted: RequestFilter) -> None:
        self.backwards = wanted.before is not None and wanted.after is None
        """Whether the page is read from its cursor towards newer requests."""
        self._wanted = wanted
        self._conditions = list(_conditions(wanted))
        self._direction = "ASC" if self.backwards else "DESC"

    @property
    def is_bounded(self) -> bool:
        """Whether the search may stop at its limit before it has seen all requests."""
        return bool(self._conditions)

    def page(self) -> Statement:
        """Up to one row more than the page has, newest first, as `COLUMNS`."""
        rows = self._wanted.limit + 1
        candidates = self._candidates(SCANNED if self._conditions else rows)
        tests = " AND ".join(c.test for c in self._conditions) or "1"
        args = (*candidates.args, *(arg for c in self._conditions for arg in c.args), rows)
        return Statement(
            f"SELECT {', '.join(COLUMNS)} FROM api_logs WHERE id IN"
            f" (SELECT id FROM ({candidates.sql}) WHERE {tests} LIMIT ?) ORDER BY id DESC",
            args,
        )

    def end(self) -> Statement:
        """The id of the last request that the search looked at, and how many it looked at."""
        candidates = self._candidates(SCANNED)
        last = "MAX" if self.backwards else "MIN"
        return Statement(f"SELECT {last}(id), COUNT(*) FROM ({candidates.sql})", candidates.args)

    def _candidates(self, rows: int) -> Statement:
        """The first `rows` requests that an index finds, with what the conditions ask about."""
        columns = ", ".join(f"a.{name}" for name in ("id", *(c.column for c in self._conditions)))
        place, at = self._place()
        order = f"a.id {self._direction}"
        args: tuple[Value, ...]
        match self._wanted.trace, self._wanted.status:
            case str(trace), _:
                source = f"api_logs a WHERE a.trace_id >= ? AND a.trace_id < ? AND a.{place}"
                args = (trace, trace + "\U0010ffff", at)
                # The sign keeps SQLite from walking all requests in order instead of the index.
                order = f"+{order}"
            case None, str(status) if status.endswith("xx"):
                # One status comes out of its index in order, a range of them does not.
                first = int(status[0]) * _CODES_OF_A_CLASS
                codes = ", ".join(f"({code})" for code in range(first, first + _CODES_OF_A_CLASS))
                source = (
                    f"(VALUES {codes}) s CROSS JOIN api_logs a WHERE a.id IN"
                    f" (SELECT b.id FROM api_logs b WHERE b.response_status = s.column1"
                    f" AND b.{place} ORDER BY b.id {self._direction} LIMIT ?)"
                )
                args = (at, rows)
            case None, str(status):
                source = f"api_logs a WHERE a.response_status = ? AND a.{place}"
                args = (int(status), at)
            case _:
                source = f"api_logs a WHERE a.{place}"
                args = (at,)
        return Statement(f"SELECT {columns} FROM {source} ORDER BY {order} LIMIT ?", (*args, rows))

    def _place(self) -> tuple[str, int]:
        if self._wanted.after is not None:
            return "id < ?", self._wanted.after
        return "id > ?", self._wanted.before or 0


def _conditions(wanted: RequestFilter) -> Iterator[_Condition]:
    if wanted.method:
        yield _Condition("method", "method = ?", (wanted.method,))
    if wanted.path:
        start = "" if wanted.path.startswith("/") else "%"
        pattern = f"{start}{_escaped(wanted.path)}%"
        yield _Condition("endpoint", "endpoint LIKE ? ESCAPE '\\'", (pattern,))
    if wanted.user is not None:
        yield _Condition("user_id", "user_id = ?", (wanted.user,))
    if wanted.trace and wanted.status:
        ends = int(wanted.status.replace("x", "0")), int(wanted.status.replace("x", "9"))
        yield _Condition("response_status", "response_status BETWEEN ? AND ?", ends)


def _escaped(text: str) -> str:
    """`text` so that LIKE takes its signs for themselves."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
