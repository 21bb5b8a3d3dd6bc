"""A disk that is full, and has room again; a process without descriptors; an fsync that fails."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.shipper.checkpoint import FILE_NAME
from tests.faults.ledger import account_of
from tests.faults.scene import Scene
from tests.support.disk import SmallDisk
from tests.support.parts import needs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs the limits of POSIX")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A file system of 4 MB."""
    disk = SmallDisk(tmp_path / "disk", "4m")
    needs("a small tmpfs", there=disk.is_there, mend="only root may mount one, on Linux")
    yield disk
    disk.remove()


@pytest.mark.parametrize("together", [1, 5])
def test_a_disk_that_is_full_and_has_room_again(
    tmp_path: Path, small_disk: SmallDisk, together: int
) -> None:
    """Rows that do not fit are counted; those before and after arrive, and the writers live on."""
    scene = Scene(tmp_path, small_disk.folder / "logs")
    try:
        options = ["--size", "500", "--pause", "0.01", "--segment-bytes", "30000"]
        options += ["--together", str(together)]
        writers = [scene.writer(f"w{n}", *options, deliver=False) for n in range(2)]
        scene.wait_for(lambda: scene.ledger.total() > 40, "rows")
        small_disk.fill()
        many = scene.ledger.total() + 100
        scene.wait_for(lambda: scene.ledger.total() > many, "rows that are told as taken")
        assert account_of(scene.log_dir).dropped > 50
        small_disk.free()
        dropped = account_of(scene.log_dir).dropped
        many = scene.ledger.total() + 40
        scene.wait_for(lambda: scene.ledger.total() > many, "rows on the freed disk")
        scene.stop(*writers)

        scene.settle()

        scene.check()
        assert account_of(scene.log_dir).dropped <= dropped + 2 * together
    finally:
        scene.end()


def test_a_disk_that_is_full_for_the_checkpoint(tmp_path: Path, small_disk: SmallDisk) -> None:
    """Delivery goes on without it; after a restart the rows are sent again and known."""
    scene = Scene(tmp_path, small_disk.folder / "logs")
    try:
        scene.writer("w", "--rows", "200", "--pause", "0", deliver=False).wait()
        small_disk.fill()
        deliverer = scene.deliverer("deliverer", "--batch-rows", "50")
        count = "SELECT count(*) FROM api_logs"
        scene.wait_for(lambda: scene.store.query(count).rows == [(200,)], "the rows in the store")
        deliverer.kill()
        assert not (scene.log_dir / FILE_NAME).exists()
        assert "The checkpoint cannot be saved" in deliverer.output()
        small_disk.free()

        scene.settle()

        scene.check()
        account = account_of(scene.log_dir)
        assert (account.shipped, account.known) == (200, 200)
    finally:
        scene.end()


@pytest.mark.parametrize("together", [1, 7])
def test_files_that_may_not_grow_are_a_full_disk(scene: Scene, together: int) -> None:
    """The write that meets the limit is a short one: what it left is taken back."""
    writer = scene.writer(
        "w", "--rows", "400", "--size", "900", "--pause", "0", "--fsize", "200000",
        "--together", str(together), deliver=False,
    )  # fmt: skip
    assert writer.wait() == 0

    scene.settle()

    scene.check()
    account = account_of(scene.log_dir)
    assert 100 < account.shipped < 250
    assert account.shipped + account.dropped == 400


@pytest.mark.parametrize("segment_bytes", [64 << 20, 20_000])
def test_no_file_descriptors_are_left(scene: Scene, segment_bytes: int) -> None:
    """What can be written through those that are open is; the rest is counted."""
    limit = 3 + 3
    writer = scene.writer(
        "w", "--rows", "300", "--pause", "0", "--nofile", str(limit),
        "--segment-bytes", str(segment_bytes), deliver=False,
    )  # fmt: skip
    assert writer.wait() == 0

    scene.settle()

    scene.check()
    account = account_of(scene.log_dir)
    assert account.shipped + account.dropped == 300


@pytest.mark.parametrize("fsync", ["always", "everysec"])
def test_an_fsync_that_fails_seals_the_file_and_loses_no_row_that_was_promised(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, fsync: str
) -> None:
    logger = CSVOnlyLogger(scene.log_dir, fsync=fsync)  # type: ignore[arg-type]
    ledger = scene.ledger.path("w")

    def log(numbers: range) -> None:
        for number in numbers:
            logger.log(None, API_LOGS, {"method": "GET", "endpoint": f"/w/w/{number}"})
            with ledger.open("a", encoding="ascii") as file:
                file.write(f"{number}\n")

    def fails(_: int) -> None:
        raise OSError(5, "Input/output error")

    log(range(10))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        log(range(10, 20))
        logger.recorder.journals[API_LOGS].sync()
    log(range(20, 30))
    logger.close()

    assert len(list(scene.log_dir.glob("api_logs*.csv"))) >= 2
    scene.settle()
    scene.check()
    assert account_of(scene.log_dir).shipped == 30
