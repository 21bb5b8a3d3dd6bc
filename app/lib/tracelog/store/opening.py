"""Opens a store by its URL."""

from pathlib import Path

from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Store
from app.lib.tracelog.store.turso_store import TursoStore


def open_store(url: str, token: str) -> Store:
    """The store behind a URL. Nothing is opened or asked before the first call."""
    if url.startswith("file:"):
        return SQLiteStore(Path(url.removeprefix("file:")))
    return TursoStore(url, token)
