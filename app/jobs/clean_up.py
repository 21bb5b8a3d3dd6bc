"""Takes away what nobody needs any more."""

import time
from contextlib import closing
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine, delete, or_
from sqlalchemy.orm import Session

from app.config import Settings
from app.jobs.schedules import scheduled
from app.lib.tracelog.store.store import StoreError
from app.lib.tracelog.upkeep.housekeeping import PAUSE_SECONDS
from app.lib.tracelog.upkeep.retention import Retention
from app.lib.utils import utc_now
from app.models.job import ENDED, Job
from app.models.login_session import LoginSession
from app.services.job_files import JobFiles
from app.services.session_service import IDLE
from app.trace_log import make_rules, make_store

JOBS_KEPT: Final = timedelta(days=30)


@scheduled("Session_Clean_Up", "17 * * * *")
def end_sessions(database: Engine, _settings: Settings) -> dict[str, int]:
    """Forget sign-ins that have ended; those of a user go at the next sign-in too."""
    now = utc_now()
    ended = or_(LoginSession.expires_at <= now, LoginSession.last_seen_at <= now - IDLE)
    with Session(database) as session, session.begin():
        gone = session.scalars(delete(LoginSession).where(ended).returning(LoginSession.id))
        return {"sessions": len(gone.all())}


@scheduled("Job_Clean_Up", "27 3 * * *")
def forget_jobs(database: Engine, _settings: Settings) -> dict[str, int]:
    """Forget jobs that ended a month ago."""
    old = Job.ended_at <= utc_now() - JOBS_KEPT
    with Session(database) as session, session.begin():
        gone = session.scalars(delete(Job).where(Job.status.in_(ENDED), old).returning(Job.id))
        return {"jobs": len(gone.all())}


@scheduled("File_Clean_Up", "37 * * * *")
def delete_files(_database: Engine, settings: Settings) -> dict[str, int]:
    """Delete files of jobs that were kept for long enough."""
    return {"files": JobFiles(settings.files_dir).sweep()}


@scheduled("Log_Retention", "7 * * * *")
def delete_log_rows(_database: Engine, settings: Settings) -> dict[str, int | str]:
    """Delete rows of the trace log that are older, or more, than the settings keep.

    Who delivers the log does the same where no jobs run; the first one in an hour does it for all.
    """
    rows = 0
    with closing(make_store(settings)) as store:
        retention = Retention(store, make_rules(settings))
        try:
            for chunk in retention.run() if retention.is_due() else ():
                rows += chunk.rows
                time.sleep(PAUSE_SECONDS if chunk.rows else 0)
        except StoreError as error:
            # A store that is away is waited for: that it is, is said where it is delivered to.
            return {"rows": rows, "goes_on_later": str(error)}
    return {"rows": rows}
