"""What tests give to shippers, and what shippers say."""

import logging
from collections.abc import Callable

import pytest

from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.schema import Row
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.store import Store
from tests.lib.tracelog.rows import api_rows, append

MakeShipper = Callable[[Callable[[], Store]], Shipper]


def write(journal: Journal, count: int) -> list[Row]:
    return [append(journal, row) for row in api_rows(count)]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.WARNING]
