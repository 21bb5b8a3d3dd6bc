"""One request and its response, as far as they have passed, and the row that comes of them."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from app.lib.tracelog.capture.asgi import (
    Message,
    Receive,
    Scope,
    Send,
    has_begun,
    has_left,
    still_waits,
)
from app.lib.tracelog.capture.bodies import body_json
from app.lib.tracelog.capture.failures import being_answered, record_failure, route_of
from app.lib.tracelog.capture.gathering import Group
from app.lib.tracelog.capture.keeping import Keeping
from app.lib.tracelog.capture.multipart import Parts
from app.lib.tracelog.capture.request_line import request_line
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.short_turns import latest_request
from app.lib.tracelog.trace import Trace

CLIENT_CLOSED_REQUEST: Final = 499
_NO_BODY: Final = frozenset({204, 304})
_LONGEST_LENGTH: Final = 20
_FAILED: Final = b"Internal Server Error"
_INCOMPLETE: Final = "The response was not completed."
_REFUSED: Final = b"\0\n\v\f\r"


class Exchange:
    __slots__ = (
        "_arrived",
        "_body_bytes",
        "_disconnected",
        "_expected",
        "_keeping",
        "_left_out",
        "_more_comes",
        "_named",
        "_parts",
        "_receive",
        "_recorded",
        "_request_body",
        "_request_size",
        "_response_body",
        "_response_encoding",
        "_response_size",
        "_response_type",
        "_scope",
        "_send",
        "_started",
        "_status",
        "_told",
        "_trace",
    )

    def __init__(
        self,
        keeping: Keeping,
        scope: Scope,
        receive: Receive,
        send: Send,
        trace: Trace,
        named: Mapping[bytes, bytes],
    ) -> None:
        self._arrived = time.time()
        self._started = latest_request.began = time.perf_counter()
        self._keeping = keeping
        self._body_bytes = keeping.body_bytes
        self._scope = scope
        self._receive = receive
        self._send = send
        self._trace = trace
        self._named = named
        # Of what is sent in chunks nobody knows that there is none.
        self._more_comes = b"transfer-encoding" in named
        self._parts: Parts | None = None
        self._disconnected = False
        self._recorded = False
        self._told = False
        self._left_out: Callable[[int], bytes] | None = None
        self._request_body: bytes | bytearray = b""
        self._response_body: bytes | bytearray = b""
        self._request_size = self._response_size = 0
        self._response_type = self._response_encoding = b""
        self._expected: int | None = None
        self._status: int | None = None
        scope["tracelog.trace"] = trace

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            if chunk := message.get("body"):
                self._request_body = self._kept(self._request_body, chunk)
                self._request_size += len(chunk)
                if self._request_size > self._body_bytes:
                    self._follow(chunk)
            self._more_comes = message.get("more_body", False)
        elif message["type"] == "http.disconnect" and not self._recorded:
            # Later it says that the response is over.
            self._disconnected = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            if chunk := message.get("body"):
                self._response_body = self._kept(self._response_body, chunk)
                self._response_size += len(chunk)
            whole = not message.get("more_body", False) or self._response_size == self._expected
        elif message["type"] == "http.response.start":
            # A copy: an app may send the same head each time.
            message = {**message}
            whole = self._start(message)
        else:
            # The server reads the file itself.
            whole = message["type"] == "http.response.pathsend"
            self._response_size += (self._expected or 0) if whole else 0
        if whole and not self._recorded and (group := self._record(whole=True)) is not None:
            await group
        try:
            await self._send(message)
        except OSError:
            # So servers of ASGI 2.4 say that the client is gone.
            self._disconnected = True
            raise

    def ended(self, error: BaseException | None) -> bool:
        """The app is done with the request; a response that never became whole is recorded now.

        Whether the client is still to be answered.
        """
        if latest_request.began == self._started:
            latest_request.began = 0.0
        if error is not None and not self._disconnected and self._is_failure(error):
            self._trace.exception = error
            if self._recorded and not self._told:
                self._record_failure()
        if self._recorded:
            left_out, self._left_out = self._left_out, None
            if left_out is not None and self._trace.failed:
                # Only its background work has.
                self._keeping.recorder.write_line(API_LOGS, left_out)
            return False
        if self._is_unanswered() and not isinstance(error, GeneratorExit):
            return True
        is_cancelled = error is not None and not self._is_failure(error)
        if self._status is None or (is_cancelled and not still_waits(self._receive)):
            self._status = CLIENT_CLOSED_REQUEST
        if (group := self._record(whole=False, ended=error is None)) is not None:
            group.write()
        return False

    async def answer(self) -> None:
        """Say that the app has failed, as the server would, but with the trace id."""
        self._response_body, self._response_encoding = _FAILED, b""
        self._response_size = len(_FAILED)
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        headers.append((b"content-length", b"%d" % len(_FAILED)))
        head = {"type": "http.response.start", "status": 500, "headers": headers}
        self._start(head)
        if (group := self._record(whole=True)) is not None:
            group.write()
        # The server may take none any more, and it is the app's exception that is to be told.
        with suppress(Exception):
            await self._send(head)
            await self._send({"type": "http.response.body", "body": _FAILED})

    def _is_unanswered(self) -> bool:
        """Whether nothing was sent to a client that still waits."""
        if self._disconnected or has_left(self._receive):
            return False
        # What stands outside may have kept the head back to see the body first.
        return self._status is None or not has_begun(self._receive)

    def _is_failure(self, error: BaseException) -> bool:
        """Whether an exception is the app's own, rather than the end of a response's reader."""
        if isinstance(error, asyncio.CancelledError):
            return self._is_unanswered()
        return not isinstance(error, GeneratorExit)

    def _kept(self, kept: bytes | bytearray, chunk: bytes) -> bytes | bytearray:
        room = self._body_bytes - len(kept)
        if room <= 0:
            return kept
        if not kept:
            return bytes(chunk[:room])
        if isinstance(kept, bytes):
            kept = bytearray(kept)
        kept += chunk[:room]
        return kept

    def _follow(self, chunk: bytes) -> None:
        """Take note of files and fields in a form of which no more is kept."""
        beyond = self._request_size - self._body_bytes
        if beyond <= len(chunk) and self._body_bytes:
            self._parts = Parts.of(self._named.get(b"content-type", b""))
            if self._parts is not None:
                self._parts.feed(bytes(self._request_body), keep=True)
        if self._parts is not None:
            self._parts.feed(chunk, keep=False, start=max(0, len(chunk) - beyond))

    def _start(self, message: Message) -> bool:
        """Take note of the head of the response; whether that is the whole response.

        Raises `ValueError` for one that all servers refuse: they would close the connection then.
        """
        status: int = message["status"]
        headers: list[tuple[bytes, bytes]] = []
        for pair in message.get("headers", ()):
            name, value = pair[0].lower(), pair[1]
            if name == b"x-trace-id":
                continue
            headers.append(pair)
            if name == b"content-length" and value.isdigit() and len(value) < _LONGEST_LENGTH:
                self._expected = int(value)
                continue
            if len(value.translate(None, _REFUSED)) != len(value):
                shown = name.decode("latin-1")
                raise ValueError(f"a line break or zero in the header {shown}")
            if name == b"content-type":
                self._response_type = value
            elif name == b"content-encoding":
                self._response_encoding = value
        headers.append((b"x-trace-id", self._trace.trace_id.encode()))
        self._status, message["headers"] = status, headers
        return self._scope["method"] == "HEAD" or status in _NO_BODY or self._expected == 0

    def _record(self, *, whole: bool, ended: bool = False) -> Group | None:
        """Record the request; a group where its row is still to be written, with others.

        `whole` says whether the response is, `ended` that the app is done though it is not.
        """
        if self._status is None:
            # A body without a head, which no server takes.
            return None
        self._recorded = True
        duration_ms = round((time.perf_counter() - self._started) * 1000)
        if self._disconnected:
            # Nobody gets what the app answers now, and an exception is how it was told so.
            self._status = CLIENT_CLOSED_REQUEST
            self._trace.exception = None
        elif has_left(self._receive):
            # The app did not listen, so that its exception, if any, is one of its own.
            self._status = CLIENT_CLOSED_REQUEST
        scope, status = self._scope, self._status or 0
        if ended and self._trace.exception is None and status != CLIENT_CLOSED_REQUEST:
            self._record_failure(_INCOMPLETE)
        elif self._trace.exception is not None or (
            # A step that failed before need not have to do with it.
            status >= 500 and (not self._trace.failed or being_answered() is not None)
        ):
            self._record_failure()
        elif status < 500 and self._keeping.skips(scope["path"]):
            return None

        def make_line(row_id: int) -> bytes:
            return self._line(row_id, duration_ms, whole=whole)

        trace = self._trace
        if not trace.failed and self._keeping.leaves_out(scope, trace, status, duration_ms):
            self._left_out = make_line
            return None
        return self._keeping.rows.add(make_line)

    def _line(self, row_id: int, duration_ms: int, *, whole: bool) -> bytes:
        scope, keeping, named = self._scope, self._keeping, self._named
        redactor = keeping.recorder.redactor
        request_body = response_body = None
        announced = named.get(b"content-length")
        if announced is not None or self._request_size or self._more_comes:
            # The app need not have read all of it, as when it refuses the request. A length beside
            # chunks means nothing (RFC 9112, 6.3).
            size = None
            if announced is not None and b"transfer-encoding" not in named:
                is_length = announced.isdigit() and len(announced) < _LONGEST_LENGTH
                size = int(announced) if is_length else None
            request_body = body_json(
                redactor,
                named.get(b"content-type", b""),
                bytes(self._request_body),
                total=max(self._request_size, size or 0),
                cap=self._body_bytes,
                content_encoding=named.get(b"content-encoding", b""),
                html=keeping.html,
                whole=not self._more_comes or self._request_size == size,
                parts=self._parts,
            )
        # Of what has no type nothing was to come.
        if self._response_size or (self._response_type and not whole):
            response_body = body_json(
                redactor,
                self._response_type,
                bytes(self._response_body),
                total=self._response_size,
                cap=self._body_bytes,
                content_encoding=self._response_encoding,
                html=keeping.html,
                whole=whole and self._response_size >= (self._expected or 0),
            )
        more: dict[str, str] = {}
        if (route := route_of(scope)) is not None:
            more[":route"] = route
        if query := scope["query_string"]:
            more[":query"] = redactor.query(query)
        more[":http_version"] = scope["http_version"]
        client = scope.get("client")
        return request_line(
            row_id,
            self._trace.trace_id,
            method=scope["method"],
            endpoint=redactor.path(scope["path"]),
            request_header=redactor.headers_json(scope["headers"], more),
            request_body=request_body,
            response_status=self._status,
            response_body=response_body,
            duration_ms=duration_ms,
            ip_address=client[0] if client else None,
            user_id=self._trace.user_id,
            created_at=self._arrived,
        )

    def _record_failure(self, message: str = "") -> None:
        error = self._trace.exception or being_answered()
        self._told = error is not None
        status = self._status or 500
        record_failure(self._keeping.recorder, self._trace, self._scope, status, error, message)
