"""The mail server: that it answers, encrypts and takes the sign-in. No mail is sent."""

import smtplib
import ssl
from collections.abc import Iterator

from app.config import Settings
from commands.kit.doctor.finding import Finding, note, ok, wrong
from commands.kit.words import place

_SECONDS = 5.0


def mail(settings: Settings) -> Iterator[Finding]:
    if not settings.smtp_host:
        there = settings.environment == "development"
        yield ok("Mail", "uses_mailbox") if there else note("Mail", "uses_no_mail")
        return
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        with _connect(settings) as server:
            if settings.smtp_tls == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.noop()
    except smtplib.SMTPAuthenticationError:
        yield wrong("Mail", "doctor_mail_refuses", where=where, place=place("SMTP_USER"))
    except (OSError, smtplib.SMTPException) as error:
        reason = type(error).__name__
        at = place("SMTP_HOST")
        yield wrong("Mail", "doctor_mail_silent", where=where, reason=reason, place=at)
    else:
        yield ok("Mail", "doctor_mail", where=where)


def _connect(settings: Settings) -> smtplib.SMTP:
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_tls == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=context)
    return smtplib.SMTP(host, port, timeout=_SECONDS)
