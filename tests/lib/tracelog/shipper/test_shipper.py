"""Rows arrive, soon after they are written and while requests go on."""

import math
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.schema import Row
from app.lib.tracelog.shipper.shipper import AnotherDelivers
from app.lib.tracelog.short_turns import give_way, latest_request
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from tests.lib.tracelog.rows import API, api_row, stored
from tests.lib.tracelog.shipper.shippers import MakeShipper, write
from tests.support.processes import wait_until


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


def test_a_shipper_can_be_used_without_a_thread(
    logs: Path, journal: Journal, make_shipper: MakeShipper
) -> None:
    write(journal, 700)
    shipper = make_shipper(lambda: SQLiteStore(logs / "trace.db"))

    assert [shipper.run_once() for _ in range(4)] == [300, 300, 100, 0]
    with pytest.raises(AnotherDelivers):
        make_shipper(lambda: SQLiteStore(logs / "trace.db")).run_once()
    assert shipper.drain(0)


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
