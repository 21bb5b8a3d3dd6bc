"""A job of a visitor that goes on until the test ends it; nothing works at it."""

import sqlite3
import uuid
from contextlib import closing
from datetime import timedelta

from app.cookies import JOBS
from app.lib.utils import utc_now
from app.product import SLUG
from tests.browser.conftest import Visitor
from tests.support.live_app import LiveApp


def change(live_app: LiveApp, statement: str, *values: object) -> None:
    """Write what the app itself would have written."""
    with closing(sqlite3.connect(live_app.folder / "data" / "app.db")) as database, database:
        database.execute(statement, values)


class MadeUpJob:
    """`list.csv`, which the visitor's browser has queued."""

    def __init__(self, live_app: LiveApp, visitor: Visitor) -> None:
        self._live_app = live_app
        self._id = str(uuid.uuid4())
        now = f"{utc_now():%Y-%m-%d %H:%M:%S.%f}"
        row: dict[str, object] = {"id": self._id, "trace_id": self._id, "title": "list.csv"}
        row |= {"kind": "Report", "status": "running", "params": "{}", "steps": "[]", "step": ""}
        row |= dict.fromkeys(("step_number", "done", "cancel"), 0)
        row |= dict.fromkeys(("attempt", "handed_over"), 1)
        row |= dict.fromkeys(("created_at", "changed_at"), now)
        columns, places = ", ".join(row), ", ".join("?" * len(row))
        mine = "(SELECT id FROM users WHERE email = ?)"
        insert = f"INSERT INTO jobs ({columns}, user_id) VALUES ({places}, {mine})"
        change(live_app, insert, *row.values(), visitor.email)
        cookie = {"name": f"{SLUG}-{JOBS}", "value": "1", "url": visitor.origin}
        visitor.context.add_cookies([cookie])  # type: ignore[list-item] # its keys are known

    def end(self) -> None:
        """It is done, later than all that has ended so far."""
        ended = f"{utc_now() + timedelta(hours=1):%Y-%m-%d %H:%M:%S.%f}"
        update = "UPDATE jobs SET status = 'done', ended_at = ? WHERE id = ?"
        change(self._live_app, update, ended, self._id)
