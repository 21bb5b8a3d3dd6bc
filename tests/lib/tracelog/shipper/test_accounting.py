"""Every row is in one of the places that the account names, whatever happened to it."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, BinaryIO, NoReturn

import pytest

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog import codec
from app.lib.tracelog.ids import first_at
from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.journal.tally import Tally
from app.lib.tracelog.recorder import Recorder
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.schema import API_LOGS, TASK_PROGRESS_LOGS
from app.lib.tracelog.shipper import accounting
from app.lib.tracelog.shipper.accounting import Account, Accountant, TableAccount
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.shipper.quarantine import Quarantine
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.shipper.status import Progress
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from commands.kit.environment import ROOT
from tests.lib.tracelog.rows import API, api_row
from tests.support.processes import wait_until
from tests.support.turso import TursoServer

UNREACHABLE = "libsql://your-db-name.invalid"
WRITER = """
import sys
from pathlib import Path
from app.lib.tracelog.recorder import Recorder
from app.lib.tracelog.redaction.redactor import Redactor
recorder = Recorder(Path(sys.argv[1]), Redactor(), max_bytes=60_000, fsync="no")
print("ready", flush=True)
for n in range(int(sys.argv[2])):
    recorder.write("api_logs", lambda: {"method": "GET", "endpoint": f"/{n}"})
