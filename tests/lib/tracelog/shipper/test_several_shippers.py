"""Of several shippers one delivers, and what it counts survives its end and its folder."""

import math
import shutil
import time
from pathlib import Path

import pytest

from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.shipper import delivery
from app.lib.tracelog.shipper.checkpoint import FILE_NAME
from app.lib.tracelog.shipper.election import LOCK_NAME, Election
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.turso_store import TursoStore
from app.lib.tracelog.upkeep.retention import Rules
from app.lib.tracelog.upkeep.room import make_room
from tests.lib.tracelog.rows import API, count, stored
from tests.lib.tracelog.shipper.shippers import MakeShipper, write
from tests.support import faulty_server as faults
from tests.support.faulty_server import FaultyServer
from tests.support.processes import SPARE_SECONDS, wait_until


def test_of_two_one_delivers_and_the_other_follows_when_it_ends(
    logs: Path, journal: Journal, make_shipper: MakeShipper
) -> None:
    first = make_shipper(lambda: SQLiteStore(logs / "trace.db"))
    second = make_shipper(lambda: SQLiteStore(logs / "trace.db"))
    first.start()
    write(journal, 10)
    assert first.drain(60)
    second.start()
    write(journal, 10)
    assert second.drain(60)
    assert [shipper.status().leader for shipper in (first, second)] == [True, False]
    assert second.status().shipped == 20

    assert first.stop()
    write(journal, 10)
    wait_until(lambda: second.status().leader, seconds=2 + SPARE_SECONDS)
    assert second.drain(60)

    assert second.status().shipped == 30
    store = SQLiteStore(logs / "trace.db")
    assert count(store) == 30
    store.close()


def test_a_folder_that_is_looked_at_while_it_is_being_removed_takes_no_count_with_it(
    logs: Path, journal: Journal
) -> None:
    shipper = Shipper(logs, lambda: SQLiteStore(logs.parent / "trace.db"))
    for _ in range(3):
        write(journal, 1)
        while shipper.run_once():
            pass

    # By now all but the copy of the checkpoint is gone.
    for name in (LOCK_NAME, FILE_NAME, journal.path.name):
        (logs / name).unlink()
    shipper.run_once()
    shutil.rmtree(logs)
    write(journal, 1)
    while shipper.run_once():
        pass

    assert shipper.progress().checkpoint.counters.shipped == 4
    shipper.stop()


def test_a_folder_that_was_removed_takes_no_count_with_it_though_another_led_for_a_moment(
    logs: Path, journal: Journal
) -> None:
    shipper = Shipper(logs, lambda: SQLiteStore(logs.parent / "trace.db"))
    write(journal, 3)
    while not shipper._turn()[1]:
        pass
    shutil.rmtree(logs)
    other = Election(logs / LOCK_NAME)
    assert other.lead()
    shipper._turn()
    assert shipper.progress().state == "standby"
    other.resign()

    write(journal, 1)
    while not shipper._turn()[1]:
        pass

    assert shipper.progress().checkpoint.counters.shipped == 4
    shipper.stop()


def test_two_leaders_at_once_do_no_harm(
    logs: Path, journal: Journal, make_shipper: MakeShipper
) -> None:
    shippers = [make_shipper(lambda: SQLiteStore(logs / "trace.db")) for _ in range(2)]
    written = []
    for shipper in shippers:
        shipper.start()
        written += write(journal, 300)
        wait_until(lambda: (logs / ".shipper.lock").exists())
        # Whoever comes next finds no lock and leads as well.
        (logs / ".shipper.lock").unlink()
    written += write(journal, 300)
    assert any(shipper.drain(60) for shipper in shippers)

    store = SQLiteStore(logs / "trace.db")
    assert stored(store) == written
    store.close()


def test_a_leader_that_was_stopped_does_not_forget_what_another_delivered_meanwhile(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "SAVE_SECONDS", math.inf)
    journal = Journal(logs, API, fsync="no", max_bytes=2_000)
    stopped, other = (Shipper(logs, lambda: SQLiteStore(logs.parent / "trace.db")) for _ in "12")
    for _ in range(5):
        write(journal, 1)
        assert stopped._turn() == (0.0, False)
    # Its lock is taken away, as from one that does not move.
    (logs / LOCK_NAME).unlink()
    write(journal, 20)
    while other.run_once():
        pass
    led = other._take_over().checkpoint
    assert led.counters.batches < 5
    assert make_room(logs, led, Rules(folder_bytes=1), time.time() + 3_600).files > 0
    other.stop()

    while not stopped._turn()[1]:
        pass
    checkpoint = stopped.progress().checkpoint
    assert (checkpoint.counters.shipped, checkpoint.counters.lost_bytes) == (25, 0)
    stopped.stop()
    journal.close()


def test_the_standby_shows_what_the_leader_does(
    journal: Journal, make_shipper: MakeShipper, faulty_server: FaultyServer
) -> None:
    faulty_server.fault = faults.answers(401)
    leader = make_shipper(lambda: TursoStore(faulty_server.url))
    standby = make_shipper(lambda: TursoStore(faulty_server.url))
    write(journal, 4)
    leader.start()
    wait_until(lambda: leader.status().leader)
    standby.start()
    wait_until(lambda: standby.status().state == "refused")

    status = standby.status()
    assert (status.state, status.leader, status.pending_rows) == ("refused", False, 4)
    assert "token" in status.last_error
