"""Rows in a log folder, and the account of them."""

from pathlib import Path

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.shipper.accounting import Account
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.sqlite_store import SQLiteStore


def log(logger: EnhancedCSVLogger, rows: int, table: str = API_LOGS) -> None:
    for n in range(rows):
        logger.log(None, table, {"method": "GET", "endpoint": f"/{n}", "task_name": "T"})


def numbers(account: Account) -> tuple[int, int, int, int, int]:
    """appended, shipped, pending, quarantined, dropped."""
    assert account.unaccounted == 0, account
    parts = account.shipped, account.pending, account.quarantined, account.dropped
    assert sum(parts) == account.appended
    return account.appended, *parts


def deliver(folder: Path) -> None:
    shipper = Shipper(folder, lambda: SQLiteStore(folder / "trace.db"))
    while shipper.run_once():
        pass
    shipper.stop()


def end(logger: EnhancedCSVLogger) -> None:
    """End it, and wait until it has let go of the delivery."""
    shipper = logger.shipper
    logger.close(0)
    assert shipper.stop(60)
