"""Appends side by side with others that have the lock, on file systems with locks and without."""

import errno
import os
import sys
from pathlib import Path

import pytest

from app.lib.tracelog.journal import locks
from app.lib.tracelog.journal.journal import Journal
from tests.lib.tracelog.rows import API, api_row, append, read_all


def test_a_file_system_without_locks_takes_rows_without_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "try_lock", refuse)
    target = Journal(tmp_path, API)
    rows = [append(target, api_row()) for _ in range(3)]

    assert read_all(tmp_path) == (rows, [])
    assert target.lock_timeouts == 0


def test_a_lock_that_cannot_be_let_go_of_costs_no_row_and_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    target, other = Journal(tmp_path, API), Journal(tmp_path, API)
    with monkeypatch.context() as patch:
        patch.setattr(locks, "unlock", fail)
        rows = [append(target, api_row())]
    rows += [append(other, api_row()), append(target, api_row())]

    assert read_all(tmp_path) == (rows, [])
    assert other.lock_timeouts == 0


@pytest.mark.skipif(sys.platform == "win32", reason="locks there are mandatory")
def test_a_full_file_is_sealed_by_whoever_has_the_lock(tmp_path: Path) -> None:
    target = Journal(tmp_path, API, max_bytes=300)
    rows = [append(target, api_row())]
    holder = os.open(target.path, os.O_RDWR)
    assert locks.try_lock(holder)

    rows += [append(target, api_row()) for _ in range(3)]
    assert [path.name for path in tmp_path.iterdir()] == [target.path.name]
    os.close(holder)
    rows.append(append(target, api_row()))

    assert len(list(tmp_path.iterdir())) == 2
    assert read_all(tmp_path) == (rows, [])


@pytest.mark.skipif(sys.platform == "win32", reason="locks there are mandatory")
def test_a_stopped_lock_holder_delays_a_row_briefly_and_loses_nothing(tmp_path: Path) -> None:
    target = Journal(tmp_path, API)
    rows = [append(target, api_row())]
    holder = os.open(target.path, os.O_RDWR)
    assert locks.try_lock(holder)

    rows += [append(target, api_row()) for _ in range(50)]
    os.close(holder)
    rows.append(append(target, api_row()))

    assert target.lock_timeouts == 1
    assert read_all(tmp_path) == (rows, [])


def test_a_row_that_meets_another_writer_in_the_middle_of_its_own_does_not_sleep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Journal(tmp_path, API)
    rows = [append(target, api_row())]
    other = os.open(target.path, os.O_RDWR)
    assert locks.try_lock(other)
    monkeypatch.setattr(locks, "let_others_run", lambda: locks.unlock(other))
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it slept"))

    rows.append(append(target, api_row()))
    assert locks.try_lock(other)
    os.close(other)

    assert target.lock_timeouts == 0
    assert read_all(tmp_path) == (rows, [])


def test_a_row_that_sleeps_until_another_writer_is_done_has_the_lock_and_gives_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Journal(tmp_path, API, max_bytes=300)
    rows = [append(target, api_row())]
    other = os.open(target.path, os.O_RDWR)
    assert locks.try_lock(other)
    monkeypatch.setattr("app.lib.tracelog.journal.journal.LOCK_SECONDS", 60.0)
    monkeypatch.setattr("time.sleep", lambda _: locks.unlock(other))

    rows.append(append(target, api_row()))
    assert locks.try_lock(other)
    os.close(other)

    assert target.lock_timeouts == 0
    # Which only its holder may do.
    assert (tmp_path / f"api_logs.{rows[0][0]}.csv").exists()
    assert read_all(tmp_path) == (rows, [])
