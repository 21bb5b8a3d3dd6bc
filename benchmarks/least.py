"""The least that a recorder in Python can do: the limit of what ours can cost.

It sees both bodies and writes them to a file before the answer leaves, as they are: no head, no
trace id, no search for secrets, no row, no lock.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class LeastRecorder:
    """Of `app`, for requests and responses that come in one message. Without a file it writes
    nothing.
    """

    def __init__(self, app: ASGIApp, file: Path | None = None) -> None:
        self._app = app
        self._fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if file else -1

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = b""

        async def seen() -> Message:
            nonlocal body
            message = await receive()
            body = message.get("body", b"")
            return message

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.body" and self._fd >= 0:
                os.write(self._fd, b"%b,%b\n" % (body, message["body"]))
            await send(message)

        await self._app(scope, seen, sent)
