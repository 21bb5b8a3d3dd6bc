"""Mail: sent through SMTP, or in development kept in a mailbox that the browser can open."""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final, Protocol

import aiosmtplib

from app.config import Settings
from app.lib.utils import utc_now
from app.product import NAME

log = logging.getLogger(__name__)

_KEPT: Final = 50
_TIMEOUT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address. `link` is what it is about, if anything; `text` has it too."""

    to: str
    subject: str
    text: str
    link: str = ""
    sent_at: datetime = field(default_factory=utc_now)


class MailFailed(Exception):
    """The mail server did not take a mail; the message is what it said."""


class Mailer(Protocol):
    """Where mail goes. `delivers` tells whether it goes anywhere at all."""

    delivers: bool

    async def send(self, mail: Mail) -> None:
        """Hand a mail on. Raises `MailFailed`."""
        ...


class Mailbox:
    """Keeps the last mails in memory: for development, and for tests."""

    delivers = True

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=_KEPT)

    async def send(self, mail: Mail) -> None:
        self._mails.appendleft(mail)

    @property
    def mails(self) -> Sequence[Mail]:
        """The newest first."""
        return tuple(self._mails)


class SmtpMailer:
    """Sends through the server of `SMTP_HOST`, a connection a mail."""

    delivers = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, mail: Mail) -> None:
        settings = self._settings
        message = EmailMessage()
        message["From"] = _sender(settings.mail_from)
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid(
            domain=settings.mail_from.rpartition("@")[2].rstrip("> ")
        )
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        try:
            await aiosmtplib.send(
                message,
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_user or None,
                password=settings.smtp_password.get_secret_value() or None,
                use_tls=settings.smtp_tls == "tls",
                start_tls=settings.smtp_tls == "starttls",
                timeout=_TIMEOUT_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailFailed(str(error)) from error


def _sender(mail_from: str) -> str | Address:
    """`MAIL_FROM`, with the product's name where it is an address alone."""
    if "<" in mail_from:
        return mail_from
    return Address(NAME, addr_spec=mail_from)


class NoMailer:
    """For production without SMTP: nothing can be sent, and pages say so."""

    delivers = False

    async def send(self, mail: Mail) -> None:
        raise MailFailed("SMTP_HOST is not set")


def make_mailer(settings: Settings) -> Mailer:
    """The mailer that the settings describe."""
    if settings.smtp_host:
        return SmtpMailer(settings)
    return Mailbox() if settings.environment == "development" else NoMailer()
