"""Why a job failed, as its user is told. `app/routers/job_texts.py` has the sentences."""

import errno
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

from app.jobs.running import JobError
from app.mail import MailFailed

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DATABASE_FULL: Final = ("disk is full", "no space left")

INTERNAL: Final = "internal"
"""A fault of ours; what it is stands in the trace log."""


def problem_of(error: Exception) -> dict[str, Any]:
    """What is kept of the error that has ended a job."""
    if isinstance(error, JobError):
        return {"code": error.code, "values": error.values}
    if isinstance(error, MailFailed):
        return {"code": "mail_failed", "values": {}}
    return {"code": "disk_full" if _is_no_room(error) else INTERNAL, "values": {}}


def _is_no_room(error: Exception) -> bool:
    """Whether a disk is full: that of the files or, as far as it says so, that of the database."""
    if isinstance(error, DBAPIError):
        return any(words in str(error.orig).lower() for words in _DATABASE_FULL)
    return isinstance(error, OSError) and error.errno in _NO_ROOM
