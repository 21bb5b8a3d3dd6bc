"""Why a job failed, as its user is told."""

import errno

import pytest
from sqlalchemy.exc import OperationalError

from app.jobs.problems import problem_of
from app.jobs.running import JobError


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (JobError("bad_file", line=3), {"code": "bad_file", "values": {"line": 3}}),
        (OSError(errno.ENOSPC, "No space left on device"), {"code": "disk_full", "values": {}}),
        (
            OperationalError("INSERT", {}, Exception("could not extend file: No space left")),
            {"code": "disk_full", "values": {}},
        ),
        (OSError(errno.EACCES, "Permission denied"), {"code": "internal", "values": {}}),
        (ValueError("a secret"), {"code": "internal", "values": {}}),
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_is_kept_of_an_error(error: Exception, problem: dict[str, object]) -> None:
    assert problem_of(error) == problem
