"""The processes that run jobs: who is alive, by heartbeats in the database."""

import logging
import os
import secrets
import socket
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.lib.utils import utc_now
from app.models.job import JobWorker

log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 2.0
DEAD_AFTER: Final = timedelta(seconds=10)


class Workers:
    """All of them, seen from this process, whose own name among them is `own`."""

    def __init__(self, connected: Callable[[], Engine]) -> None:
        self._connected = connected
        self._host = socket.gethostname()[:60]
        self.own = f"{self._host}:{os.getpid()}:{secrets.token_hex(4)}"

    def beat(self) -> None:
        """Say that this one lives."""
        now = utc_now()
        with Session(self._connected()) as session, session.begin():
            seen = update(JobWorker).where(JobWorker.id == self.own).values(seen_at=now)
            if session.execute(seen).rowcount == 0:  # type: ignore[attr-defined] # an UPDATE has it
                session.execute(insert(JobWorker).values(id=self.own, seen_at=now))
                # Each that dies unheard has another follow it.
                old = JobWorker.seen_at < now - DEAD_AFTER * 6
                session.execute(delete(JobWorker).where(old))

    def dead(self, names: Collection[str]) -> list[str]:
        """Those of `names` that are not alive any more."""
        others = set(names) - {self.own}
        return sorted(others - self._alive()) if others else []

    def sign_off(self) -> None:
        """Say that this one ends; where that cannot be said, it is found out."""
        try:
            with Session(self._connected()) as session, session.begin():
                session.execute(delete(JobWorker).where(JobWorker.id == self.own))
        except SQLAlchemyError as error:
            log.warning("The job worker could not sign off: %s", error)

    def _alive(self) -> set[str]:
        """Those that were seen lately; of this host's those whose process is there."""
        with Session(self._connected()) as session:
            seen = session.scalars(
                select(JobWorker.id).where(JobWorker.seen_at > utc_now() - DEAD_AFTER)
            ).all()
        return {
            worker
            for worker in seen
            if not worker.startswith(f"{self._host}:") or _process_exists(int(worker.split(":")[1]))
        }


def _process_exists(pid: int) -> bool:
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
