"""Deliveries from files that go away or cannot be read."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import pytest

from app.lib.tracelog.journal import reader
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from tests.lib.tracelog.rows import api_rows
from tests.lib.tracelog.shipper.desk import Desk


def test_a_segment_removed_before_it_was_delivered_is_counted(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    written = api_rows(60)
    path = desk.write(written[:50], sealed=True)
    desk.write(written[50:])
    size = path.stat().st_size
    delivery = desk.delivery(batch_rows=100, batch_bytes=5_000)
    delivery.step()
    path.unlink()

    counters = desk.deliver(delivery)

    assert 0 < counters.lost_bytes < size
    assert desk.stored()[-10:] == written[50:]
    assert "was removed with" in caplog.text


def test_a_delivered_segment_that_is_removed_is_no_loss(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    path = desk.write(api_rows(50), sealed=True)
    desk.write(api_rows(10))
    delivery = desk.delivery()
    desk.deliver(delivery)
    path.unlink()
    desk.write(api_rows(1))

    assert desk.deliver(delivery).lost_bytes == 0
    assert len(Checkpoint.load(desk.folder).offsets[API_LOGS]) == 1
    assert caplog.text == ""


def test_a_log_folder_that_is_removed_and_made_anew_is_followed(desk: Desk) -> None:
    folder = desk.folder / "inner"
    folder.mkdir()
    outer_store = desk.store
    desk.folder = folder
    desk.write(api_rows(10))
    delivery = desk.delivery()
    desk.deliver(delivery)
    shutil.rmtree(folder)
    assert delivery.step() == 0
    folder.mkdir()
    written = api_rows(5)
    desk.write(written)

    desk.deliver(delivery)

    assert outer_store is desk.store
    assert desk.stored()[10:] == written


def test_a_disk_that_fails_within_a_file_keeps_what_follows_there_and_no_other_row(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written = api_rows(30)
    failing = desk.write(written[:10], sealed=True)
    desk.write(written[10:20], sealed=True)
    desk.write(written[20:])
    read_from = reader.read_from

    def fail(file: BinaryIO, *args: Any, **options: Any) -> reader.Chunk:
        if file.name == str(failing):
            raise OSError(errno.EIO, "Input/output error")
        return read_from(file, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(reader, "read_from", fail)
        desk.deliver()
        assert desk.stored() == written[10:]
    assert caplog.text.count("cannot be read: Input/output error") == 1

    desk.deliver()
    assert desk.stored() == written


def test_a_process_without_a_free_descriptor_says_so_and_passes_over_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = api_rows(2)
    desk.write(written)
    delivery = desk.delivery()

    def none_is_free(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(reader, "read_from", none_is_free)
        with pytest.raises(OSError, match="Too many open files"):
            delivery.step()

    desk.deliver(delivery)
    assert desk.stored() == written


def test_a_folder_that_may_not_be_listed_for_a_moment_has_nothing_sent_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = api_rows(30)
    os.utime(desk.write(written[:10], sealed=True))  # just now
    desk.write(written[10:20])
    delivery = desk.delivery()
    desk.deliver(delivery)

    def refuse(_: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        desk.deliver(delivery)
    desk.write(written[20:])
    counters = desk.deliver(delivery)

    assert desk.stored() == written
    assert (counters.shipped, counters.known) == (30, 0)


def test_a_folder_that_may_not_be_entered_for_a_moment_has_lost_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = api_rows(30)
    for first in (0, 10):
        os.utime(desk.write(written[first : first + 10], sealed=True))  # just now
    delivery = desk.delivery(batch_rows=15)
    assert delivery.step() == 15

    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        for name in ("scandir", "stat"):
            patch.setattr(os, name, refuse)
        with pytest.raises(PermissionError):
            delivery.step()
    desk.write(written[20:])
    counters = desk.deliver(delivery)

    assert desk.stored() == written
    assert (counters.shipped, counters.known, counters.lost_bytes) == (30, 0, 0)


def test_an_active_file_that_cannot_be_read_for_a_moment_is_not_taken_for_gone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written = api_rows(20)
    desk.write(written[:10])
    delivery = desk.delivery(batch_rows=5)
    assert delivery.step() == 5

    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        assert delivery.step() == 0
    desk.write(written[10:])

    assert desk.deliver(delivery).lost_bytes == 0
    assert desk.stored() == written
    assert delivery.checkpoint.folder_removed_at is None
    assert caplog.text == ""
