"""The trace: what all rows of one chain of work share.

A trace lives in a context variable, so it follows awaits, tasks made by asyncio, and worker threads
of `asyncio.to_thread` and anyio. `carry` takes it into those that do not copy their context, as of
`run_in_executor`.
"""

import contextvars
import os
import re
import secrets
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from app.lib.tracelog.forks import renew_after_forks

P = ParamSpec("P")
R = TypeVar("R")

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z", re.IGNORECASE)
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?\Z")
_TRACE_ID = "__trace_id__"
_NIL = "00000000-0000-0000-0000-000000000000"
_MADE_AT_ONCE = 64


@dataclass(slots=True)
class Trace:
    """One chain of work. `user_id` is the signed-in user; who finds out sets it.

    `exception` is the one that ended the request, `failed` tells that a FAILED row was written.
    """

    trace_id: str
    user_id: int | None = None
    exception: BaseException | None = None
    failed: bool = False


_current: contextvars.ContextVar[Trace | None] = contextvars.ContextVar("trace", default=None)


def current_trace() -> Trace | None:
    """The trace that this code runs in."""
    return _current.get()


class use_trace:
    """Run what is inside of `with` under `trace`."""

    __slots__ = ("_token", "_trace")

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __enter__(self) -> Trace:
        self._token = _current.set(self._trace)
        return self._trace

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        try:
            _current.reset(self._token)
        except ValueError:
            # A generator that a thread pool goes through ends in another context than it began in.
            if _current.get() is self._trace:
                _current.set(None)
        if error is not None:
            vars(error)[_TRACE_ID] = self._trace.trace_id  # the last, for one may be raised again


def trace_id_of(error: BaseException | None) -> str | None:
    """The id of the trace that an exception came out of: whoever logs it outside may want it."""
    return None if error is None else vars(error).get(_TRACE_ID)


def carry(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, to be called in threads of their own, under the trace of this moment."""
    context = contextvars.copy_context()

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        # A copy each time, since two threads cannot be in the same context at once.
        return context.copy().run(function, *args, **kwargs)

    return run


class _RandomIds:
    """Random UUIDs, made many at a time, which costs a third of making each when it is wanted."""

    def __init__(self) -> None:
        self._ready: list[str] = []
        renew_after_forks(self)

    def next(self) -> str:
        try:
            return self._ready.pop()
        except IndexError:
            digits = os.urandom(16 * _MADE_AT_ONCE).hex()
            first, *rest = [_uuid4(digits[at : at + 32]) for at in range(0, len(digits), 32)]
            self._ready.extend(rest)
            return first

    def renew_after_fork(self) -> None:
        # They are the parent's to use.
        self._ready.clear()


def _uuid4(digits: str) -> str:
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


_random_ids = _RandomIds()


def new_trace_id() -> str:
    """A random UUID (version 4)."""
    return _random_ids.next()


def incoming_trace_id(
    headers: Collection[tuple[bytes, bytes]], named: Mapping[bytes, bytes]
) -> str | None:
    """The trace id that a request brings in `traceparent` or `X-Trace-Id`, as a lower-case UUID.

    None where there is none, more than one of a kind, or anything that is not exactly a trace id.
    `named` are the same headers by name.
    """
    if b"traceparent" not in named and b"x-trace-id" not in named:
        return None
    parents = []
    ids = []
    for name, value in headers:
        # Not every server takes away the blanks around a value.
        if name == b"traceparent":
            parents.append(value.strip(b" \t"))
        elif name == b"x-trace-id":
            ids.append(value.strip(b" \t"))
    if len(parents) == 1 and (match := _TRACEPARENT.match(parents[0].decode("latin-1"))):
        digits, parent = match[1], match[2]
        version_0_is_longer = parents[0][:2] == b"00" and len(parents[0]) != 55
        if digits.strip("0") and parent.strip("0") and not version_0_is_longer:
            return str(uuid.UUID(digits))
    if len(ids) == 1 and _UUID.match(text := ids[0].decode("latin-1")) and text != _NIL:
        return text.lower()
    return None


def outgoing_headers() -> Mapping[str, str]:
    """Headers that hand the current trace on to another service."""
    trace = current_trace()
    if trace is None:
        return {}
    headers = {"X-Trace-Id": trace.trace_id}
    digits = trace.trace_id.replace("-", "")
    if re.fullmatch("[0-9a-f]{32}", digits):
        headers["traceparent"] = f"00-{digits}-{secrets.token_hex(8)}-01"
    return headers
