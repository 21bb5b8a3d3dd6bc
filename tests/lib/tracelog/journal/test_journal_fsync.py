"""Rows are forced to the disk as the setting says, whatever fails."""

import errno
import os
from pathlib import Path

import pytest

from app.lib.tracelog.journal.journal import Journal
from tests.lib.tracelog.journal.full_disk import short_then_full
from tests.lib.tracelog.rows import API, api_row, append, read_all


def test_fsync_always_syncs_each_row_and_a_failed_sync_seals_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    target = Journal(tmp_path, API, fsync="always")
    synced: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
        first = append(target, api_row())
        second = append(target, api_row("second"))
        inode = target.path.stat().st_ino
        # A name lasts when its folder was forced to the disk as well.
        assert synced == [inode, tmp_path.stat().st_ino, inode]

    def broken(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        doubtful = [append(target, api_row("in the file, perhaps not on the disk"))]
        doubtful.append(append(target, api_row("so is this one, in the next file")))
    rest = [append(target, api_row()) for _ in range(3)]

    assert target.sync_errors == 2
    assert caplog.text.count("cannot be forced to the disk: Input/output error") == 1
    assert (tmp_path / f"api_logs.{first[0]}.csv").exists()
    assert len(list(tmp_path.glob("*.csv"))) == 3
    assert read_all(tmp_path) == ([first, second, *doubtful, *rest], [])

    monkeypatch.setattr(os, "fsync", broken)
    append(target, api_row())
    assert caplog.text.count("cannot be forced to the disk: Input/output error") == 2


def test_sync_covers_the_files_sealed_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Journal(tmp_path, API, max_bytes=1_000)
    for number in range(6):
        append(target, api_row(str(number)))
    files = {path.stat().st_ino for path in tmp_path.glob("*.csv")}
    synced: set[int] = set()
    monkeypatch.setattr(os, "fsync", lambda fd: synced.add(os.fstat(fd).st_ino))

    target.sync()

    assert synced == files | {tmp_path.stat().st_ino}
    synced.clear()
    target.sync()
    assert not synced


def test_rows_before_the_disk_was_full_are_forced_to_it_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Journal(tmp_path, API)
    append(target, api_row())
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", short_then_full(os.write, 40))
        with pytest.raises(OSError, match="No space"):
            append(target, api_row())
    synced: set[int] = set()
    monkeypatch.setattr(os, "fsync", lambda fd: synced.add(os.fstat(fd).st_ino))

    target.sync()

    assert target.path.stat().st_ino in synced


def test_fsync_no_leaves_rows_and_sealed_files_to_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: pytest.fail("it was forced to the disk"))
    target = Journal(tmp_path, API, max_bytes=300, fsync="no")

    rows = [append(target, api_row()) for _ in range(3)]
    target.close()

    assert read_all(tmp_path) == (rows, [])


def test_without_a_free_descriptor_rows_are_forced_to_the_disk_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_is_free(_: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    target = Journal(tmp_path, API)
    append(target, api_row())
    synced: set[int] = set()
    monkeypatch.setattr(os, "dup", none_is_free)
    monkeypatch.setattr(os, "fsync", lambda fd: synced.add(os.fstat(fd).st_ino))

    target.sync()

    assert target.path.stat().st_ino in synced
