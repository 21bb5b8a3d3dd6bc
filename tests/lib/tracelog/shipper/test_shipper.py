"""What a person sees of the delivery: rows that arrive, and one clear line when they do not."""

import errno
import logging
import math
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.journal.tally import Tally
from app.lib.tracelog.schema import TABLES, Row
from app.lib.tracelog.shipper import delivery
from app.lib.tracelog.shipper.accounting import Accountant
from app.lib.tracelog.shipper.backlog import is_past
from app.lib.tracelog.shipper.checkpoint import FILE_NAME, Checkpoint
from app.lib.tracelog.shipper.election import LOCK_NAME, Election
from app.lib.tracelog.shipper.shipper import AnotherDelivers, Shipper
from app.lib.tracelog.short_turns import give_way, latest_request
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import (
    Batch,
    Inserted,
    Store,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from app.lib.tracelog.store.turso_store import TursoStore
from app.lib.tracelog.upkeep.housekeeping import Housekeeper
from app.lib.tracelog.upkeep.retention import Rules
from app.lib.tracelog.upkeep.room import make_room
from tests.lib.tracelog.rows import API, api_row
from tests.support import faulty_server as faults
from tests.support.faulty_server import Fault, FaultyServer, faulty_server
from tests.support.processes import SPARE_SECONDS, wait_until
from tests.support.turso import TursoServer

__all__ = ["faulty_server"]

MakeShipper = Callable[[Callable[[], Store]], Shipper]


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


def write(journal: Journal, count: int) -> list[Row]:
    rows = [api_row(f"row {n}") for n in range(count)]
    for row in rows:
        assert isinstance(row[0], int)
        journal.append(codec.encode(API, row), row[0])
    return rows


def count(store: Store) -> object:
    return store.query("SELECT count(*) FROM api_logs").rows[0][0]


def stored(store: Store) -> list[tuple[object, ...]]:
    sql = f"SELECT {', '.join(API.column_names)} FROM api_logs ORDER BY id"
    return [tuple(row) for row in store.query(sql).rows]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.WARNING]


# --- rows arrive ----------------------------------------------------------------------------


def test_rows_arrive_soon_after_they_are_written(
    logs: Path, journal: Journal, make_shipper: MakeShipper
) -> None:
    store = SQLiteStore(logs / "trace.db")
    shipper = make_shipper(lambda: SQLiteStore(logs / "trace.db"))
    shipper.start()
    written = write(journal, 3)
    shipper.wake()
    wait_until(lambda: shipper.status().shipped == 3)
    written += write(journal, 2)

    wait_until(lambda: shipper.status().shipped == 5)
    status = shipper.status()
    assert (status.state, status.leader, status.pending_bytes) == ("delivering", True, 0)
    assert stored(store) == written
    store.close()


def test_rows_of_other_processes_are_seen_without_a_word_from_them(
    logs: Path, make_shipper: MakeShipper
) -> None:
    shipper = make_shipper(lambda: SQLiteStore(logs / "trace.db"))
    shipper.start()
    line = codec.header(API) + codec.encode(API, api_row())

    writer = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.read())"
    wait_until(logs.exists)
    subprocess.run(
        [sys.executable, "-c", writer, str(logs / "api_logs.csv")], input=line, check=True
    )

    wait_until(lambda: shipper.status().shipped == 1)


