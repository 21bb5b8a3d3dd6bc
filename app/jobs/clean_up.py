"""Takes away what nobody needs any more."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Engine, delete, or_
from sqlalchemy.orm import Session

from app.config import Settings
from app.jobs.schedules import scheduled
from app.lib.utils import utc_now
from app.models.job import ENDED, Job
from app.models.login_session import LoginSession
from app.services.job_files import JobFiles
from app.services.session_service import IDLE

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
