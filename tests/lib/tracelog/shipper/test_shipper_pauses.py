"""How long a shipper rests after a failure."""

import time
from pathlib import Path

from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, Inserted, StoreError, StoreRefused, StoreUnavailable
from app.lib.tracelog.store.turso_store import TursoStore
from tests.lib.tracelog.shipper.shippers import MakeShipper, write
from tests.support import faulty_server as faults
from tests.support.faulty_server import FaultyServer
from tests.support.processes import wait_until


class Sulking(SQLiteStore):
    """A store that fails with each of `failures` in turn, and then works."""

    failures: list[StoreError]

    def insert(self, batch: Batch) -> Inserted:
        if self.failures:
            raise self.failures.pop(0)
        return super().insert(batch)


def pauses_after(failures: list[StoreError], logs: Path, journal: Journal) -> list[float]:
    """How long a shipper rests after each, with the longest of all pauses that may be drawn."""
    store = Sulking(logs / "trace.db")
    store.migrate()
    store.failures = list(failures)
    shipper = Shipper(logs, lambda: store, draw=lambda: 1.0)
    write(journal, 1)
    pauses = [shipper._turn()[0] for _ in failures]
    while shipper.progress().checkpoint.counters.shipped == 0:
        assert shipper._turn() == (0.0, False)
    write(journal, 1)
    store.failures = [failures[0]]
    # Once it works, the pauses begin anew.
    assert shipper._turn()[0] == pauses[0]
    shipper.stop()
    return pauses


def test_pauses_grow_while_the_store_cannot_be_reached(logs: Path, journal: Journal) -> None:
    gone = [StoreUnavailable("gone") for _ in range(10)]

    pauses = pauses_after(list(gone), logs, journal)

    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


def test_pauses_are_longer_while_the_store_refuses_rows(logs: Path, journal: Journal) -> None:
    pauses = pauses_after([StoreRefused("no") for _ in range(5)], logs, journal)

    assert pauses == [15.0, 30.0, 60.0, 120.0, 120.0]


def test_a_pause_that_the_server_asks_for_is_kept_up_to_five_minutes(
    logs: Path, journal: Journal
) -> None:
    asked = [StoreUnavailable("busy", retry_after=seconds) for seconds in (7.0, 0.0, 90_000.0)]

    assert pauses_after(list(asked), logs, journal) == [7.0, 0.4, 300.0]


def test_new_rows_do_not_shorten_the_pause_after_a_failure(logs: Path, journal: Journal) -> None:
    calls = []

    class Gone(SQLiteStore):
        def insert(self, batch: Batch) -> Inserted:
            calls.append(len(batch))
            raise StoreUnavailable("gone")

    shipper = Shipper(logs, lambda: Gone(logs / "trace.db"), idle_seconds=0.01, draw=lambda: 1.0)
    shipper.start()
    write(journal, 1)
    shipper.wake()
    wait_until(lambda: len(calls) == 1)
    started = time.monotonic()
    while len(calls) < 3:
        shipper.wake()
        time.sleep(0.001)
    # Pauses of 0.2 s and 0.4 s.
    assert time.monotonic() - started > 0.55
    assert shipper.stop(5)


def test_after_a_drain_in_vain_pauses_are_as_long_as_before(
    journal: Journal, make_shipper: MakeShipper, faulty_server: FaultyServer
) -> None:
    faulty_server.fault = faults.answers(401)
    shipper = make_shipper(lambda: TursoStore(faulty_server.url))
    write(journal, 1)
    shipper.start()
    assert not shipper.drain(0.2)

    retries, started = shipper.status().retries, time.monotonic()
    wait_until(lambda: shipper.status().retries >= retries + 5)

    # Each of the five pauses is 0.05 s at least.
    assert time.monotonic() - started > 0.2
