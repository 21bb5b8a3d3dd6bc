"""Rows that do not fit on the disk are taken back, and what stays is told."""

import errno
import os
from pathlib import Path

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.journal import locks
from app.lib.tracelog.journal.journal import Journal, PartlyAppended
from tests.lib.tracelog.journal.full_disk import short_then_full
from tests.lib.tracelog.rows import API, api_row, append, read_all


def test_a_row_that_does_not_fit_on_the_disk_is_taken_back_and_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Journal(tmp_path, API)
    first = append(target, api_row())
    size = target.path.stat().st_size
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", short_then_full(os.write, 40))
        with pytest.raises(OSError, match="No space"):
            append(target, api_row())
    assert target.path.stat().st_size == size

    second = append(target, api_row())

    assert read_all(tmp_path) == ([first, second], [])


def test_taking_a_row_back_spares_what_another_writer_has_appended_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Journal(tmp_path, API)
    first = append(target, api_row())
    other, real = api_row("other"), os.write

    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def short_then_another(fd: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", full)
        taken = real(fd, data[:40])
        # Somebody who could not have the lock in time.
        with target.path.open("ab") as file:
            file.write(codec.encode(API, other))
        return taken

    monkeypatch.setattr(os, "write", short_then_another)
    with pytest.raises(PartlyAppended, match="No space") as caught:
        append(target, api_row())
    assert caught.value.left == 40
    monkeypatch.undo()
    last = append(target, api_row())

    rows, bad = read_all(tmp_path)
    assert rows == [first, other, last]
    assert [len(span.raw) for span in bad] == [40]


def test_what_fitted_of_several_rows_and_stays_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Journal(tmp_path, API)
    first = append(target, api_row())
    rows = [api_row() for _ in range(3)]
    lines = [codec.encode(API, row) for row in rows]
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", short_then_full(os.write, len(lines[0]) + 40))
        # Nobody takes it back without the lock: others may have written behind it.
        patch.setattr(locks, "try_lock_if_any", lambda fd: None)
        with pytest.raises(PartlyAppended, match="No space") as caught:
            target.append(b"".join(lines), int(str(rows[0][0])))
    assert caught.value.left == len(lines[0]) + 40

    last = append(target, api_row())

    found, bad = read_all(tmp_path)
    assert found == [first, rows[0], last]
    assert [span.raw for span in bad] == [lines[1][:40]]


def test_what_a_failing_disk_does_not_let_be_taken_back_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    target = Journal(tmp_path, API)
    append(target, api_row())
    monkeypatch.setattr(os, "write", short_then_full(os.write, 40))
    monkeypatch.setattr(os, "ftruncate", fail)

    with pytest.raises(PartlyAppended, match="No space") as caught:
        append(target, api_row())

    assert (caught.value.left, caught.value.errno) == (40, errno.ENOSPC)


def test_a_disk_that_was_full_before_has_nothing_to_be_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    target = Journal(tmp_path, API)
    (tmp_path / "api_logs.csv").touch()
    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(locks, "try_lock_if_any", lambda fd: None)

    with pytest.raises(OSError, match="No space") as caught:
        append(target, api_row())

    assert not isinstance(caught.value, PartlyAppended)
