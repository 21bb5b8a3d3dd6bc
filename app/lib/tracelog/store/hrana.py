"""Hrana over HTTP: pipelines of SQL as JSON, as Turso and sqld speak it.

Only what every server of the family knows is used: `execute` and `batch`, and `close` where the
server knows that.
"""

import base64
import re
from collections.abc import Sequence
from typing import Any, Final

import orjson

from app.lib.tracelog.schema import Value
from app.lib.tracelog.store.sql import INT64_MAX, INT64_MIN, Statement
from app.lib.tracelog.store.store import (
    Cell,
    QueryFailed,
    Result,
    RowRejected,
    StoreError,
    StoreRefused,
    StoreSchemaMissing,
    StoreUnavailable,
)

_SCHEMA_MISSING: Final = re.compile(r"no such (table|column)|has no column named", re.IGNORECASE)
_ROW_REJECTED: Final = re.compile(
    r"constraint failed|datatype mismatch|too big|SQLITE_(CONSTRAINT|MISMATCH|TOOBIG)",
    re.IGNORECASE,
)
_WRONG_SQL: Final = re.compile(
    r"syntax error|incomplete input|no such function|misuse of|wrong number of arguments|"
    r"ambiguous column|SQL_(PARSE|INPUT)_ERROR|ARGS_INVALID|PREPARE_ERROR|RESPONSE_TOO_LARGE",
    re.IGNORECASE,
)


def transaction(statements: Sequence[Statement], *, write: bool) -> dict[str, object]:
    """A batch that does all of the statements or nothing; one that only reads is rolled back.

    The last step rolls back in any case, since a server with a single connection may still have
    somebody's abandoned transaction open on it.
    """
    steps: list[dict[str, object]] = [{"stmt": {"sql": "BEGIN IMMEDIATE" if write else "BEGIN"}}]
    for statement in statements:
        args = [_encode(value) for value in statement.args]
        stmt = {"sql": statement.sql, "args": args, "want_rows": not write}
        steps.append({"stmt": stmt, "condition": {"type": "ok", "step": len(steps) - 1}})
    if write:
        done: dict[str, object] = {"type": "ok", "step": len(steps) - 1}
        steps.append({"stmt": {"sql": "COMMIT"}, "condition": done})
        done = {"type": "ok", "step": len(steps) - 1}
        steps.append({"stmt": {"sql": "ROLLBACK"}, "condition": {"type": "not", "cond": done}})
    else:
        steps.append({"stmt": {"sql": "ROLLBACK"}})
    return {"type": "batch", "batch": {"steps": steps}}


def pipeline(batch: dict[str, object], *, close: bool) -> bytes:
    """The body of a request. Raises `RowRejected` for text that is no Unicode."""
    requests = [batch, {"type": "close"}] if close else [batch]
    try:
        return orjson.dumps({"requests": requests})
    except TypeError as error:
        raise RowRejected(f"A value cannot be sent: {error}") from None


def _encode(value: Value) -> dict[str, object]:
    if isinstance(value, str):
        return {"type": "text", "value": value}
    if value is None:
        return {"type": "null"}
    if not INT64_MIN <= value <= INT64_MAX:
        raise RowRejected("An integer has more than 64 bits.")
    return {"type": "integer", "value": str(int(value))}


def results(body: bytes, statements: int, *, write: bool) -> list[Result]:
    """The answers to the questions of a `transaction` of so many; none for one that writes.

    Raises the error of the step that failed, as `store.py` names it, and `StoreUnavailable` for an
    answer that makes no sense.
    """
    try:
        first = orjson.loads(body)["results"][0]
        if first["type"] == "error":
            raise sql_error(first["error"])
        answer = first["response"]["result"]
        step_results, step_errors = answer["step_results"], answer["step_errors"]
        # It begins with BEGIN. Where steps are missing in an answer, nothing else is the COMMIT.
        if step_results[statements + 1 if write else statements] is None:
            raise sql_error(next(error for error in step_errors if error is not None))
        return [] if write else [_result(step) for step in step_results[1 : statements + 1]]
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError, StopIteration):
        # A network that wants its users to sign in answers with a page of its own.
        said = _one_line(body[:2000].decode(errors="replace"))[:100]
        raise StoreUnavailable(f"The answer makes no sense ({said}).") from None


def _result(step: Any) -> Result:
    return Result(
        tuple(str(column["name"]) for column in step["cols"]),
        [tuple(_decode(cell) for cell in row) for row in step["rows"]],
    )


def _decode(cell: Any) -> Cell:
    kind = cell["type"]
    if kind == "text":
        return str(cell["value"])
    if kind == "integer":
        return int(cell["value"])
    if kind == "null":
        return None
    if kind == "float":
        return float(cell["value"])
    return base64.b64decode(cell["base64"] + "==")


def sql_error(error: Any) -> StoreError:
    """What an error that the server reports means for us."""
    message, code = _one_line(str(error["message"])), str(error.get("code") or "")
    both = f"{code} {message}"
    if "BLOCKED" in both or "blocked" in message:
        return StoreRefused(f"The server has blocked this database: {message}")
    if _SCHEMA_MISSING.search(both):
        return StoreSchemaMissing(message)
    if _ROW_REJECTED.search(both):
        return RowRejected(message)
    if _WRONG_SQL.search(both):
        return QueryFailed(message)
    return StoreUnavailable(message)


def http_error(status: int, body: bytes, retry_after: str | None) -> StoreError:
    """What an answer other than 200 means for us."""
    text = _error_text(body)
    said = f"HTTP {status}" + (f": {text}" if text else "")
    if "BLOCKED" in text:
        return StoreRefused(f"The server has blocked this database ({said})")
    if status in {401, 403}:
        return StoreRefused(f"The server does not take the token ({said})")
    if status in {408, 425, 429} or status >= 500:
        if "parse pipeline request" in text:
            return RowRejected(said)
        return StoreUnavailable(said, retry_after=_seconds(retry_after))
    if status == 413 or "deserialize client message" in text:
        return RowRejected(said)
    return StoreRefused(f"That is no address of a Turso database ({said})")


def _error_text(body: bytes) -> str:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _one_line(body[:2000].decode(errors="replace"))
    if isinstance(parsed, dict):
        parsed = parsed.get("error") or parsed.get("message") or parsed
    try:
        return _one_line(str(parsed))
    except RecursionError:
        return ""


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text[:2000]).split())[:300]


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isdecimal() else None
