"""Finalizers that log in the middle of an append, and forks."""

import contextlib
import os
import threading
from pathlib import Path

import pytest

from app.lib.tracelog.journal.journal import Journal
from tests.lib.tracelog.forks import child_does, forks
from tests.lib.tracelog.rows import API, api_row, append, read_all


class TestAFinalizer:
    pytestmark = forks

    def test_that_logs_in_the_middle_of_an_append_has_its_row_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        within, around = api_row("of a finalizer"), api_row()
        real = Journal._size_if_current

        def collect_garbage(journal: Journal) -> int | None:
            monkeypatch.undo()
            append(journal, within)
            return real(journal)

        def work() -> None:
            append(Journal(tmp_path, API), around)

        monkeypatch.setattr(Journal, "_size_if_current", collect_garbage)
        assert child_does(work, while_held=contextlib.nullcontext())
        assert read_all(tmp_path) == ([within, around], [])


class TestAFork:
    pytestmark = forks

    def test_while_a_file_is_forced_to_the_disk_leaves_the_child_no_copy_of_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target = Journal(tmp_path, API)
        append(target, api_row())
        forcing, forked, real = threading.Event(), threading.Event(), os.fsync
        file = target.path.stat()

        def fsync(fd: int) -> None:
            forcing.set()
            assert forked.wait(60)
            real(fd)

        def look() -> None:
            # A copy would hold the parent's lock beyond its death.
            for fd in range(3, 256):
                with contextlib.suppress(OSError):
                    assert not os.path.samestat(os.fstat(fd), file)

        monkeypatch.setattr(os, "fsync", fsync)
        syncing = threading.Thread(target=target.sync)
        syncing.start()
        assert forcing.wait(60)
        left_alone = child_does(look, while_held=contextlib.nullcontext())
        forked.set()
        syncing.join()
        assert left_alone

    def test_leaves_the_child_each_file_but_those_of_the_journal(self, tmp_path: Path) -> None:
        target = Journal(tmp_path, API, max_bytes=300)
        append(target, api_row())
        target.sync()
        # It gets the number of the copy that was forced to the disk.
        others = [os.open(os.devnull, os.O_RDONLY) for _ in range(20)]
        append(target, api_row())

        def work() -> None:
            for fd in others:
                os.fstat(fd)
            append(target, api_row())
            target.sync()
            target.close()
            assert target.sync_errors == 0
            for fd in others:
                os.fstat(fd)

        assert child_does(work, while_held=contextlib.nullcontext())
        for fd in others:
            os.close(fd)


@forks
def test_parent_and_forked_child_append_side_by_side(tmp_path: Path) -> None:
    target = Journal(tmp_path, API, max_bytes=20_000)
    append(target, api_row())
    busy = threading.Thread(target=lambda: [append(target, api_row()) for _ in range(200)])
    busy.start()
    if (child := os.fork()) == 0:
        for _ in range(200):
            append(target, api_row("child"))
        os._exit(0)
    busy.join()
    assert os.waitpid(child, 0)[1] == 0

    rows, bad = read_all(tmp_path)

    assert not bad
    assert sum('"child"' in str(row[7]) for row in rows) == 200
    assert len({row[0] for row in rows}) == len(rows) == 401
