"""The checkpoint may lag and never leads; damage to it costs a replay and nothing else."""

import errno
import json
import os
from pathlib import Path
from stat import S_ISDIR

import pytest

from app.lib.tracelog.shipper.checkpoint import (
    FILE_NAME,
    Checkpoint,
    Counters,
    Replaced,
    _checksum,
)


def saved(folder: Path, offset: int) -> Checkpoint:
    checkpoint = Checkpoint.load(folder)
    checkpoint.advance("api_logs", 1_700_000_000_000_000_000, offset)
    checkpoint.counters.shipped = offset // 100
    checkpoint.save()
    return checkpoint


def offset_in(folder: Path) -> int:
    return Checkpoint.load(folder).offset("api_logs", 1_700_000_000_000_000_000)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    checkpoint = Checkpoint(
        tmp_path,
        {"api_logs": {1: 10, 2**62: 2**40}, "task_progress_logs": {0: 5}},
        Counters(shipped=1, known=2, collisions=3, quarantined=4, batches=5, retries=6),
        "refused",
        "it says „no“",
    )
    checkpoint.save()

    assert Checkpoint.load(tmp_path) == checkpoint


def test_it_is_on_the_disk_whole_before_it_takes_its_name_and_so_is_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced: list[tuple[int, int]] = []

    def fsync(fd: int) -> None:
        stat = os.fstat(fd)
        forced.append((stat.st_ino, 0 if S_ISDIR(stat.st_mode) else stat.st_size))
        assert bool(list(tmp_path.glob(FILE_NAME))) == S_ISDIR(stat.st_mode)

    monkeypatch.setattr(os, "fsync", fsync)
    saved(tmp_path, 1000)

    file = (tmp_path / FILE_NAME).stat()
    assert forced == [(file.st_ino, file.st_size), (tmp_path.stat().st_ino, 0)]


def test_a_number_that_only_a_newer_version_counts_is_passed_over(tmp_path: Path) -> None:
    saved(tmp_path, 1000)
    state = json.loads((tmp_path / FILE_NAME).read_bytes())
    del state["checksum"]
    state["counters"]["unheard_of"] = 1
    (tmp_path / FILE_NAME).write_bytes(json.dumps(state | {"checksum": _checksum(state)}).encode())

    assert offset_in(tmp_path) == 1000


def test_without_a_checkpoint_everything_is_delivered_from_the_start(tmp_path: Path) -> None:
    assert Checkpoint.load(tmp_path) == Checkpoint(tmp_path)


def test_a_checkpoint_cut_at_any_byte_falls_back_to_the_one_before(tmp_path: Path) -> None:
    saved(tmp_path, 1000)
    saved(tmp_path, 2000)
    whole = (tmp_path / FILE_NAME).read_bytes()

    for cut in range(len(whole)):
        (tmp_path / FILE_NAME).write_bytes(whole[:cut])
        assert offset_in(tmp_path) == 1000


def test_a_flipped_bit_anywhere_never_makes_it_lead(tmp_path: Path) -> None:
    saved(tmp_path, 1000)
    saved(tmp_path, 2000)
    whole = (tmp_path / FILE_NAME).read_bytes()

    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << position % 8
        (tmp_path / FILE_NAME).write_bytes(flipped)
        assert offset_in(tmp_path) in {1000, 2000}


def test_a_damaged_one_does_not_take_the_place_of_its_copy(tmp_path: Path) -> None:
    saved(tmp_path, 1000)
    leader = saved(tmp_path, 2000)
    for offset in (3000, 4000):
        whole = (tmp_path / FILE_NAME).read_bytes()
        (tmp_path / FILE_NAME).write_bytes(whole[:-20])
        assert offset_in(tmp_path) == 1000
        leader.advance("api_logs", 1_700_000_000_000_000_000, offset)
        leader.save()
        assert offset_in(tmp_path) == offset


