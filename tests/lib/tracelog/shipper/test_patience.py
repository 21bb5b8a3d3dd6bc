"""A checkpoint that is there and cannot be read is waited for, but not for ever."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.shipper import patience
from app.lib.tracelog.shipper.accounting import Accountant
from app.lib.tracelog.shipper.checkpoint import COPIES, FILE_NAME, Checkpoint
from app.lib.tracelog.shipper.patience import PATIENCE_SECONDS, Patience
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.turso_store import TursoStore
from app.lib.tracelog.upkeep.housekeeping import Housekeeper
from app.lib.tracelog.upkeep.room import size_of
from tests.lib.tracelog.aged import Folder, room_for
from tests.lib.tracelog.clock import Clock
from tests.lib.tracelog.rows import count
from tests.lib.tracelog.shipper.shippers import write
from tests.support.processes import wait_until
from tests.support.turso import UNREACHABLE


def make_unreadable(folder: Path) -> None:
    """A folder in place of each copy cannot be read by root, either."""
    for name in COPIES:
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.store.close()


def test_after_five_minutes_it_is_put_aside_and_each_row_is_in_the_store_once(
    logs: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def open_store() -> SQLiteStore:
        return SQLiteStore(logs / "trace.db")

    write(journal, 3)
    before = Shipper(logs, open_store)
    assert before.run_once() == 3
    before.stop()
    write(journal, 2)
    make_unreadable(logs)

    after, clock = Shipper(logs, open_store), Clock()
    monkeypatch.setattr(after, "_patience", Patience(logs, clock))
    for _ in range(10):
        with pytest.raises(IsADirectoryError):
            after.run_once()
        clock.now += PATIENCE_SECONDS / 10
    assert after.run_once() == 5
    after.stop()

    store = open_store()
    assert count(store) == 5
    store.close()
    aside = sorted(path.name.partition("-")[0] for path in logs.glob("*.unreadable-*"))
    assert aside == [f"{name}.unreadable" for name in COPIES]
    assert all(name in caplog.text for name in COPIES)
    assert Checkpoint.newest(logs).counters.known == 3


def test_one_that_can_be_read_again_in_time_counts_on(logs: Path, journal: Journal) -> None:
    clock = Clock()
    reader = Patience(logs, clock)
    write(journal, 1)
    saved = Checkpoint(logs)
    saved.counters.shipped = 7
    saved.save()
    hidden = logs / "hidden.json"

    for _ in range(2):
        (logs / FILE_NAME).rename(hidden)
        (logs / FILE_NAME).mkdir()
        with pytest.raises(IsADirectoryError):
            reader.newest()
        clock.now += PATIENCE_SECONDS - 1
        (logs / FILE_NAME).rmdir()
        hidden.rename(logs / FILE_NAME)
        assert reader.newest().counters.shipped == 7

    assert not list(logs.glob("*.unreadable-*"))


def test_time_in_which_somebody_else_led_does_not_count(tmp_path: Path) -> None:
    clock = Clock()
    reader = Patience(tmp_path, clock)
    (tmp_path / FILE_NAME).mkdir()
    for _ in range(3):
        with pytest.raises(IsADirectoryError):
            reader.take_over(lambda: True)
        clock.now += PATIENCE_SECONDS


def test_where_files_cannot_be_opened_for_want_of_descriptors_none_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    reader = Patience(tmp_path, clock)
    Checkpoint(tmp_path).save()

    def fails(path: Path) -> bytes:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(path))

    monkeypatch.setattr(Path, "read_bytes", fails)
    for _ in range(3):
        with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
            reader.take_over(lambda: True)
        clock.now += PATIENCE_SECONDS

    assert (tmp_path / FILE_NAME).is_file()


def test_the_folder_is_kept_within_its_limit_again_though_the_store_is_away(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(8, 0, -1):
        folder.seal(day)
    make_unreadable(folder.path)
    rules = room_for(folder, 4)
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.3)
    shipper = Shipper(
        folder.path,
        lambda: TursoStore(UNREACHABLE, seconds=1.0),
        retry_seconds=0.2,
        housekeeper=Housekeeper(folder.path, rules, Accountant(folder.path, folder.tally)),
    )
    shipper.start()

    wait_until(lambda: size_of(folder.path) <= rules.folder_bytes)
    assert shipper.stop(20)