recorder.close()
"""


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


def test_before_the_first_row_all_is_zero(near: EnhancedCSVLogger) -> None:
    account = near.status()

    assert numbers(account) == (0, 0, 0, 0, 0)
    assert (account.leader, account.leader_pid, account.lag_seconds) == (False, None, 0.0)


def test_rows_that_were_delivered_are_shipped(near: EnhancedCSVLogger) -> None:
    log(near, 40)
    log(near, 2, TASK_PROGRESS_LOGS)
    assert near.shipper.drain(60)

    account = near.status()
    assert numbers(account) == (42, 42, 0, 0, 0)
    assert (account.leader, account.leader_pid, account.state) == (True, os.getpid(), "delivering")


def test_rows_that_wait_are_counted_exactly_and_by_table(far: EnhancedCSVLogger) -> None:
    log(far, 700)
    log(far, 3, TASK_PROGRESS_LOGS)

    account = far.status()

    assert numbers(account) == (703, 0, 703, 0, 0)
    assert [(t.name, t.files, t.pending) for t in account.tables] == [
        (API_LOGS, 1, 700),
        (TASK_PROGRESS_LOGS, 1, 3),
    ]
    assert account.pending_bytes > 0
    assert account.lag_seconds > 0


def test_one_account_after_the_other_follows_what_is_appended_delivered_and_cut(
    tmp_path: Path,
) -> None:
    born = 1_795_000_000.0
    tally, checkpoint = Tally(tmp_path), Checkpoint(tmp_path)
    journal = Journal(tmp_path, API, clock=lambda: born)
    accountant = Accountant(tmp_path, tally, lambda: born + 100)
    ends = [len(codec.header(API))]

    def append(rows: int) -> None:
        for _ in range(rows):
            row = api_row(row_id=first_at(born + len(ends)))
            journal.append(codec.encode(API, row), int(str(row[0])))
            tally.add(appended=1)
            ends.append(journal.path.stat().st_size)

    def delivered_to(row: int) -> None:
        checkpoint.advance(API_LOGS, first_at(born + 1), ends[row] if row else 0)
        checkpoint.counters.shipped = row

    def waits() -> tuple[int, int, float]:
        account = accountant.account(lambda: Progress(checkpoint, "", "", leader=False))
        numbers(account)
        [table, steps] = account.tables
        assert (table.files, table.bytes) == (1, ends[-1])
        assert steps == TableAccount(TASK_PROGRESS_LOGS, 0, 0, 0, 0, 0.0)
        assert account.pending_bytes == table.pending_bytes
        assert account.lag_seconds == table.lag_seconds
        return table.pending, table.pending_bytes, round(table.lag_seconds)

    append(10)
    assert waits() == (10, ends[10] - ends[0], 99)
    delivered_to(4)
    assert waits() == (6, ends[10] - ends[4], 95)
    append(5)
    delivered_to(7)
    assert waits() == (8, ends[15] - ends[7], 92)
    # A lost checkpoint.
    delivered_to(0)
    assert waits() == (15, ends[15] - ends[0], 99)
    delivered_to(15)
    assert waits() == (0, 0, 0)
    append(1)
    assert waits() == (1, ends[16] - ends[15], 84)
    # A file that is shorter than what was delivered of it is delivered again.
    os.truncate(journal.path, ends[5])
    del ends[6:]
    checkpoint.counters.shipped = 11
    assert waits() == (5, ends[5] - ends[0], 99)
    journal.close()
    tally.close()


def test_a_row_that_is_appended_while_the_others_are_counted_is_none_that_is_missing(
    tmp_path: Path,
) -> None:
    tally, journal = Tally(tmp_path), Journal(tmp_path, API, max_age=1e9)

    def append() -> None:
        row = api_row()
        journal.append(codec.encode(API, row), int(str(row[0])))
        tally.add(appended=1)

    def look() -> Progress:
        append()
        return Progress.load(tmp_path)

    append()
    assert numbers(Accountant(tmp_path, tally).account(look)) == (2, 0, 2, 0, 0)
    # One that was counted and is not there is missing all the same.
    tally.add(appended=1)
    account = Accountant(tmp_path, tally).account()
    assert (account.appended, account.pending, account.unaccounted) == (3, 2, 1)
    journal.close()
    tally.close()


def test_a_header_that_a_second_writer_has_put_into_the_file_is_no_row(
    far: EnhancedCSVLogger, tmp_path: Path
) -> None:
    log(far, 2)
    with (tmp_path / "api_logs.csv").open("ab") as file:
        file.write(codec.header(API))
    log(far, 2)

    assert numbers(far.status()) == (4, 0, 4, 0, 0)
    end(far)
    deliver(tmp_path)
    assert numbers(far.status()) == (4, 4, 0, 0, 0)


@pytest.mark.parametrize("piece", [1, 3, 4, 1000])
def test_lines_are_counted_alike_wherever_the_counting_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(accounting, "_PIECE", piece)
    path = tmp_path / "api_logs.csv"
    path.write_bytes(b"id,a\n1,id,\nid,a\n2,xid,\n\n3,\nid,a\n")
    size = path.stat().st_size
    with path.open("rb") as file:
        for stop in range(size + 1):
            parts = [(0, stop), (stop, size)]
            assert sum(accounting.count_lines(file, *part) for part in parts) == 4


def test_what_a_later_process_finds_is_what_an_earlier_one_left(
    far: EnhancedCSVLogger, tmp_path: Path
) -> None:
    log(far, 30)
    end(far)
    deliver(tmp_path)
    again = EnhancedCSVLogger(UNREACHABLE, base_path=tmp_path)
    log(again, 5)

    assert numbers(again.status()) == (35, 30, 5, 0, 0)
    again.close(0)


def test_each_byte_that_waits_is_looked_at_once(
    far: EnhancedCSVLogger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[int] = []
    count_lines = accounting.count_lines

    def counting(file: BinaryIO, start: int, end: int) -> int:
        looked_at.append(end - start)
        return count_lines(file, start, end)

    monkeypatch.setattr(accounting, "count_lines", counting)
    log(far, 500)
    for _ in range(10):
        log(far, 1)
        assert far.status().pending == far.status().appended

    header = len(codec.header(API))
    assert sum(looked_at) == (tmp_path / "api_logs.csv").stat().st_size - header


def test_a_row_that_the_disk_does_not_take_is_dropped(
    far: EnhancedCSVLogger, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(far, 2)

    def full(_: int, __: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        log(far, 3)
    log(far, 1)

    assert numbers(far.status()) == (6, 0, 3, 0, 3)


def test_damage_of_one_row_moves_it_to_quarantine(far: EnhancedCSVLogger, tmp_path: Path) -> None:
    log(far, 10)
    end(far)
    path = tmp_path / "api_logs.csv"
    lines = path.read_bytes().split(b"\n")
    lines[5] = lines[5].replace(b",GET,", b"\0\xffGET,")
    path.write_bytes(b"\n".join(lines))

    deliver(tmp_path)

    assert numbers(far.status()) == (10, 9, 0, 1, 0)


@pytest.mark.parametrize(
    ("outcome", "after"), [("shipped", (10, 10, 0, 0, 0)), ("discarded", (10, 9, 0, 0, 1))]
)
def test_what_is_taken_out_of_quarantine_stays_accounted_for(
    far: EnhancedCSVLogger, tmp_path: Path, outcome: str, after: tuple[int, ...]
) -> None:
    test_damage_of_one_row_moves_it_to_quarantine(far, tmp_path)
    quarantine = Quarantine(tmp_path)
    [entry] = quarantine.entries()
    quarantine.take_out({entry.key: "shipped" if outcome == "shipped" else "discarded"})

    assert numbers(far.status()) == after
    assert list(quarantine.entries()) == []

    # A replay meets the same damage again.
    for path in tmp_path.glob(".checkpoint*"):
        path.unlink()
    deliver(tmp_path)
    assert numbers(far.status()) == after


def test_a_collision_is_two_rows(far: EnhancedCSVLogger, tmp_path: Path) -> None:
    rows = [api_row(text, row_id=1_700_000_000_000_000_000) for text in ("one", "two")]
    for row in rows:
        far.recorder.journals[API_LOGS].append(codec.encode(API, row), 1_700_000_000_000_000_000)
        far.recorder.tally.add(appended=1)
    deliver(tmp_path)

    account = far.status()
    assert numbers(account) == (2, 2, 0, 0, 0)
    assert account.collisions == 1


def test_the_numbers_agree_while_processes_write_and_one_delivers(tmp_path: Path) -> None:
    rows, writers = 4_000, 3
    watcher = EnhancedCSVLogger(base_path=tmp_path)
    watcher.start()
    looks = []
    with ExitStack() as stack:
        stack.callback(watcher.close, 0)
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(rows)]
        processes = [
            stack.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL))
            for _ in range(writers)
        ]
        while any(process.poll() is None for process in processes):
            looks.append(watcher.status())
        assert watcher.shipper.drain(60)
        looks.append(watcher.status())

    # A row may be in the file and not be counted yet, one for each writer.
    assert {-writers <= account.unaccounted <= 0 for account in looks} == {True}, looks
    assert len(looks) > 10
    assert numbers(looks[-1]) == (rows * writers, rows * writers, 0, 0, 0)
    assert looks[-1].tables[0].files > 10


def test_a_process_that_is_killed_leaves_at_most_one_row_unaccounted(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path), "1000000"]
    watcher = EnhancedCSVLogger(UNREACHABLE, base_path=tmp_path)
    for kills in range(1, 4):
        already = watcher.status().appended
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            wait_until(lambda n=already: watcher.status().appended > n + 500)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
        account = watcher.status()
        assert -kills <= account.unaccounted <= 0
        assert account.pending == account.appended - account.unaccounted
    watcher.close(0)


def test_the_account_is_the_same_in_a_process_that_does_not_deliver(
    near: EnhancedCSVLogger, tmp_path: Path
) -> None:
    log(near, 12)
    assert near.shipper.drain(60)
    near.shipper.stop()
    other = EnhancedCSVLogger(base_path=tmp_path)

    assert numbers(other.status()) == numbers(near.status()) == (12, 12, 0, 0, 0)
    assert not other.status().leader
    other.close(0)


def test_looking_does_not_keep_the_delivery_from_starting(near: EnhancedCSVLogger) -> None:
    assert numbers(near.status()) == (0, 0, 0, 0, 0)
    log(near, 1)

    wait_until(lambda: near.status().shipped == 1)


def test_a_folder_that_cannot_be_read_is_shown_as_it_seems(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.write_text("a file is in the way")
    logger = EnhancedCSVLogger(UNREACHABLE, base_path=folder)
    log(logger, 2)

    assert numbers(logger.status()) == (2, 0, 0, 0, 2)
    logger.close(0)


@pytest.mark.sqld
def test_rows_in_sqld_are_shipped(sqld: TursoServer, tmp_path: Path) -> None:
    logger = EnhancedCSVLogger(sqld.url, sqld.token, tmp_path)
    log(logger, 25)
    assert logger.shipper.drain(60)
    sqld.kill()
    log(logger, 5)
    wait_until(lambda: logger.status().state == "unavailable")

    account = logger.status()
    assert numbers(account) == (30, 25, 5, 0, 0)
    assert account.last_error
    logger.close(0)


def test_the_numbers_agree_after_the_log_folder_was_removed(tmp_path: Path) -> None:
    logger = EnhancedCSVLogger(f"file:{tmp_path}/trace.db", base_path=tmp_path / "logs")
    log(logger, 3)
    assert logger.shipper.drain(60)
    while (tmp_path / "logs").exists():
        # Whoever counts may put a file into it meanwhile.
        shutil.rmtree(tmp_path / "logs", ignore_errors=True)
    log(logger, 2)
    assert logger.shipper.drain(60)

    assert numbers(logger.status()) == (5, 5, 0, 0, 0)
    logger.close()
    assert numbers(logger.status()) == (5, 5, 0, 0, 0)


def test_the_numbers_agree_after_the_log_folder_was_away_and_is_back(tmp_path: Path) -> None:
    logs, away = tmp_path / "logs", tmp_path / "away"
    recorder = Recorder(logs, Redactor(), fsync="no")
    shipper = Shipper(logs, lambda: SQLiteStore(tmp_path / "trace.db"))

    def deliver_more(rows: int) -> None:
        for _ in range(rows):
            recorder.write(API_LOGS, lambda: {"method": "GET", "endpoint": "/"})
        while shipper.run_once():
            pass

    deliver_more(3)
    for rows in (2, 4):
        logs.rename(away)
        deliver_more(rows)
        logs.rename(tmp_path / f"meanwhile {rows}")
        away.rename(logs)
        deliver_more(1)

    account = Accountant(logs, recorder.tally).account()
    assert numbers(account) == (11, 11, 0, 0, 0)
    assert account.known == 0
    shipper.stop()
    recorder.close()


def test_what_is_no_file_in_the_folder_keeps_nobody_from_the_account(
    near: EnhancedCSVLogger, tmp_path: Path
) -> None:
    (tmp_path / "quarantine.jsonl").mkdir()
    (tmp_path / "api_logs.csv").mkdir()
    log(near, 2)
    log(near, 3, TASK_PROGRESS_LOGS)

    assert near.shipper.drain(60)
    assert numbers(near.status()) == (5, 3, 0, 0, 2)


@pytest.mark.parametrize("error", [errno.EACCES, errno.EIO])
def test_files_that_cannot_be_read_keep_only_their_own_rows(
    near: EnhancedCSVLogger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    forbidden = {tmp_path / "api_logs.csv", tmp_path / f"{TASK_PROGRESS_LOGS}.{10**18}.csv"}
    for path in forbidden:
        path.touch()
    open_path = Path.open

    def refuse(path: Path, *args: Any, **options: Any) -> IO[Any]:
        if path in forbidden:
            raise OSError(error, os.strerror(error), str(path))
        opened: IO[Any] = open_path(path, *args, **options)
        return opened

    # Not by their mode, which the superuser does not care for.
    monkeypatch.setattr(Path, "open", refuse)
    log(near, 2)
    log(near, 3, TASK_PROGRESS_LOGS)

    assert near.shipper.drain(60)
    assert numbers(near.status()) == (5, 3, 0, 0, 2)


def test_a_folder_that_may_not_be_entered_seems_empty(
    far: EnhancedCSVLogger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    log(far, 1)
    with monkeypatch.context() as patch:
        for name in ("glob", "stat", "open"):
            patch.setattr(Path, name, refuse)
        patch.setattr(os, "scandir", refuse)
        assert far.status().pending == 0
    assert numbers(far.status()) == (1, 0, 1, 0, 0)
