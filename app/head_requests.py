"""HEAD is answered as GET is, without the body."""

from anyio import CancelScope
from anyio.lowlevel import checkpoint
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadRequests:
    """Routes say GET only, and whatever can be read must answer HEAD too (RFC 9110, 9.3.2).

    The response is over with its headers; what would stream a body is stopped.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                tell_outside()
                await send(message)
                await send({"type": "http.response.body", "body": b""})
            elif message.get("more_body"):
                stream.cancel()
                await checkpoint()

        def tell_outside() -> None:
            """What the routers have found."""
            scope.update(asked, method="HEAD")

        asked = {**scope, "method": "GET"}
        try:
            with CancelScope() as stream:
                await self.app(asked, receive, send_head)
        finally:
            tell_outside()
