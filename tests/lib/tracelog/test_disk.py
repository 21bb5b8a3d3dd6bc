"""What there is in a log folder, and whose it is."""

import os
from pathlib import Path

import pytest

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.disk import exists, is_file, make_folder, open_file, sync_folder
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.shipper.quarantine import Entry, Quarantine
from tests.lib.tracelog.rows import ROW_ID

SOMEBODY = 12_345


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of somebody else's, as far as that can be, in which the superuser works."""
    if os.geteuid() == 0:
        os.chown(tmp_path, SOMEBODY, SOMEBODY)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def owner(path: Path) -> tuple[int, int]:
    stat = path.lstat()
    return stat.st_uid, stat.st_gid


def test_what_the_superuser_leaves_in_a_log_folder_is_its_owner_s(home: Path) -> None:
    logger = EnhancedCSVLogger(base_path=home / "new" / "logs", segment_bytes=1_000)
    for n in range(20):
        logger.log(None, API_LOGS, {"method": "GET", "endpoint": f"/{n}"})
    logger.close()
    quarantine = Quarantine(logger.recorder.log_dir)
    quarantine.add([Entry("now", API_LOGS, ROW_ID, 0, 5, "torn", b"x")])
    quarantine.take_out({(API_LOGS, ROW_ID, 0): "discarded"})

    found = {path.name: owner(path) for path in (home / "new").rglob("*")}
    # What SQLite makes beside its file is made the same way by itself.
    assert {".checkpoint.json", ".shipper.lock", ".tally", "0.count", "trace.db"} < found.keys()
    assert found == dict.fromkeys(found, owner(home))


def test_a_link_to_what_is_not_theirs_does_not_make_it_theirs(home: Path) -> None:
    (home / "of the system").mkdir()
    target = home / "of the system" / "file"
    target.touch()
    link = home / "link"
    link.symlink_to(target)
    os.close(open_file(link, os.O_RDWR))
    target.unlink()
    os.close(open_file(link, os.O_RDWR))
    assert owner(target)[0] == target.stat().st_uid == os.getuid()


def test_a_folder_that_became_a_link_as_soon_as_it_was_made_gives_nothing_away(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, logs, mkdir = home / "of the system", home / "logs", Path.mkdir
    target.mkdir()

    def make_and_swap(folder: Path, **how: bool) -> None:
        mkdir(folder, **how)
        folder.rmdir()
        folder.symlink_to(target)

    monkeypatch.setattr(Path, "mkdir", make_and_swap)
    make_folder(logs)
    assert logs.is_symlink()
    assert owner(target)[0] == os.getuid()


def test_a_folder_that_somebody_else_makes_at_the_same_moment_stays_theirs(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs, mkdir = home / "logs", Path.mkdir

    def make_twice(folder: Path, **how: bool) -> None:
        mkdir(folder)
        mkdir(folder, **how)

    monkeypatch.setattr(Path, "mkdir", make_twice)
    make_folder(logs)
    assert owner(logs)[0] == os.getuid()


def test_a_folder_that_was_there_keeps_its_owner(home: Path) -> None:
    (home / "of the system").mkdir()

    make_folder(home / "of the system" / "new")

    assert owner(home / "of the system") == (os.getuid(), os.getgid())


def test_a_folder_that_is_gone_by_the_time_it_should_last_is_nothing_to_tell(
    tmp_path: Path,
) -> None:
    sync_folder(tmp_path / "gone")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="/proc tells the descriptors")
def test_names_are_made_to_last_without_a_file_left_open(tmp_path: Path) -> None:
    before = len([*Path("/proc/self/fd").iterdir()])

    sync_folder(tmp_path)

    assert len([*Path("/proc/self/fd").iterdir()]) == before


def test_what_is_not_there_is_told_from_what_cannot_be_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    there = [tmp_path / "file", tmp_path]
    absent = [tmp_path / "other", tmp_path / "file" / "below", tmp_path / "loop"]
    assert [exists(path) for path in (*there, *absent)] == [True, True, False, False, False]
    assert [is_file(path) for path in (*there, *absent)] == [True, False, False, False, False]
    for ask in (exists, is_file):
        with pytest.raises(OSError, match="too long"):
            ask(tmp_path / ("a" * 300))
