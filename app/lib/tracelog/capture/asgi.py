"""The types of ASGI, and what a server tells beyond it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def has_left(receive: Receive) -> bool:
    """Whether the server knows that the client is gone. Asking by `receive` would wait for more.

    uvicorn's request has an attribute that tells; another server's is taken to have its client.
    """
    return getattr(getattr(receive, "__self__", None), "disconnected", False) is True


def still_waits(receive: Receive) -> bool:
    """Whether the server knows that the client is there. Another than uvicorn is taken not to."""
    return getattr(getattr(receive, "__self__", None), "disconnected", True) is False


def has_begun(receive: Receive) -> bool:
    """Whether the server has sent the head of the response; another than uvicorn is taken to."""
    return getattr(getattr(receive, "__self__", None), "response_started", True) is True
