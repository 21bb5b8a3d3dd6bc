"""Parts that a machine may lack: tests that need one are skipped and named, or fail in CI."""

import os

import pytest

PREFIX = "Needs "


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