@pytest.mark.parametrize("damage", [b"", b"\0" * 500, b"null", b"[]", b"{}", b'{"checksum":"x"}'])
def test_when_both_copies_are_damaged_it_starts_over(tmp_path: Path, damage: bytes) -> None:
    saved(tmp_path, 1000)
    saved(tmp_path, 2000)
    for path in tmp_path.glob(".checkpoint*"):
        path.write_bytes(damage)

    assert Checkpoint.load(tmp_path) == Checkpoint(tmp_path)


@pytest.mark.parametrize("code", [errno.EIO, errno.EMFILE, errno.EACCES])
def test_one_that_cannot_be_read_now_is_not_taken_for_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    saved(tmp_path, 1000)
    saved(tmp_path, 2000)
    read, unreadable = Path.read_bytes, [FILE_NAME]

    def fails(path: Path) -> bytes:
        if path.name in unreadable:
            raise OSError(code, os.strerror(code), str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", fails)
    assert Checkpoint.take_over(tmp_path, lambda: True).counters.shipped == 10

    unreadable += [path.name for path in tmp_path.glob(".checkpoint*")]
    with pytest.raises(OSError, match=os.strerror(code)):
        Checkpoint.take_over(tmp_path, lambda: True)
    # What only looks sees nothing, as without one.
    assert Checkpoint.load(tmp_path) == Checkpoint(tmp_path)


def test_a_full_disk_leaves_the_old_one_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, 1000)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        saved(tmp_path, 2000)
    monkeypatch.undo()

    assert offset_in(tmp_path) == 1000
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    saved(tmp_path, 3000)
    assert offset_in(tmp_path) == 3000


def test_a_crash_between_the_two_renames_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, 1000)
    rename = Path.replace

    def crash(self: Path, target: Path) -> Path:
        if target.name == FILE_NAME:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        saved(tmp_path, 2000)

    assert offset_in(tmp_path) == 1000


def test_whoever_leads_no_more_saves_nothing(tmp_path: Path) -> None:
    saved(tmp_path, 1000)
    old = Checkpoint.take_over(tmp_path, lambda: False)
    old.advance("api_logs", 1_700_000_000_000_000_000, 500)

    with pytest.raises(Replaced):
        old.save()

    assert offset_in(tmp_path) == 1000
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("stopped_at", [".checkpoint.previous.json", FILE_NAME])
def test_a_leader_stopped_while_it_saves_does_not_undo_what_its_successor_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_at: str
) -> None:
    saved(tmp_path, 1000)
    old = Checkpoint.take_over(tmp_path, lambda: True)
    old.advance("api_logs", 1_700_000_000_000_000_000, 2000)
    rename = Path.replace

    def stopped_meanwhile(self: Path, target: Path) -> Path:
        if target.name == stopped_at:
            monkeypatch.undo()
            new = Checkpoint.take_over(tmp_path, lambda: True)
            new.advance("api_logs", 1_700_000_000_000_000_000, 3000)
            new.save()
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", stopped_meanwhile)
    with pytest.raises(Replaced):
        old.save()

    assert offset_in(tmp_path) == 3000


def test_segments_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, {"api_logs": {0: 7, 1: 10, 5: 20, 9: 30}})

    checkpoint.forget_before("api_logs", 5)

    assert checkpoint.offsets == {"api_logs": {0: 7, 5: 20, 9: 30}}


def test_what_was_given_up_is_known_again_where_its_files_are_back(tmp_path: Path) -> None:
    away = Checkpoint(tmp_path, {"api_logs": {1: 10}}, given_up={"api_logs": {1}}, line="ours")
    ours = Checkpoint(tmp_path, {"api_logs": {5: 20}}, given_up={"api_logs": {5}}, line="ours")

    ours.join(away)
    ours.join(Checkpoint(tmp_path, given_up={"api_logs": {9}}, line="another's"))

    assert ours.given_up == {"api_logs": {1, 5}}