def test_rotation_under_several_writers_loses_and_doubles_nothing(
    logs: Path, make_shipper: MakeShipper
) -> None:
    shipper = make_shipper(lambda: SQLiteStore(logs / "trace.db"))
    shipper.start()
    written: list[Row] = []

    def writer() -> None:
        own = Journal(logs, API, max_bytes=4_000, fsync="no")
        written.extend(write(own, 150))
        own.close()

    threads = [threading.Thread(target=writer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert shipper.drain(60)
    store = SQLiteStore(logs / "trace.db")
    assert stored(store) == sorted(written, key=lambda row: int(str(row[0])))
    assert shipper.status().lost_bytes == 0
    store.close()


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


def test_a_shipper_can_be_used_without_a_thread(
    logs: Path, journal: Journal, make_shipper: MakeShipper
) -> None:
    write(journal, 700)
    shipper = make_shipper(lambda: SQLiteStore(logs / "trace.db"))

    assert [shipper.run_once() for _ in range(4)] == [300, 300, 100, 0]
    with pytest.raises(AnotherDelivers):
        make_shipper(lambda: SQLiteStore(logs / "trace.db")).run_once()
    assert shipper.drain(0)


# --- several shippers -----------------------------------------------------------------------


def test_a_finalizer_that_logs_may_interrupt_the_thread_that_delivers_while_it_rests(
    make_shipper: MakeShipper, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipper, real = (
        make_shipper(lambda: SQLiteStore(tmp_path / "trace.db")),
        threading.Condition.wait,
    )
    resting = threading.Thread(target=shipper._rest, args=(600.0,), daemon=True)

    def wait(condition: threading.Condition, timeout: float | None = None) -> bool:
        if threading.current_thread() is resting:
            shipper.wake()
        return real(condition, timeout)

    monkeypatch.setattr(threading.Condition, "wait", wait)
    resting.start()
    threading.Thread(target=shipper.wake, daemon=True).start()

    wait_until(lambda: not resting.is_alive(), what="the end of the rest")


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


# --- when it does not work ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "state", "says"),
    [
        (faults.is_silent, "unavailable", "did not answer in time"),
        (faults.resets_in_mid_answer, "unavailable", "cannot be delivered"),
        (faults.answers(503), "unavailable", "HTTP 503"),
        (faults.answers(429), "unavailable", "HTTP 429"),
        (faults.answers(500), "unavailable", "HTTP 500"),
        (faults.answers(200, b"hello"), "unavailable", "makes no sense"),
        (faults.answers(401), "refused", "does not take the token"),
        (faults.answers(403), "refused", "does not take the token"),
        (faults.answers_an_sql_error("over quota", "BLOCKED"), "refused", "blocked"),
    ],
)
def test_a_failure_gives_one_line_and_its_end_another(
    journal: Journal,
    make_shipper: MakeShipper,
    faulty_server: FaultyServer,
    open_sqld: TursoServer,
    caplog: pytest.LogCaptureFixture,
    fault: Fault,
    state: str,
    says: str,
) -> None:
    faulty_server.upstream = open_sqld.url
    faulty_server.fault = fault
    write(journal, 20)
    seconds = 0.2 if fault is faults.is_silent else 10.0
    shipper = make_shipper(lambda: TursoStore(faulty_server.url, "secret-token", seconds=seconds))
    shipper.start()
    wait_until(lambda: shipper.status().retries >= 3)
    failing = shipper.status()
    faulty_server.fault = faults.passes

    assert shipper.drain(60)
    assert (failing.state, failing.pending_rows, failing.shipped) == (state, 20, 0)
    assert failing.lag_seconds > 0
    first, last = lines(caplog)
    assert says in first
    assert "works again" in last
    assert "secret-token" not in caplog.text
    assert shipper.status().shipped == 20
    assert shipper.status().last_error == ""


def test_a_lost_answer_doubles_no_row(
    journal: Journal,
    make_shipper: MakeShipper,
    faulty_server: FaultyServer,
    open_sqld: TursoServer,
) -> None:
    faulty_server.upstream = open_sqld.url
    store = TursoStore(open_sqld.url)
    store.migrate()
    faulty_server.fault = faults.loses_the_answer
    written = write(journal, 50)
    shipper = make_shipper(lambda: TursoStore(faulty_server.url))
    shipper.start()
    wait_until(lambda: count(store) == 50)
    wait_until(lambda: shipper.status().retries >= 1)
    assert shipper.status().shipped == 0
    faulty_server.fault = faults.passes

    assert shipper.drain(60)
    assert (shipper.status().shipped, shipper.status().known) == (50, 50)
    assert stored(store) == written
    store.close()


def test_a_wrong_token_is_told_once_and_the_rows_wait(
    journal: Journal,
    make_shipper: MakeShipper,
    sqld: TursoServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write(journal, 5)
    shipper = make_shipper(lambda: TursoStore(sqld.url, "wrong"))
    shipper.start()
    wait_until(lambda: shipper.status().retries >= 3)

    assert [line for line in lines(caplog) if "does not take the token" in line] == lines(caplog)
    assert len(lines(caplog)) == 1
    assert shipper.status().pending_rows == 5


def test_a_server_that_is_killed_and_comes_back_gets_every_row(
    journal: Journal,
    make_shipper: MakeShipper,
    sqld: TursoServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shipper = make_shipper(lambda: TursoStore(sqld.url, sqld.token, seconds=2.0))
    shipper.start()
    written = write(journal, 200)
    assert shipper.drain(60)
    sqld.kill()
    written += write(journal, 200)
    wait_until(lambda: shipper.status().state == "unavailable")
    sqld.start()
    wait_until(lambda: shipper.status().shipped == 400)
    sqld.pause()
    written += write(journal, 200)
    wait_until(lambda: shipper.status().state == "unavailable")
    sqld.resume()
    assert shipper.drain(60)

    store = TursoStore(sqld.url, sqld.token)
    assert stored(store) == written
    assert len(lines(caplog)) == 4
    store.close()


def test_tables_that_are_dropped_while_it_runs_are_made_again(
    journal: Journal,
    make_shipper: MakeShipper,
    open_sqld: TursoServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = TursoStore(open_sqld.url)
    shipper = make_shipper(lambda: TursoStore(open_sqld.url))
    shipper.start()
    write(journal, 5)
    assert shipper.drain(60)
    assert lines(caplog) == []
    store.transact([Statement(f"DROP TABLE {name}") for name in TABLES])
    write(journal, 7)

    assert shipper.drain(60)
    assert count(store) == 7
    (line,) = lines(caplog)
    assert "Making the tables" in line
    store.close()


def test_too_many_rejected_rows_stop_it_until_it_is_mended(
    logs: Path, journal: Journal, make_shipper: MakeShipper, caplog: pytest.LogCaptureFixture
) -> None:
    store = SQLiteStore(logs / "trace.db")
    store.migrate()
    store.transact([Statement("ALTER TABLE api_logs ADD COLUMN team TEXT CHECK (team NOT NULL)")])
    write(journal, 30)
    shipper = make_shipper(lambda: SQLiteStore(logs / "trace.db"))
    shipper.start()
    wait_until(lambda: shipper.status().retries >= 2)
    stopped = shipper.status()
    store.transact([Statement("ALTER TABLE api_logs DROP COLUMN team")])

    assert shipper.drain(60)
    assert (stopped.state, stopped.quarantined, stopped.pending_rows) == ("stopped", 0, 30)
    assert "more than a fifth" in lines(caplog)[0]
    assert len(lines(caplog)) == 2
    assert shipper.status().shipped == 30
    store.close()


def test_a_url_that_is_none_is_told_and_nothing_is_lost(
    journal: Journal, make_shipper: MakeShipper, caplog: pytest.LogCaptureFixture
) -> None:
    shipper = make_shipper(lambda: TursoStore("my-database"))
    write(journal, 2)
    shipper.start()
    wait_until(lambda: shipper.status().state == "refused")

    assert "must look like libsql://" in lines(caplog)[0]
    assert shipper.status().pending_rows == 2


def test_a_fault_of_its_own_is_told_with_its_trace_and_does_not_end_it(
    logs: Path, journal: Journal, make_shipper: MakeShipper, caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty(SQLiteStore):
        broken = True

        def insert(self, batch: Batch) -> Inserted:
            if Faulty.broken:
                raise ZeroDivisionError("a mistake of ours")
            return super().insert(batch)

    write(journal, 3)
    shipper = make_shipper(lambda: Faulty(logs / "trace.db"))
    shipper.start()
    wait_until(lambda: shipper.status().retries >= 2)
    Faulty.broken = False

    assert shipper.drain(60)
    assert "a mistake of ours" in caplog.text
    assert "Traceback" in caplog.text
    assert caplog.text.count("Traceback") == 1


def test_who_finds_no_free_descriptor_when_it_begins_to_lead_delivers_once_there_is_one(
    logs: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_over, attempts = Checkpoint.take_over, []

    def without_files(log_dir: Path, leads: Callable[[], bool]) -> Checkpoint:
        attempts.append(log_dir)
        if len(attempts) < 4:
            raise OSError(errno.EMFILE, "Too many open files")
        return take_over(log_dir, leads)

    monkeypatch.setattr(Checkpoint, "take_over", without_files)
    write(journal, 2)
    tally = Tally(logs)
    housekeeper = Housekeeper(logs, Rules(), Accountant(logs, tally))
    shipper = Shipper(
        logs,
        lambda: SQLiteStore(logs / "trace.db"),
        idle_seconds=0.05,
        retry_seconds=0.2,
        housekeeper=housekeeper,
    )
    shipper.start()

    wait_until(lambda: shipper.status().shipped == 2)
    assert shipper.stop(20)
    tally.close()


def test_what_fails_beside_the_delivery_is_told_once_and_rows_arrive(
    logs: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = []

    def fail(*_: object, **__: object) -> float:
        failed.append(1)
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(Housekeeper, "tend", fail)
    tally = Tally(logs)
    shipper = Shipper(
        logs,
        lambda: SQLiteStore(logs / "trace.db"),
        housekeeper=Housekeeper(logs, Rules(), Accountant(logs, tally)),
    )
    shipper.start()
    for _ in range(3):
        write(journal, 1)
        times = len(failed)
        wait_until(lambda times=times: len(failed) > times + 1)  # type: ignore[misc]

    wait_until(lambda: shipper.status().shipped == 3)
    assert caplog.text.count("What goes with the delivery failed") == 1
    assert shipper.stop(20)
    tally.close()


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


def test_stopping_twice_and_before_the_start_is_fine(make_shipper: MakeShipper) -> None:
    shipper = make_shipper(lambda: SQLiteStore(Path("nowhere.db")))

    assert shipper.stop()
    shipper.start()
    assert shipper.stop()
    assert shipper.stop()


def test_a_request_gets_the_interpreter_back_soon_while_batches_are_made(
    make_shipper: MakeShipper, tmp_path: Path
) -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    try:
        make_shipper(lambda: SQLiteStore(tmp_path / "trace.db")).start()
        assert sys.getswitchinterval() == pytest.approx(0.0005, abs=2e-6)
        sys.setswitchinterval(0.0001)
        make_shipper(lambda: SQLiteStore(tmp_path / "trace.db")).start()
        assert sys.getswitchinterval() == pytest.approx(0.0001, abs=2e-6), "what is quicker stays"
    finally:
        sys.setswitchinterval(usual)


def test_rows_arrive_while_requests_follow_each_other_without_end(
    logs: Path, journal: Journal, make_shipper: MakeShipper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latest_request, "began", math.inf)
    written = write(journal, 500)
    shipper = make_shipper(lambda: SQLiteStore(logs / "trace.db"))

    shipper.start()

    wait_until(lambda: shipper.status().shipped == len(written))


def test_the_delivery_waits_for_requests_between_its_steps_and_a_command_does_not(
    logs: Path, journal: Journal, make_shipper: MakeShipper, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(give_way, "__defaults__", (pauses.append, time.perf_counter))
    shipper = make_shipper(lambda: SQLiteStore(logs / "trace.db"))
    write(journal, 100)

    assert shipper.run_once() == 100
    assert pauses == []
    write(journal, 100)
    shipper.start()

    wait_until(lambda: shipper.status().shipped == 200)
    assert len(pauses) > 4
