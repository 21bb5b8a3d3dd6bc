"""Where DBOS keeps its own tables, and how it connects to SQLite."""

import sqlite3
import time
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.engine import URL

_KNOWS_SUBSEC: Final = sqlite3.sqlite_version_info >= (3, 42)


class _Connection(sqlite3.Connection):
    """Knows `unixepoch('subsec')`, which DBOS asks for from Python 3.12 on.

    Python may stand on a system's SQLite that is older, as on Debian 12 and Ubuntu 22.04.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        if not _KNOWS_SUBSEC:
            self.create_function("unixepoch", 1, lambda _: time.time_ns() // 1_000_000 / 1000)


def system_url(url: URL) -> str:
    """A file beside the app's, or a schema in its database."""
    if url.get_backend_name() == "sqlite":
        path = (url.database or "").removesuffix(".db") + ".jobs.db"
        return f"sqlite:///{path}"
    return url.render_as_string(hide_password=False)


def engine_options(url: URL) -> Mapping[str, Any]:
    """What DBOS is to give to SQLAlchemy's `create_engine`."""
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"factory": _Connection}}
    return {}
