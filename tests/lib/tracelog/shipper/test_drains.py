"""A drain ends when all that there was is delivered, or in time."""

import errno
import time
from pathlib import Path

import pytest

from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.shipper.backlog import is_past
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, Inserted
from app.lib.tracelog.store.turso_store import TursoStore
from app.lib.tracelog.upkeep.retention import Rules
from app.lib.tracelog.upkeep.room import make_room
from tests.lib.tracelog.rows import API, count
from tests.lib.tracelog.shipper.shippers import MakeShipper, write
from tests.support import faulty_server as faults
from tests.support.faulty_server import FaultyServer
from tests.support.processes import SPARE_SECONDS, wait_until
from tests.support.turso import TursoServer


@pytest.mark.parametrize("server", ["sqld", "tursodb"])
def test_a_drain_delivers_a_backlog_before_it_returns(
    request: pytest.FixtureRequest, journal: Journal, make_shipper: MakeShipper, server: str
) -> None:
    turso: TursoServer = request.getfixturevalue(server)
    write(journal, 5_000)
    shipper = make_shipper(lambda: TursoStore(turso.url, turso.token))
    shipper.start()

    assert shipper.drain(60)
    assert shipper.status().shipped == 5_000
    assert shipper.stop(5)
    store = TursoStore(turso.url, turso.token)
    assert count(store) == 5_000
    store.close()


def test_a_drain_ends_in_time_when_nobody_answers(
    journal: Journal, make_shipper: MakeShipper, faulty_server: FaultyServer
) -> None:
    faulty_server.fault = faults.is_silent
    shipper = make_shipper(lambda: TursoStore(faulty_server.url, seconds=1.0))
    write(journal, 1)
    shipper.start()
    wait_until(lambda: faulty_server.requests > 0)

    started = time.monotonic()
    assert not shipper.drain(0.3)
    shipper.stop(0.1)

    assert time.monotonic() - started < 1.5 + SPARE_SECONDS


def test_a_drain_that_can_read_no_file_says_no_and_raises_nothing(
    journal: Journal, make_shipper: MakeShipper, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(journal, 1)
    shipper = make_shipper(lambda: SQLiteStore(logs / "trace.db"))

    def without_files(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", without_files)
        assert not shipper.drain(1)


class Busy(SQLiteStore):
    """A store whose app has written on whenever it has taken a batch."""

    def __init__(self, path: Path, journal: Journal) -> None:
        super().__init__(path)
        self._journal = journal

    def insert(self, batch: Batch) -> Inserted:
        inserted = super().insert(batch)
        write(self._journal, 2)
        return inserted


def test_a_drain_does_not_wait_for_files_that_were_delivered_and_are_gone(logs: Path) -> None:
    journal = Journal(logs, API, fsync="no", max_bytes=2_000)
    shipper = Shipper(logs, lambda: SQLiteStore(logs.parent / "trace.db"))
    write(journal, 25)
    marks = shipper.marks()
    assert len(marks) > 1
    while shipper.run_once():
        assert not is_past(Checkpoint(logs), marks)
    checkpoint = shipper._take_over().checkpoint
    assert is_past(checkpoint, marks)

    assert make_room(logs, checkpoint, Rules(folder_bytes=1), time.time() + 3_600).files > 0
    write(journal, 1)
    shipper.run_once()
    assert len(checkpoint.offsets[API.name]) < len(marks)
    assert is_past(checkpoint, marks)
    shipper.stop()
    journal.close()


@pytest.mark.parametrize("who", ["the leader", "the standby"])
def test_a_drain_does_not_wait_for_what_is_written_after_it_began(
    logs: Path, journal: Journal, make_shipper: MakeShipper, who: str
) -> None:
    leader = make_shipper(lambda: Busy(logs / "trace.db", journal))
    standby = make_shipper(lambda: Busy(logs / "trace.db", journal))
    write(journal, 400)
    leader.start()
    wait_until(lambda: leader.status().leader)
    standby.start()

    shipper = leader if who == "the leader" else standby
    assert shipper.drain(60)
    assert Checkpoint.load(logs).counters.shipped >= 400
    assert shipper.status().pending_rows > 0
