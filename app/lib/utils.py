"""Small tools that any part of the app may use."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now, in UTC, with microseconds."""
    return datetime.now(UTC)
