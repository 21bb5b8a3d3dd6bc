"""Rows that wait, and the account that a command tells."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.schema import API_LOGS

AskLogs = Callable[..., Any]


def record(folder: Path, rows: int) -> None:
    """Rows that nobody delivers."""
    logger = CSVOnlyLogger(folder)
    for n in range(rows):
        logger.log(None, API_LOGS, {"method": "GET", "endpoint": f"/{n}"})
    logger.close()


def identity(account: dict[str, int]) -> tuple[int, ...]:
    names = ("appended", "shipped", "pending", "quarantined", "dropped", "unaccounted")
    return tuple(account[name] for name in names)
