"""Check and test everything as a build machine does: what cannot be tested here is a failure."""

import os

from commands import test


def main(arguments: list[str]) -> int:
    os.environ["CI"] = "true"
    return test.main(arguments, "ci")
