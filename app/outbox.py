"""Letters that requests write: they go out once what they speak of is committed."""

import asyncio
from typing import Final

from fastapi import BackgroundTasks, Request

from app.config import Settings
from app.i18n import Language
from app.letters import LetterKind, write_letter
from app.lib.logger import TraceLogger
from app.mail import Mail, Mailer, MailFailed
from app.templating import language_of

_WAITS: Final = (0.0, 2.0, 10.0)
"""Seconds before each try to hand a mail to the server."""


class Outbox:
    """Writes letters in the language of a request, and sends them after its response."""

    def __init__(self, request: Request, tasks: BackgroundTasks) -> None:
        self._app = request.app
        self._tasks = tasks
        self._language: Language = language_of(request)
        self._origin = origin_of(request)

    def post(self, kind: LetterKind, to: str, token: str) -> None:
        """Have a letter sent, where any can be; what becomes of it is in the trace log."""
        if not self._app.state.mailer.delivers:
            return
        mail = write_letter(self._language, self._origin, kind, to, token)
        self._tasks.add_task(_send, self._app.state.mailer, self._app.state.logger, kind, mail)


def origin_of(request: Request) -> str:
    """Where the reader reaches the app; links in mails never follow a forged host in production."""
    settings: Settings = request.app.state.settings
    return settings.public_origin or str(request.base_url).rstrip("/")


async def _send(mailer: Mailer, logger: TraceLogger, kind: LetterKind, mail: Mail) -> None:
    try:
        async with logger.task("Mail_Send") as task:
            for place, wait in enumerate(_WAITS):
                await asyncio.sleep(wait)
                try:
                    async with task.step("SMTP_Send", {"kind": kind, "to": mail.to}):
                        await mailer.send(mail)
                    return
                except MailFailed:
                    if place == len(_WAITS) - 1:
                        raise
    except MailFailed:
        pass  # the response is long gone; the trace log has the failed step
