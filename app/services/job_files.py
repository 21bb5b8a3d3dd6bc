"""Files that jobs make for their users, such as exports. They are kept for a day."""

import os
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from app.lib.utils import utc_now
from app.models.job import Job

FILES_KEPT: Final = timedelta(days=1)


class JobFiles:
    """One folder on this machine's disk. A job that has a file has its name in `result["file"]`.

    Instances that do not share the folder have each only what their own jobs made.
    """

    def __init__(self, files_dir: Path) -> None:
        self._folder = files_dir / "jobs"

    def draft(self, job_id: str) -> Path:
        """Where a job writes its file until it is whole. The folder is there after this."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder / f"{job_id}.part"

    def keep(self, job_id: str) -> int:
        """The draft is whole now; how many bytes it has."""
        draft = self.draft(job_id)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(self._folder / job_id)
        return (self._folder / job_id).stat().st_size

    def find(self, job: Job, now: datetime | None = None) -> Path | None:
        """The file of a job that is done; None where it has none, or none any more."""
        if not file_of(job, now):
            return None
        path = self._folder / job.id
        return path if path.is_file() else None

    def sweep(self) -> int:
        """Delete what is older than it is kept; how many files."""
        oldest, deleted = time.time() - FILES_KEPT.total_seconds(), 0
        for path in self._folder.glob("*"):
            if path.stat().st_mtime >= oldest:
                continue
            if path.is_dir():  # of an export that was killed and never went on
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            deleted += 1
        return deleted


def file_of(job: Job, now: datetime | None = None) -> str:
    """What the file of a job is called, as long as it is kept; empty where there is none."""
    if job.status != "done" or not job.ended_at or not job.result:
        return ""
    is_kept = (now or utc_now()) < job.ended_at + FILES_KEPT
    return str(job.result.get("file", "")) if is_kept else ""
