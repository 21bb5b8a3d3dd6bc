"""What the leader deletes by itself, and when."""

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger
from app.lib.tracelog.schema import API_LOGS, TASK_PROGRESS_LOGS
from app.lib.tracelog.shipper.accounting import Accountant
from app.lib.tracelog.shipper.checkpoint import FILE_NAME, Checkpoint
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Result, StoreUnavailable
from app.lib.tracelog.upkeep import housekeeping, room
from app.lib.tracelog.upkeep.housekeeping import ROOM_SECONDS, Housekeeper
from app.lib.tracelog.upkeep.retention import Horizon, Rules, horizon
from tests.lib.tracelog.aged import EVERYTHING, NOW, Folder, fill, left, request, room_for
from tests.lib.tracelog.clock import Clock
from tests.support.processes import wait_until


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.store.close()


class Tended:
    """A log whose shipper looks after its folder, as in an app."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder, self.clock = tmp_path / "logs", Clock()
        self.clock.now = time.monotonic()
        self.logger = CSVOnlyLogger(self.folder)
        self._accountant = Accountant(self.folder, self.logger.recorder.tally)
        keeper = Housekeeper(self.folder, EVERYTHING, self._accountant, monotonic=self.clock)
        store = tmp_path / "trace.db"
        self.shipper = Shipper(self.folder, lambda: SQLiteStore(store), housekeeper=keeper)

    def log(self, rows: int) -> None:
        for _ in range(rows):
            self.logger.log(None, API_LOGS, {"method": "GET", "endpoint": "/"})

    def numbers(self) -> tuple[int, ...]:
        account = self._accountant.account(self.shipper.progress)
        return account.appended, account.shipped, account.dropped, account.unaccounted


@pytest.fixture
def tended(tmp_path: Path) -> Iterator[Tended]:
    tended = Tended(tmp_path)
    yield tended
    tended.shipper.stop()
    tended.logger.close()


def housekeeper(folder: Folder, rules: Rules, clock: Clock) -> Housekeeper:
    accountant = Accountant(folder.path, folder.tally)
    return Housekeeper(
        folder.path, rules, accountant, clock=lambda: NOW + clock.now, monotonic=clock
    )


def test_old_rows_are_deleted_in_quiet_moments_once_an_hour(
    folder: Folder, file_store: SQLiteStore
) -> None:
    clock = Clock()
    keeper = housekeeper(folder, Rules(), clock)
    checkpoint = Checkpoint(folder.path)
    fill(file_store, [request(20)])

    def tend(*, quiet: bool = True) -> int:
        while keeper.tend(checkpoint, file_store, quiet=quiet) < ROOM_SECONDS:
            pass
        return len(left(file_store))

    assert tend() == 1, "not at once"
    clock.now = 61
    assert tend(quiet=False) == 1, "not while rows are delivered"
    assert tend() == 0
    fill(file_store, [request(13.99)])
    clock.now = 3600
    assert tend() == 1, "not twice within the hour"
    clock.now = 3700
    assert tend() == 0
    fill(file_store, [request(13.95)])
    clock.now = 3700 + 7201
    assert tend(quiet=False) == 0, "late enough for any moment"


def test_a_store_that_fails_is_asked_again_later(folder: Folder, file_store: SQLiteStore) -> None:
    class Failing(SQLiteStore):
        def query(self, sql: str, args: object = (), *, timeout: float = 10.0) -> Result:
            raise StoreUnavailable("gone")

    clock = Clock()
    keeper = housekeeper(folder, Rules(), clock)
    checkpoint = Checkpoint(folder.path)
    fill(file_store, [request(20)])
    clock.now = 61
    assert keeper.tend(checkpoint, Failing(folder.path / "trace.db"), quiet=True) == ROOM_SECONDS
    clock.now = 700
    while keeper.tend(checkpoint, file_store, quiet=True) < ROOM_SECONDS:
        pass

    assert left(file_store) == []


def test_a_fault_is_told_and_what_failed_is_begun_anew_in_ten_minutes(
    folder: Folder, file_store: SQLiteStore, caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty(SQLiteStore):
        def transact(self, statements: object, *, timeout: float = 10.0) -> NoReturn:
            raise LookupError("a fault of ours")

    clock, checkpoint = Clock(), Checkpoint(folder.path)
    keeper = housekeeper(folder, Rules(), clock)
    fill(file_store, [request(20)])
    faulty = Faulty(folder.path / "trace.db")
    for now in (61, 62, 660):
        clock.now = now
        keeper.tend(checkpoint, faulty, quiet=True)
    assert caplog.text.count("Old rows cannot be deleted") == 1
    clock.now = 661
    keeper.tend(checkpoint, faulty, quiet=True)
    assert caplog.text.count("Old rows cannot be deleted") == 2
    faulty.close()

    clock.now = 1261
    while keeper.tend(checkpoint, file_store, quiet=True) < ROOM_SECONDS:
        pass
    assert left(file_store) == []


def test_a_folder_without_a_limit_is_looked_at_every_five_seconds_and_nothing_is_told(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    clock, checkpoint = Clock(), Checkpoint(folder.path)
    keeper = housekeeper(folder, EVERYTHING, clock)
    for _ in range(3):
        folder.seal(1)
        assert keeper.tend(checkpoint, None, quiet=True) == ROOM_SECONDS
        clock.now += ROOM_SECONDS

    assert caplog.text == ""


def test_what_a_leader_had_delivered_when_it_was_lost_is_not_dropped_by_the_next(
    folder: Folder,
) -> None:
    for days in (5, 4, 3, 2):
        folder.seal(days)
    folder.seal(2, TASK_PROGRESS_LOGS)
    folder.deliver()
    # It was killed before it could save how far it was.
    for copy in folder.path.glob(f"{FILE_NAME}*"):
        copy.unlink()
    folder.seal(1)
    shipper = Shipper(
        folder.path,
        lambda: SQLiteStore(folder.path / "trace.db"),
        batch_rows=5,
        housekeeper=housekeeper(folder, room_for(folder, 1.1), Clock()),
    )
    shipper.start()
    assert shipper.drain(20)
    assert shipper.stop(20)

    assert folder.numbers() == (60, 0, 0, 0)


def test_a_full_folder_is_told_and_the_delivery_goes_on(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    for days in (3, 2, 1):
        folder.seal(days)
    keeper = housekeeper(folder, room_for(folder, 1.1), Clock())

    keeper.tend(Checkpoint.load(folder.path), None, quiet=False)

    assert [record.message for record in caplog.records] == [
        "The log folder was full: 20 rows that were never delivered have been dropped."
    ]
    folder.deliver()
    assert folder.numbers() == (10, 0, 20, 0)


def test_what_is_dropped_again_and_again_is_told_once_a_minute(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.seal(9)
    clock = Clock()
    keeper = housekeeper(folder, room_for(folder, 1.1), clock)
    checkpoint = Checkpoint.load(folder.path)
    for days in range(8, 0, -1):
        folder.seal(days)
        clock.now += 10
        keeper.tend(checkpoint, None, quiet=False)

    told = [int(record.message.split()[5]) for record in caplog.records]
    assert told == [10, 60]
    assert folder.numbers() == (0, 10, 80, 0)


def test_rows_in_a_file_that_somebody_removed_are_reckoned(folder: Folder) -> None:
    for days in (3, 2, 1):
        folder.seal(days)
    removed = folder.seal(1.5)
    clock = Clock()
    shipper = Shipper(
        folder.path,
        lambda: SQLiteStore(folder.path / "trace.db"),
        batch_rows=5,
        housekeeper=housekeeper(folder, EVERYTHING, clock),
    )
    shipper.run_once()
    removed.unlink()
    while shipper.run_once():
        pass
    shipper.stop()
    assert folder.numbers() == (30, 0, 0, 10)

    checkpoint = Checkpoint.load(folder.path)
    housekeeper(folder, EVERYTHING, clock).tend(checkpoint, None, quiet=True)

    assert folder.numbers() == (30, 0, 10, 0)
    clock.now = 60
    housekeeper(folder, EVERYTHING, clock).tend(checkpoint, None, quiet=True)
    assert folder.numbers() == (30, 0, 10, 0)


def test_rows_that_nobody_had_looked_at_in_a_folder_that_was_removed_are_reckoned(
    tended: Tended,
) -> None:
    tended.log(10)
    assert tended.shipper.run_once() == 10
    tended.log(5)
    shutil.rmtree(tended.folder)
    tended.log(2)
    assert tended.shipper.run_once() == 2

    tended.shipper._tend(1.0)
    assert tended.numbers() == (17, 12, 0, 5), "other processes may not have counted again"
    tended.clock.now += 60
    tended.shipper._tend(1.0)
    assert tended.numbers() == (17, 12, 5, 0)


@pytest.mark.parametrize("how", ["empties", "moves"])
def test_rows_in_a_file_that_another_program_rotates_are_told_and_reckoned(
    tended: Tended, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    active = tended.folder / "api_logs.csv"
    tended.log(10)
    wait_until(lambda: tended.shipper.run_once() == 0)
    tended.log(5)
    if how == "empties":
        os.truncate(active, 0)
    else:
        active.rename(tended.folder / "api_logs.csv.1")
    tended.log(2)
    wait_until(lambda: tended.shipper.run_once() == 0)

    tended.clock.now += 60
    tended.shipper._tend(1.0)
    assert tended.numbers() == (17, 12, 5, 0)
    [told] = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert told.startswith(f"{active} was emptied or moved by another program")


def test_a_full_folder_makes_room_while_the_store_cannot_be_reached(tmp_path: Path) -> None:
    """As a person sees it: the folder stays small, and every row is accounted for."""
    script = """
