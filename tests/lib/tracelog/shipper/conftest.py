"""A log folder, its journal, and who delivers it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.store import Store
from tests.lib.tracelog.rows import API
from tests.lib.tracelog.shipper.desk import Desk
from tests.lib.tracelog.shipper.shippers import MakeShipper
from tests.support.turso import UNREACHABLE


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.store.close()


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def make_shipper(logs: Path) -> Iterator[MakeShipper]:
    """Shippers of one log folder that lose no time; all are stopped in the end."""
    made: list[Shipper] = []

    def make(store_factory: Callable[[], Store]) -> Shipper:
        made.append(
            Shipper(
                logs,
                store_factory,
                idle_seconds=0.05,
                gather_seconds=0.01,
                retry_seconds=0.2,
                refused_seconds=0.4,
            )
        )
        return made[-1]

    yield make
    for shipper in made:
        assert shipper.stop(20)


@pytest.fixture
def journal(logs: Path) -> Iterator[Journal]:
    journal = Journal(logs, API, fsync="no")
    yield journal
    journal.close()


@pytest.fixture
def far(tmp_path: Path) -> Iterator[EnhancedCSVLogger]:
    """A logger whose store cannot be reached."""
    logger = EnhancedCSVLogger(UNREACHABLE, base_path=tmp_path)
    yield logger
    logger.close(0)


@pytest.fixture
def near(tmp_path: Path) -> Iterator[EnhancedCSVLogger]:
    """A logger that delivers into a file."""
    logger = EnhancedCSVLogger(base_path=tmp_path)
    yield logger
    logger.close(0)
