"""Whether what the app needs is there. Each check raises `Failure`: what is wrong and the mend.

What it asks with is read only where there is something to ask: that takes longer than most checks.
"""

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from app.config import Settings
from app.config_values import is_supabase_direct
from app.lib.tracelog.disk import exists
from commands.kit.words import Failure, place

# Longer than any healthy server takes, short enough for a person who waits.
_DATABASE_SECONDS = 5
_STORE_SECONDS = 2.0


def check_folders(folders: Iterable[Path]) -> None:
    """They can be made and written."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise Failure("cannot_write", path=folder, reason=error.strerror) from None


def folders_at_start(settings: Settings) -> Iterator[Path]:
    """The folders without which the app does not start."""
    yield settings.log_dir
    if database := sqlite_path(settings):
        yield database.parent


def folders(settings: Settings) -> Iterator[Path]:
    """All folders that the app writes to."""
    yield from folders_at_start(settings)
    yield settings.files_dir
    yield settings.picture_dir


def check_database(settings: Settings) -> None:
    """The database of `DATABASE_URL` answers."""
    if path := sqlite_path(settings):
        try:
            if not exists(path):
                return  # it will be made
            with closing(sqlite3.connect(path, timeout=_DATABASE_SECONDS)) as connection:
                connection.execute("PRAGMA schema_version").fetchone()
        except sqlite3.Error as error:
            raise Failure("sqlite_fails", path=path, reason=error) from None
        except OSError as error:  # such as a name that is too long
            raise Failure("sqlite_fails", path=path, reason=error.strerror) from None
        return
    import psycopg

    parts = urlsplit(settings.database_url)
    try:
        psycopg.connect(settings.database_url, connect_timeout=_DATABASE_SECONDS).close()
    except psycopg.Error as error:
        raise _postgres_failure(str(error), parts.hostname or "", parts.path[1:]) from None


def check_trace_store(settings: Settings) -> None:
    """The server of `TURSO_URL` answers and takes the token; a local file is always fine."""
    url = settings.turso_url
    if not url or url.startswith("file:"):
        return
    import httpx

    host = urlsplit(url).hostname
    token = settings.turso_token.get_secret_value()
    try:
        response = httpx.post(
            url.replace("libsql://", "https://", 1).rstrip("/") + "/v2/pipeline",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            json={"requests": [{"type": "execute", "stmt": {"sql": "SELECT 1"}}]},
            timeout=_STORE_SECONDS,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Failure("turso_silent", host=host, reason=type(error).__name__) from None
    if response.status_code in {401, 403}:
        at = place("TURSO_TOKEN" if token else "TURSO_URL")
        raise Failure("turso_refuses", host=host, status=response.status_code, place=at)
    if response.status_code != 200:
        at = place("TURSO_URL")
        raise Failure("turso_strange", host=host, status=response.status_code, place=at)


def sqlite_path(settings: Settings) -> Path | None:
    """The file of a SQLite URL; `None` for any other."""
    kind, _, path = settings.database_url.partition(":///")
    return Path(path) if kind == "sqlite" else None


def _postgres_failure(message: str, host: str, name: str) -> Failure:
    where = host or "this machine"
    at = place("DATABASE_URL")
    refusals = ("authentication failed", "no password supplied", 'role "')
    if any(word in message for word in refusals):
        return Failure("postgres_refuses", host=where, place=at)
    if "does not exist" in message and f'database "{name}"' in message:
        return Failure("postgres_no_database", host=where, name=name, place=at)
    silent = ("refused", "timeout", "timed out", "resolve", "translate", "unreachable", "No such")
    if any(word in message for word in silent) and is_supabase_direct(host):
        return Failure("supabase_direct", host=host)
    if any(word in message for word in silent):
        return Failure("postgres_silent", host=where, place=at)
    reason = " ".join(message.split())
    return Failure("postgres_fails", host=where, reason=reason, place=at)