import sys, time
from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.shipper import follower
from app.lib.tracelog.upkeep import housekeeping, room
from app.lib.tracelog.upkeep.retention import Rules
housekeeping.ROOM_SECONDS = room.LATE_SECONDS = 0.02
rules = Rules(folder_bytes=400_000)
logger = EnhancedCSVLogger("libsql://nobody.invalid", base_path=sys.argv[1], rules=rules)
logger.start()
deadline = time.monotonic() + 60
n = 0
while logger.status().dropped < 5_000 and time.monotonic() < deadline:
    for _ in range(200):
        logger.log(None, "api_logs", {"method": "GET", "endpoint": f"/{n}"})
        n += 1
    time.sleep(0.005)
logger.close(0)
account = logger.status()
print(n, account.appended, account.pending, account.dropped, account.unaccounted)
"""
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    logged, appended, pending, dropped, unaccounted = map(int, run.stdout.split())

    assert (appended, unaccounted) == (logged, 0)
    assert pending + dropped == logged
    assert dropped >= 5_000
    assert "rows that were never delivered have been dropped" in run.stderr
    assert sum(path.stat().st_size for path in tmp_path.glob("*.csv")) < 1_000_000


def test_the_logger_deletes_old_rows_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_FIRST_SECONDS", 0.0)
    store = SQLiteStore(tmp_path / "trace.db")
    store.migrate()
    fill(store, [request(1000)])
    logger = EnhancedCSVLogger(base_path=tmp_path)
    logger.log(None, API_LOGS, {"method": "GET", "endpoint": "/"})

    wait_until(lambda: len(left(store)) == 1 and horizon(store) != Horizon(0, 0))

    logger.close()
    assert numbers_of(logger) == (1, 1)
    store.close()


def numbers_of(logger: EnhancedCSVLogger) -> tuple[int, int]:
    account = logger.status()
    return account.appended, account.shipped


@pytest.mark.parametrize(
    ("seconds", "times", "rest"),
    [
        # It was empty so long ago that it grows slowly.
        (600, 1.2, ROOM_SECONDS),
        (600, 1.01, 0.5),
        (20, 1.2, 0.5),
        (20, 2.0, ROOM_SECONDS),
    ],
)
def test_a_folder_that_will_be_full_soon_is_looked_at_more_often(
    folder: Folder, seconds: float, times: float, rest: float
) -> None:
    for days in (3, 2, 1):
        folder.seal(days)
    clock = Clock()
    most = round(room.size_of(folder.path) * times)
    keeper = housekeeper(folder, Rules(days=0, folder_bytes=most), clock)
    clock.now += seconds

    assert keeper.tend(Checkpoint(folder.path), None, quiet=False) == rest
    for part in (0.9, 0.8, 0.7, 0.6):
        folder.seal(part)
    clock.now += 0.49
    keeper.tend(Checkpoint(folder.path), None, quiet=False)
    assert room.size_of(folder.path) > most, "not at each of the rounds"
    clock.now += rest
    keeper.tend(Checkpoint(folder.path), None, quiet=False)
    assert room.size_of(folder.path) <= most
