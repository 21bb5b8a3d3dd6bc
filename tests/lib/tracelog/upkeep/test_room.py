"""What is deleted of a log folder, when, and what is not."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.journal import reader
from app.lib.tracelog.schema import API_LOGS, TASK_PROGRESS_LOGS
from app.lib.tracelog.shipper.checkpoint import FILE_NAME, Checkpoint
from app.lib.tracelog.shipper.follower import Follower
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.transfer.verify import Verification, verify
from app.lib.tracelog.upkeep.retention import Rules
from app.lib.tracelog.upkeep.room import make_room
from tests.lib.tracelog.aged import EVERYTHING, NOW, Folder, request, room_for
from tests.lib.tracelog.rows import API


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.store.close()


def test_delivered_files_are_kept_while_there_is_room(folder: Folder) -> None:
    files = {folder.seal(3), folder.seal(2), folder.seal(1)}
    checkpoint = folder.deliver()

    assert make_room(folder.path, checkpoint, room_for(folder, 3.1), NOW).files == 0
    assert folder.files() == files


def test_delivered_files_go_when_they_are_as_old_as_rows_may_be(folder: Folder) -> None:
    folder.seal(15)
    kept = folder.seal(13)
    checkpoint = folder.deliver()

    freed = make_room(folder.path, checkpoint, Rules(), NOW)

    assert (freed.files, freed.dropped) == (1, 0)
    assert folder.files() == {kept}
    assert folder.numbers() == (20, 0, 0, 0)


def test_zero_days_and_zero_bytes_are_no_limits(folder: Folder) -> None:
    files = {folder.seal(1_000), folder.seal(900)}
    checkpoint = folder.deliver()
    files.add(folder.seal(800))

    freed = make_room(folder.path, checkpoint, EVERYTHING, NOW)

    assert (freed.files, freed.dropped) == (0, 0)
    assert folder.files() == files


def test_files_of_a_clock_that_was_years_ahead_go_as_well(folder: Folder) -> None:
    folder.seal(-1_000)
    checkpoint = folder.deliver()

    assert make_room(folder.path, checkpoint, room_for(folder, 0.5), NOW).files == 1
    assert folder.files() == set()


def test_when_the_folder_is_full_the_oldest_delivered_files_go_first(folder: Folder) -> None:
    folder.seal(5)
    folder.seal(4, TASK_PROGRESS_LOGS)
    checkpoint = folder.deliver()
    not_delivered = folder.seal(6)
    newer = folder.seal(1)

    freed = make_room(folder.path, checkpoint, room_for(folder, 2.1), NOW)

    assert (freed.files, freed.dropped) == (2, 0)
    assert folder.files() == {not_delivered, newer}
    assert folder.numbers() == (20, 20, 0, 0)


def test_then_the_oldest_undelivered_rows_are_dropped_and_counted(folder: Folder) -> None:
    for days in (5, 4, 3):
        folder.seal(days)
    kept = {folder.seal(2), folder.seal(1)}
    checkpoint = Checkpoint.load(folder.path)

    freed = make_room(folder.path, checkpoint, room_for(folder, 2.1), NOW)

    assert (freed.files, freed.dropped) == (3, 30)
    assert folder.files() == kept
    assert folder.numbers() == (0, 20, 30, 0)
    folder.deliver()
    assert folder.numbers() == (20, 0, 30, 0)


def test_of_both_tables_the_oldest_undelivered_rows_are_dropped(folder: Folder) -> None:
    older = folder.seal(5, TASK_PROGRESS_LOGS)
    kept = folder.seal(4)

    freed = make_room(folder.path, Checkpoint.load(folder.path), room_for(folder, 1.1), NOW)

    assert (freed.files, freed.dropped) == (1, 10)
    assert folder.files() == {kept}
    assert not older.exists()


def test_of_a_file_that_was_delivered_in_part_the_rest_is_dropped(folder: Folder) -> None:
    folder.seal(2)
    shipper = Shipper(folder.path, lambda: SQLiteStore(folder.path / "trace.db"), batch_rows=4)
    shipper.run_once()
    shipper.stop()

    freed = make_room(folder.path, Checkpoint.load(folder.path), Rules(0, 0, 0, 1), NOW)

    assert (freed.files, freed.dropped) == (1, 6)
    assert folder.numbers() == (4, 0, 6, 0)


@pytest.mark.parametrize("error", [errno.EACCES, errno.EIO])
def test_a_file_that_cannot_be_read_stays_and_the_next_ones_make_room(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    forbidden = folder.seal(5)
    delivered, dropped, kept = folder.seal(4), folder.seal(3), folder.seal(2)
    checkpoint = Checkpoint.load(folder.path)
    checkpoint.advance(API_LOGS, int(delivered.name.split(".")[1]), delivered.stat().st_size)
    checkpoint.save()
    open_path = Path.open

    def refuse(path: Path, *args: Any, **options: Any) -> IO[Any]:
        if path in {forbidden, delivered}:
            raise OSError(error, os.strerror(error), str(path))
        opened: IO[Any] = open_path(path, *args, **options)
        return opened

    monkeypatch.setattr(Path, "open", refuse)

    freed = make_room(folder.path, checkpoint, room_for(folder, 2.1), NOW)

    assert (freed.files, freed.dropped) == (2, 10)
    assert not dropped.exists()
    assert folder.files() == {forbidden, kept}


def test_what_is_written_now_is_never_removed(folder: Folder) -> None:
    folder.seal(2).rename(folder.path / "api_logs.csv")
    just_sealed = folder.seal(1)
    os.utime(just_sealed, (NOW - 1, NOW - 1))
    files = folder.files()

    make_room(folder.path, Checkpoint.load(folder.path), Rules(0, 0, 0, 1), NOW)

    assert folder.files() == files


def test_no_file_goes_before_the_checkpoint_that_covers_it_is_on_the_disk(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered = folder.seal(3)
    checkpoint = folder.deliver()
    later = folder.seal(2)
    dropped_later = folder.seal(1)
    assert isinstance(checkpoint, Checkpoint)
    first_id = int(later.name.split(".")[1])
    checkpoint.advance(API_LOGS, first_id, later.stat().st_size)

    def full(_: Checkpoint) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", full)
        with pytest.raises(OSError, match="No space"):
            make_room(folder.path, checkpoint, Rules(0, 0, 0, 1), NOW)
    # Only what the checkpoint on the disk covered.
    assert folder.files() == {later, dropped_later}
    assert not delivered.exists()
    assert (checkpoint.counters.shipped, checkpoint.counters.dropped) == (10, 0)
    assert checkpoint.given_up == {}

    make_room(folder.path, checkpoint, Rules(0, 0, 0, 1), NOW)

    assert folder.files() == set()
    assert Checkpoint.load(folder.path).counters.dropped == 10


def test_after_files_have_gone_a_damaged_checkpoint_costs_no_count(folder: Folder) -> None:
    folder.seal(3)
    checkpoint = folder.deliver()
    # Delivered since the checkpoint was last saved.
    last = folder.seal(2)
    checkpoint.advance(API_LOGS, int(last.name.split(".")[1]), last.stat().st_size)
    checkpoint.counters.shipped += 10
    make_room(folder.path, checkpoint, Rules(0, 0, 0, 1), NOW)
    assert folder.files() == set()
    (folder.path / FILE_NAME).write_bytes(b"\0" * 100)

    assert folder.numbers() == (20, 0, 0, 0)


def test_files_that_a_kill_kept_from_going_go_next_time_and_are_not_missed_meanwhile(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.seal(3)
    kept = folder.seal(2)
    folder.store.migrate()

    def kill(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", kill)
        with pytest.raises(KeyboardInterrupt):
            make_room(folder.path, Checkpoint.load(folder.path), room_for(folder, 1.1), NOW)
    assert len(folder.files()) == 2
    assert folder.numbers() == (0, 10, 10, 0)
    assert verify(folder.path, folder.store) == Verification(dropped=10, pending=10)

    checkpoint = Checkpoint.load(folder.path)
    make_room(folder.path, checkpoint, Rules(), NOW)

    assert folder.files() == {kept}
    assert folder.numbers() == (0, 10, 10, 0)
    make_room(folder.path, checkpoint, Rules(), NOW)
    assert checkpoint.given_up == {API_LOGS: set()}


def test_rows_of_files_that_are_gone_are_not_taken_for_extra_ones(folder: Folder) -> None:
    """A row may stand in an older file than its neighbours by id."""
    older = folder.seal(3)
    newer = folder.seal(2)
    first_of_newer = int(newer.name.split(".")[1])
    row = (first_of_newer + 1, *request(2)[1:])
    with older.open("ab") as file:
        file.write(codec.encode(API, row))
    os.utime(older, (NOW - 100, NOW - 100))
    folder.tally.add(appended=1)
    checkpoint = folder.deliver()
    assert verify(folder.path, folder.store) == Verification(same=21)

    make_room(folder.path, checkpoint, room_for(folder, 1.1), NOW)

    assert folder.files() == {newer}
    assert verify(folder.path, folder.store) == Verification(same=10)


def test_a_file_that_makes_room_soon_after_it_was_sealed_is_not_told_as_another_programs_doing(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    """As while a call waits for the store, in which nobody follows the files."""
    active = folder.path / f"{API_LOGS}.csv"
    folder.seal(3).rename(active)
    checkpoint = Checkpoint.load(folder.path)
    follower = Follower(folder.path, checkpoint)
    assert follower.next(1, 10_000)

    active.rename(reader.sealed_path(active, reader.first_id_of(active) or 0))
    assert make_room(folder.path, checkpoint, Rules(0, 0, 0, 1), NOW).dropped == 10
    folder.seal(1).rename(active)

    assert follower.next(10, 10_000)
    assert checkpoint.folder_removed_at is None
    assert caplog.messages == []
