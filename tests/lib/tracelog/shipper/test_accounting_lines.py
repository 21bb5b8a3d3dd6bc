"""Rows that wait are counted by the lines of their files, each looked at once."""

import os
from pathlib import Path
from typing import BinaryIO

import pytest

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog import codec
from app.lib.tracelog.ids import first_at
from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.journal.tally import Tally
from app.lib.tracelog.schema import API_LOGS, TASK_PROGRESS_LOGS
from app.lib.tracelog.shipper import accounting
from app.lib.tracelog.shipper.accounting import Accountant, TableAccount
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.shipper.status import Progress
from tests.lib.tracelog.rows import API, api_row, append
from tests.lib.tracelog.shipper.accounts import deliver, end, log, numbers


def test_one_account_after_the_other_follows_what_is_appended_delivered_and_cut(
    tmp_path: Path,
) -> None:
    born = 1_795_000_000.0
    tally, checkpoint = Tally(tmp_path), Checkpoint(tmp_path)
    journal = Journal(tmp_path, API, clock=lambda: born)
    accountant = Accountant(tmp_path, tally, lambda: born + 100)
    ends = [len(codec.header(API))]

    def write(rows: int) -> None:
        for _ in range(rows):
            append(journal, api_row(row_id=first_at(born + len(ends))))
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

    write(10)
    assert waits() == (10, ends[10] - ends[0], 99)
    delivered_to(4)
    assert waits() == (6, ends[10] - ends[4], 95)
    write(5)
    delivered_to(7)
    assert waits() == (8, ends[15] - ends[7], 92)
    # A lost checkpoint.
    delivered_to(0)
    assert waits() == (15, ends[15] - ends[0], 99)
    delivered_to(15)
    assert waits() == (0, 0, 0)
    write(1)
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

    def write() -> None:
        append(journal, api_row())
        tally.add(appended=1)

    def look() -> Progress:
        write()
        return Progress.load(tmp_path)

    write()
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


def test_a_row_that_a_killed_process_has_not_counted_is_looked_for_no_longer_each_time(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path, API)
    append(journal, api_row())
    accountant, looks = Accountant(tmp_path, Tally(tmp_path)), list[int]()

    def look() -> Progress:
        looks.append(1)
        return Progress.load(tmp_path)

    assert accountant.account(look).unaccounted == -1
    looks.clear()
    assert accountant.account(look).unaccounted == -1
    journal.close()

    assert len(looks) == 1
