"""What an app with these settings works with: a line each for database, accounts, log, jobs, mail.

No line holds a password, a token or a key.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from sqlalchemy import make_url

from app.config import Settings
from app.jobs.system_database import system_url
from commands.kit.words import text


def in_use(settings: Settings) -> Iterator[str]:
    """Five lines for a start."""
    for part, what in (
        ("uses_database", _database(settings)),
        ("uses_accounts", _accounts(settings)),
        ("uses_log", _log(settings)),
        ("uses_jobs", _jobs(settings)),
        ("uses_mail", _mail(settings)),
    ):
        yield text("uses", part=text(part), what=what)


def _database(settings: Settings) -> str:
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        return text("uses_sqlite", path=url.database)
    return text("uses_postgres", host=url.host or url.query.get("host"), name=url.database)


def _accounts(settings: Settings) -> str:
    if settings.uses_supabase:
        return text("uses_supabase", host=urlsplit(settings.supabase_auth_url).netloc)
    return text("uses_own_accounts")


def _log(settings: Settings) -> str:
    folder = settings.log_dir.as_posix()
    url = settings.trace_store_url
    if url.startswith("file:"):
        return text("uses_log_file", folder=folder, path=url.removeprefix("file:"))
    return text("uses_turso", folder=folder, host=urlsplit(url).netloc.rpartition("@")[2])


def _jobs(settings: Settings) -> str:
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        return text("uses_jobs_file", path=system_url(url).removeprefix("sqlite:///"))
    return text("uses_jobs_schema")


def _mail(settings: Settings) -> str:
    if settings.smtp_host:
        return text("uses_smtp", host=settings.smtp_host, port=settings.smtp_port)
    return text("uses_mailbox" if settings.environment == "development" else "uses_no_mail")
