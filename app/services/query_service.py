"""Free questions to the trace log in SQL: bounded, reading only, and themselves recorded."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from anyio import fail_after, to_thread

from app.lib.logger import TraceLogger
from app.lib.tracelog.schema import Value
from app.lib.tracelog.store.sql import NO_CODE, Statement, check_reads_only
from app.lib.tracelog.store.store import (
    Cell,
    QueryFailed,
    Store,
    StoreSchemaMissing,
    StoreUnavailable,
)
from app.services.errors import NotFound

SECONDS: Final = 5.0
"""How long one question may take."""

MOST_ROWS: Final = 500
"""So many rows of an answer are read for a page."""

MOST_FILE_ROWS: Final = 10_000
"""And so many for a file."""

_PARAMETER: Final = re.compile(rf"(?P<no_code>{NO_CODE})|:(?P<name>[A-Za-z_]\w*)", re.X | re.S)
_WRAPPED: Final = re.compile(r"\s*(SELECT|WITH|VALUES)\b", re.IGNORECASE)
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question gave. `more` tells that there were more rows than these."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    more: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """A question that somebody wrote and named."""

    id: int
    name: str
    sql: str


class QueryService:
    """Asks `store`. Calls raise `StoreError`, after `seconds` and one at the latest.

    Nothing can be changed by a question: the store opens the database for reading, or rolls back
    what a statement did.
    """

    def __init__(self, store: Store, logger: TraceLogger, *, seconds: float = SECONDS) -> None:
        self._store = store
        self._logger = logger
        self._seconds = seconds

    async def ask(self, sql: str, values: Mapping[str, str], *, rows: int = MOST_ROWS) -> Answer:
        """Ask one of the ready questions; `values` are those of its `:names`."""
        return await self._in_thread(partial(self._ask, bound(sql, values), rows))

    async def ask_freely(
        self, sql: str, values: Mapping[str, str], user_id: int, *, rows: int = MOST_ROWS
    ) -> Answer:
        """Ask a question that somebody wrote; that it was asked is recorded first."""
        question = {"user_id": user_id, "sql": sql, "values": dict(values)}
        async with self._logger.task("Log_Console") as task, task.step("Query", question) as step:
            answer = await self.ask(sql, values, rows=rows)
            step.output = {"rows": len(answer.rows), "more": answer.more}
        return answer

    # --- saved ones --------------------------------------------------------------------------

    async def saved(self) -> list[SavedQuery]:
        """All of them, by name."""
        return await self._in_thread(partial(self._saved, "ORDER BY name LIMIT 500", ()))

    async def get_saved(self, query_id: int) -> SavedQuery:
        """Raises `NotFound`."""
        found = await self._in_thread(partial(self._saved, "WHERE id = ?", (query_id,)))
        if not found:
            raise NotFound
        return found[0]

    async def save(self, name: str, sql: str, user_id: int) -> SavedQuery:
        """Keep a question under a name; one of the same name is replaced. Recorded."""
        check_reads_only(sql)
        statement = Statement(
            "INSERT INTO tracelog_queries (name, sql, user_id) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET sql = excluded.sql, user_id = excluded.user_id",
            (name, sql, user_id),
        )
        await self._change("Save", {"user_id": user_id, "name": name, "sql": sql}, statement)
        [saved] = await self._in_thread(partial(self._saved, "WHERE name = ?", (name,)))
        return saved

    async def delete(self, query_id: int, user_id: int) -> SavedQuery:
        """Raises `NotFound`. Recorded."""
        saved = await self.get_saved(query_id)
        statement = Statement("DELETE FROM tracelog_queries WHERE id = ?", (query_id,))
        await self._change("Delete", {"user_id": user_id, "name": saved.name}, statement)
        return saved

    async def _change(self, step: str, what: Mapping[str, object], statement: Statement) -> None:
        async with self._logger.task("Log_Console") as task, task.step(step, what):
            await self._in_thread(lambda _: self._store.transact([statement]))

    # --- in a thread -------------------------------------------------------------------------

    def _ask(self, statement: Statement, rows: int, timeout: float) -> Answer:
        check_reads_only(statement.sql)
        sql = statement.sql.rstrip().removesuffix(";")
        if _WRAPPED.match(sql):
            # A line end, since the question may end with a comment.
            sql = f"SELECT * FROM (\n{sql}\n) LIMIT {rows + 1}"  # noqa: S608 # it reads only
        started = time.monotonic()
        result = self._store.query(sql, statement.args, timeout=timeout)
        seconds = time.monotonic() - started
        return Answer(result.columns, result.rows[:rows], len(result.rows) > rows, seconds)

    def _saved(self, condition: str, args: Sequence[Value], timeout: float) -> list[SavedQuery]:
        sql = f"SELECT id, name, sql FROM tracelog_queries {condition}"  # noqa: S608 # from here
        try:
            found = self._store.query(sql, args, timeout=timeout).dicts()
        except StoreSchemaMissing:
            return []  # the first delivery makes the tables
        return [
            SavedQuery(row["id"], str(row["name"]), str(row["sql"]))
            for row in found
            if isinstance(row["id"], int)
        ]

    async def _in_thread(self, work: Callable[[float], T]) -> T:
        """Run `work`, which gets the seconds that it may take."""
        try:
            # The store keeps the time by itself; the second is for one that hangs.
            with fail_after(self._seconds + 1):
                return await to_thread.run_sync(
                    partial(work, self._seconds), abandon_on_cancel=True
                )
        except TimeoutError:
            message = f"{self._store.name} gave no answer in {self._seconds:g} s."
            raise StoreUnavailable(message) from None


def parameters_of(sql: str) -> list[str]:
    """The `:names` in a question, in order, each once."""
    return list(dict.fromkeys(match["name"] for match in _PARAMETER.finditer(sql) if match["name"]))


def bound(sql: str, values: Mapping[str, str]) -> Statement:
    """A question with its `:names` filled in; whole numbers as numbers, no text as NULL.

    Raises `QueryFailed` where a value is missing.
    """
    names = parameters_of(sql)
    if missing := [name for name in names if name not in values]:
        raise QueryFailed(f"There is no value for :{missing[0]}.")

    def number(match: re.Match[str]) -> str:
        return f"?{names.index(match['name']) + 1}" if match["name"] else match[0]

    return Statement(_PARAMETER.sub(number, sql), [_value(values[name]) for name in names])


def with_literals(statement: Statement) -> str:
    """A statement as one text that can be asked again, its `?` replaced by their values."""
    args = iter(statement.args)

    def literal(match: re.Match[str]) -> str:
        return match[0] if match[0] != "?" else _literal(next(args))

    return re.sub(rf"{NO_CODE}|\?", literal, statement.sql, flags=re.X | re.S)


def _value(text: str) -> Value:
    if not text:
        return None
    return int(text) if _NUMBER.fullmatch(text) else text


def _literal(value: Value) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
