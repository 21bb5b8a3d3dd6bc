"""Counts outlive their processes, and what could not be written down at once is written later."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.lib.tracelog.journal import locks, tally
from app.lib.tracelog.journal.tally import Counts, Tally
from commands.kit.environment import ROOT
from tests.lib.tracelog.forks import child_does, forks
from tests.support.processes import open_descriptors


def test_counts_of_all_processes_that_ever_wrote_add_up(tmp_path: Path) -> None:
    first, second = Tally(tmp_path), Tally(tmp_path)
    first.add(appended=3, dropped=4)
    second.add(appended=1, dropped=2)
    first.close()
    third = Tally(tmp_path)
    third.add(appended=10)

    assert third.totals() == Counts(14, 6)
    assert len(list((tmp_path / ".tally").iterdir())) == 2
    second.close()
    third.close()


def test_whoever_has_counted_nothing_leaves_no_file(tmp_path: Path) -> None:
    Tally(tmp_path).close()

    assert not list(tmp_path.iterdir())


def test_another_processs_file_that_somebody_has_cut_short_counts_as_none(tmp_path: Path) -> None:
    counting, other = Tally(tmp_path), Tally(tmp_path)
    counting.add(appended=2, dropped=1)
    other.add(appended=5)
    os.truncate(tmp_path / ".tally" / "1.count", 9)

    assert counting.totals() == Counts(2, 1)
    counting.close()
    other.close()


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are not told there")
def test_a_process_keeps_one_file_open_whatever_becomes_of_it(tmp_path: Path) -> None:
    first, second = Tally(tmp_path), Tally(tmp_path)
    before = open_descriptors()
    first.add(appended=1)
    second.add(appended=1)
    assert open_descriptors() == before + 2
    (tmp_path / ".tally" / "1.count").unlink()
    assert second.totals() == Counts(2, 0)
    assert open_descriptors() == before + 2

    first.close()
    second.close()
    assert open_descriptors() == before


def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "open", full)


def test_what_was_counted_in_memory_goes_to_the_disk_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "_AGAIN_SECONDS", 0.0)
    counting = Tally(tmp_path)
    with monkeypatch.context() as patch:
        no_files(patch)
        counting.add(appended=2, dropped=1)
        assert counting.totals() == Counts(2, 1)
        assert Tally(tmp_path).totals() == Counts()
    counting.add(appended=1)

    assert counting.totals() == Tally(tmp_path).totals() == Counts(3, 1)
    counting.close()


def test_what_was_counted_in_memory_is_not_lost_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Tally(tmp_path)
    with monkeypatch.context() as patch:
        no_files(patch)
        counting.add(appended=2)
    counting.close()

    assert Tally(tmp_path).totals() == Counts(2, 0)


@forks
def test_a_forked_child_does_not_count_what_its_parent_has_counted_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Tally(tmp_path)
    with monkeypatch.context() as patch:
        no_files(patch)
        counting.add(appended=5)
    if (child := os.fork()) == 0:
        counting.add(appended=1)
        counting.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    counting.close()

    assert Tally(tmp_path).totals() == Counts(6, 0)


class TestAFork:
    pytestmark = forks

    def test_while_another_thread_counts_does_not_stop_the_child(self, tmp_path: Path) -> None:
        counting = Tally(tmp_path)
        counting.add(appended=1)

        assert child_does(lambda: counting.add(appended=1), while_held=counting._lock)

        counting.close()
        assert Tally(tmp_path).totals() == Counts(2, 0)


COUNTER = """
import sys
from pathlib import Path
from app.lib.tracelog.journal.tally import Tally
counting = Tally(Path(sys.argv[1]))
for _ in range(200_000):
    counting.add(appended=1)
counting.close()
"""


def test_who_looks_while_another_process_counts_never_sees_less_than_before(
    tmp_path: Path,
) -> None:
    looks = [0]
    command = [sys.executable, "-c", COUNTER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        while process.poll() is None:
            looks.append(Tally(tmp_path).totals().appended)

    assert looks == sorted(looks)
    assert Tally(tmp_path).totals() == Counts(200_000, 0)


def test_a_file_that_somebody_removed_is_written_again_with_what_was_in_it(tmp_path: Path) -> None:
    counting = Tally(tmp_path)
    counting.add(appended=2, dropped=1)
    (tmp_path / ".tally" / "0.count").unlink()
    counting.add(appended=1)

    assert counting.totals() == Tally(tmp_path).totals() == Counts(3, 1)
    counting.close()


def test_what_was_counted_in_a_file_that_somebody_removed_is_not_lost_at_the_end(
    tmp_path: Path,
) -> None:
    counting = Tally(tmp_path)
    counting.add(appended=2, dropped=1)
    (tmp_path / ".tally" / "0.count").unlink()
    counting.close()

    assert Tally(tmp_path).totals() == Counts(2, 1)


def test_a_file_that_somebody_has_cut_short_is_written_again_with_what_was_in_it(
    tmp_path: Path,
) -> None:
    counting = Tally(tmp_path)
    counting.add(appended=2, dropped=1)
    os.truncate(tmp_path / ".tally" / "0.count", 0)
    assert counting.totals() == Tally(tmp_path).totals() == Counts(2, 1)

    # Before anybody has looked, too: that is no reason for a process to be killed.
    os.truncate(tmp_path / ".tally" / "0.count", 0)
    counting.add(appended=1)

    assert counting.totals() == Tally(tmp_path).totals() == Counts(3, 1)
    counting.close()


@pytest.mark.parametrize("has_locks", [True, False])
def test_a_descriptor_that_is_none_any_more_costs_no_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_locks: bool
) -> None:
    if not has_locks:
        monkeypatch.setattr(locks, "try_lock_if_any", lambda _: None)
    counting = Tally(tmp_path)
    counting.add(appended=2, dropped=1)
    # As when a server of files was away, or a program has closed what it did not open.
    os.close(counting._fd)
    counting.add(appended=1)

    assert counting.totals() == Tally(tmp_path).totals() == Counts(3, 1)
    counting.close()
    assert Tally(tmp_path).totals() == Counts(3, 1)


def test_where_there_are_no_locks_each_process_has_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "try_lock", refuse)
    first, second = Tally(tmp_path), Tally(tmp_path)
    first.add(appended=3)
    second.add(appended=1, dropped=2)
    first.close()
    second.close()
    third = Tally(tmp_path)
    third.add(appended=10)
    third.close()

    assert Tally(tmp_path).totals() == Counts(14, 2)
    assert len(list((tmp_path / ".tally").iterdir())) == 3


@pytest.mark.parametrize("unusable", ["folder", "link"])
def test_a_file_that_cannot_be_opened_leaves_the_others(tmp_path: Path, unusable: str) -> None:
    path = tmp_path / ".tally" / "0.count"
    path.parent.mkdir()
    # Not by its mode, which the superuser does not care for.
    if unusable == "folder":
        path.mkdir()
    else:
        path.symlink_to("/proc/self/mem/0")
    counting = Tally(tmp_path)
    counting.add(appended=2)

    assert Tally(tmp_path).totals() == Counts(2, 0)
    counting.close()


def test_a_disk_that_fails_is_written_to_again_with_the_next_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    counting = Tally(tmp_path)
    counting.add(appended=1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fail)
        counting.add(appended=2, dropped=1)
        assert counting.totals() == Counts(3, 1)
    counting.add(appended=1)
    assert counting.totals() == Tally(tmp_path).totals() == Counts(4, 1)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fail)
        counting.add(appended=1)
    # With the end of the process, too.
    counting.close()
    assert Tally(tmp_path).totals() == Counts(5, 1)
