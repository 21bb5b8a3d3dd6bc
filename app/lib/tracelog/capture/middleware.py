"""Records every request: pure ASGI, outermost, so that errors carry the trace id too.

Bodies are copied while they pass, never waited for. The row is written just before the bytes that
complete the response leave: whoever holds a complete response finds its row.
"""

import logging
from collections.abc import Iterable
from typing import Final

from app.lib.tracelog.capture.asgi import ASGIApp, Message, Receive, Scope, Send
from app.lib.tracelog.capture.bodies import SLACK
from app.lib.tracelog.capture.exchange import Exchange
from app.lib.tracelog.capture.gathering import Gathering
from app.lib.tracelog.capture.keeping import Keeping
from app.lib.tracelog.capture.sampling import Sampling
from app.lib.tracelog.codec import MAX_VALUE_BYTES
from app.lib.tracelog.recorder import Recorder
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.trace import Trace, incoming_trace_id, new_trace_id, use_trace

log = logging.getLogger("tracelog")

SKIPPED: Final = ("/static/", "/healthz", "/readyz", "/favicon.ico", "/logs")
"""Paths that leave no row unless they fail; each stands for itself and all below it."""


class CaptureMiddleware:
    """Gives each request its trace and records it in `api_logs`.

    `body_bytes` is how much of each body is kept; `html` says whether that includes HTML responses,
    of which otherwise only the size is kept. `sampling` leaves out some that went well.
    """

    def __init__(
        self,
        app: ASGIApp,
        recorder: Recorder,
        *,
        body_bytes: int = 16_384,
        skipped: Iterable[str] = SKIPPED,
        html: bool = False,
        sampling: Sampling | None = None,
    ) -> None:
        self._app = app
        skipped = tuple(skipped)
        self._skipped_prefixes = tuple(p if p.endswith("/") else f"{p}/" for p in skipped)
        self._skipped_names = frozenset(skipped)
        rows = Gathering(recorder, API_LOGS)
        # Of a longer value nothing at all would be shown.
        body_bytes = min(body_bytes, MAX_VALUE_BYTES - SLACK)
        self._keeping = Keeping(recorder, rows, body_bytes, html, sampling, self._skips)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._pass_on(scope, receive, send)
            return
        headers = scope["headers"]
        named = dict(headers)
        if len(named) < len(headers):
            named = dict(reversed(headers))  # the first of a kind counts, as it does for the app
        trace = Trace(incoming_trace_id(headers, named) or new_trace_id())
        exchange = Exchange(self._keeping, scope, receive, send, trace, named)
        with use_trace(trace):
            try:
                await self._app(scope, exchange.receive, exchange.send)
            # It is recorded and goes on; a task that is cancelled has a row, too.
            except BaseException as error:
                if exchange.ended(error):
                    await exchange.answer()
                raise
            if exchange.ended(None):
                log.error("A request ended without an answer of the app.")
                await exchange.answer()

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket leaves no row, but what it sets off is one trace."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        headers = scope["headers"]
        trace = Trace(incoming_trace_id(headers, dict(headers)) or new_trace_id())

        async def send_with_id(message: Message) -> None:
            if message["type"] in {"websocket.accept", "websocket.http.response.start"}:
                own = (b"x-trace-id", trace.trace_id.encode())
                message = {**message, "headers": [*(message.get("headers") or ()), own]}
            await send(message)

        with use_trace(trace):
            await self._app(scope, receive, send_with_id)

    def _skips(self, path: str) -> bool:
        return path in self._skipped_names or path.startswith(self._skipped_prefixes)


class ExceptionNote:
    """Notes the exception that ends a request, before anything outside turns it into a response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        # Only noted, and raised again.
        except Exception as error:
            if (trace := scope.get("tracelog.trace")) is not None:
                trace.exception = error
            raise
