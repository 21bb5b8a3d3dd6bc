"""The mailbox of a development server: what would have been sent. Elsewhere there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from app.dependencies import CurrentUser, MailerDep, SettingsDep
from app.mail import Mail, Mailbox
from app.templating import Template, render

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class MailboxPage(Template):
    template: ClassVar[str] = "dev/mail.html"
    mails: Sequence[Mail]


@router.get("/dev/mail")
async def mailbox(
    request: Request, user: CurrentUser, mailer: MailerDep, settings: SettingsDep
) -> Response:
    """The last mails, the newest first."""
    if not isinstance(mailer, Mailbox) or settings.environment != "development":
        raise HTTPException(404)
    return render(request, MailboxPage(mailer.mails))
