"""What the end of a run tells: parts that this machine lacks, and what was measured.

A test that needs a missing part is skipped and named, or fails in CI.
"""

import os

import pytest

PREFIX = "Needs "
MEASURED = "measured"
"""A test records under this name what the end of the run is to show."""


def needs(part: str, *, there: bool, mend: str) -> None:
    """Skip this test where a real part is missing; with CI=true fail instead.

    `mend` says how to get the part. What was skipped is listed at the end of the run.
    """
    if there:
        return
    message = f"{PREFIX}{part}: {mend}"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
