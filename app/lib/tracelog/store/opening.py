"""Opens a store by its URL, and tells one from another."""

import os
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Store
from app.lib.tracelog.store.turso_store import TursoStore

_FILE: Final = "file:"


def open_store(url: str, token: str) -> Store:
    """The store behind a URL. Nothing is opened or asked before the first call."""
    if url.startswith(_FILE):
        return SQLiteStore(Path(url.removeprefix(_FILE)))
    return TursoStore(url, token)


def address_of(url: str, log_dir: Path) -> str:
    """What a log folder remembers a store by: no secrets, and the same when both were moved.

    Empty for a URL that is none.
    """
    if url.startswith(_FILE):
        # Whichever links lead to them.
        path = _real(Path(url.removeprefix(_FILE)))
        try:
            return _FILE + Path(os.path.relpath(path, _real(log_dir))).as_posix()
        except ValueError:
            # On Windows there is no way from one drive to another.
            return _FILE + path.as_posix()
    try:
        parts = urlsplit(url)
    except ValueError:
        # Who opens it is told so; a logger is there all the same.
        return ""
    return parts.netloc.rpartition("@")[2].lower() + parts.path.rstrip("/")


def name_of(address: str, log_dir: Path) -> str:
    """The same for people."""
    if address.startswith(_FILE):
        return os.path.normpath(_real(log_dir) / address.removeprefix(_FILE))
    return address


def _real(path: Path) -> Path:
    # Other than `Path.resolve` it takes links that lead in a circle.
    return Path(os.path.realpath(path))
