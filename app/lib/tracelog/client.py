"""HTTP clients that hand the trace on, so that the other side's rows can be found too."""

from typing import Any

import httpx

from app.lib.tracelog.trace import outgoing_headers


def traced_async_client(**options: Any) -> httpx.AsyncClient:
    """An `httpx.AsyncClient` whose requests carry `X-Trace-Id` and `traceparent`.

    `options` are those of `httpx.AsyncClient`.
    """
    client = httpx.AsyncClient(**options)
    client.event_hooks["request"].append(_hand_on_async)
    return client


def traced_client(**options: Any) -> httpx.Client:
    """The same for code that is not async."""
    client = httpx.Client(**options)
    client.event_hooks["request"].append(_hand_on)
    return client


def _hand_on(request: httpx.Request) -> None:
    headers = outgoing_headers()
    # One that the caller names is not to be contradicted by the other header.
    if not any(name in request.headers for name in headers):
        request.headers.update(headers)


async def _hand_on_async(request: httpx.Request) -> None:
    _hand_on(request)
