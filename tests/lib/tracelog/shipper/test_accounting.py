"""Every row is in one of the places that the account names, whatever happened to it."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog import codec
from app.lib.tracelog.schema import API_LOGS, TASK_PROGRESS_LOGS
from app.lib.tracelog.shipper.quarantine import Quarantine
from commands.kit.environment import ROOT
from tests.lib.tracelog.rows import API, api_row
from tests.lib.tracelog.shipper.accounts import deliver, end, log, numbers
from tests.lib.tracelog.writer import WRITER
from tests.support.processes import wait_until
from tests.support.turso import UNREACHABLE, TursoServer


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
