"""An exception that has been answered is told, and goes no further."""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)


class AnsweredErrors:
    """Keeps the connection: a server closes it under the next request when an app raises.

    What is raised before the response is complete goes on to the server, which breaks it off.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_complete = False

        async def send_and_see(message: Message) -> None:
            nonlocal is_complete
            await send(message)
            if message["type"] == "http.response.body":
                is_complete = not message.get("more_body", False)

        try:
            await self.app(scope, receive, send_and_see)
        # Whatever it is: the visitor has the answer, so only the log is still to be told.
        except Exception:
            if not is_complete:
                raise
            log.exception("Exception in the app")
