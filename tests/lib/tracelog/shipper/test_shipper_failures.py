"""What a person sees while delivery fails: one clear line, and another when it works again."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.journal.tally import Tally
from app.lib.tracelog.schema import TABLES
from app.lib.tracelog.shipper.accounting import Accountant
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, Inserted
from app.lib.tracelog.store.turso_store import TursoStore
from app.lib.tracelog.upkeep.housekeeping import Housekeeper
from app.lib.tracelog.upkeep.retention import Rules
from tests.lib.tracelog.rows import count, stored
from tests.lib.tracelog.shipper.shippers import MakeShipper, lines, write
from tests.support import faulty_server as faults
from tests.support.faulty_server import Fault, FaultyServer
from tests.support.processes import wait_until
from tests.support.turso import TursoServer


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


def test_who_cannot_read_the_checkpoint_at_first_counts_no_row_that_was_delivered_as_missing(
    logs: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_store() -> SQLiteStore:
        return SQLiteStore(logs / "trace.db")

    write(journal, 3)
    before = Shipper(logs, open_store)
    assert before.run_once() == 3
    before.stop()
    # Its rows are in the store, and had to make room.
    journal.path.unlink()
    write(journal, 2)
    read, left = Path.read_bytes, [2]

    def fails_twice(path: Path) -> bytes:
        if path.name.startswith(".checkpoint") and left[0]:
            left[0] -= 1
            raise OSError(errno.EIO, "Input/output error", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", fails_twice)
    after = Shipper(logs, open_store)
    with pytest.raises(OSError, match="Input/output error"):
        after.run_once()

    assert after.run_once() == 2
    assert after.status().shipped == 5
    after.stop()


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
