"""Rows that are not where one looks for them, for a reason that is known."""

import os
import time

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.schema import API_LOGS, Row
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.transfer.verify import Verification, verify
from app.lib.tracelog.upkeep.retention import DAY, Retention, Rules
from tests.lib.tracelog.aged import NOW, step
from tests.lib.tracelog.rows import API, STEPS, api_row, api_rows
from tests.lib.tracelog.transfer.delivered import Log


def test_rows_that_retention_deleted_have_expired(local: Log) -> None:
    fine = [(row[0], f"trace {row[0]}", *row[2:]) for row in api_rows(30)]
    failed = [(*row[:6], 500, *row[7:]) for row in api_rows(2)]
    local.write(fine + failed)
    local.deliver()
    retention = Retention(local.store, Rules(), clock=lambda: time.time() + 15 * DAY)
    assert sum(chunk.rows for chunk in retention.run()) == 30

    assert local.verify() == Verification(same=2, expired=30)

    local.change("DELETE FROM api_logs WHERE id = ?", failed[0][0])
    assert local.verify().missing == 1

    retention = Retention(local.store, Rules(), clock=lambda: time.time() + 91 * DAY)
    assert sum(chunk.rows for chunk in retention.run()) == 1
    assert local.verify() == Verification(expired=32)


def test_steps_that_failed_are_expected_for_longer_than_others(local: Log) -> None:
    journal = Journal(local.folder, STEPS, fsync="no")
    for row in (step(21, "SUCCESS", "fine"), step(20, "FAILED", "failed")):
        journal.append(codec.encode(STEPS, row), int(str(row[0])))
    journal.close()
    local.deliver()
    retention = Retention(local.store, Rules(), clock=lambda: NOW)
    assert sum(chunk.rows for chunk in retention.run()) == 1

    assert local.verify() == Verification(same=1, expired=1)

    local.change("DELETE FROM task_progress_logs")
    found = local.verify()
    assert (found.missing, found.expired) == (1, 1)


def test_rows_of_a_file_that_was_given_up_are_dropped(local: Log) -> None:
    first, *_ = local.write(api_rows(5))
    key = int(str(first[0]))
    checkpoint = Checkpoint(local.folder, given_up={API_LOGS: {key}})
    checkpoint.advance(API_LOGS, key, local.journal.path.stat().st_size)
    checkpoint.save()

    assert local.verify() == Verification(dropped=5)


def lay(local: Log, rows: tuple[Row, ...], *, sealed: bool = False, end: bytes = b"") -> str:
    """Write a file of these rows; its name."""
    name = f"api_logs.{rows[0][0]}.csv" if sealed else "api_logs.csv"
    lines = b"".join(codec.encode(API, row) for row in rows)
    (local.folder / name).write_bytes(codec.header(API) + lines + end)
    return name


def make_room(local: Log, name: str, last: Row) -> None:
    checkpoint = Checkpoint.load(local.folder)
    checkpoint.removed_to[API_LOGS] = int(str(last[0]))
    checkpoint.save()
    (local.folder / name).unlink()


def test_rows_of_a_file_that_made_room_are_not_extra(local: Log) -> None:
    """Also where two processes have written by turns, so that later rows follow in the next."""
    one, two, three, four = api_rows(4)
    name = lay(local, (one, three), sealed=True)
    lay(local, (two, four))
    local.deliver()
    make_room(local, name, three)

    assert local.verify() == Verification(same=2)


def test_rows_of_a_file_that_makes_room_while_it_is_compared_are_not_extra(local: Log) -> None:
    one, two, three, four = api_rows(4)
    name = lay(local, (one, three), sealed=True)
    lay(local, (two, four))
    local.deliver()
    compared = list[int]()

    def watch(_: int, rows: int) -> None:
        compared.append(rows)
        if len(compared) == 2:
            make_room(local, name, three)

    assert verify(local.folder, local.store, watch) == Verification(same=4)


@pytest.mark.parametrize(
    ("end", "expected"), [(90, Verification(same=2, quarantined=1)), (-1, Verification(same=3))]
)
def test_the_last_line_of_a_full_file_is_compared_without_its_end_too(
    local: Log, end: int, expected: Verification
) -> None:
    first, last = api_rows(2)
    name = lay(local, (first,), sealed=True, end=codec.encode(API, last)[:end])
    os.utime(local.folder / name, (0, 0))  # nobody writes to it any more
    lay(local, (api_row(),))
    local.deliver()

    assert local.verify() == expected

    local.change("DELETE FROM api_logs WHERE id = ?", last[0])
    assert local.verify().missing == expected.same - 2
