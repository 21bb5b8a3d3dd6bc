"""Appended rows are in the file, whole, whatever happens to writers."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pkgutil import resolve_name

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.journal.journal import Fsync, Journal
from tests.lib.tracelog.rows import API, api_row, append, read_all
from tests.support.processes import open_descriptors

WRITER = """
import sys
from pathlib import Path
from app.lib.tracelog.journal.journal import Journal
from tests.lib.tracelog.rows import API, api_row, append
log_dir, count, size, max_bytes = Path(sys.argv[1]), *map(int, sys.argv[2:])
journal = Journal(log_dir, API, max_bytes=max_bytes)
for number in range(count):
    print(append(journal, api_row("x" * size))[0], flush=True)
"""


def start_writer(log_dir: Path, count: int, size: int, max_bytes: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(log_dir), str(count), str(size), str(max_bytes)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_rows_are_in_the_file_with_one_header_when_append_returns(tmp_path: Path) -> None:
    target = Journal(tmp_path / "new" / "logs", API)

    rows = [append(target, api_row(str(n))) for n in range(3)]

    lines = target.path.read_bytes().splitlines(keepends=True)
    assert lines == [codec.header(API), *(codec.encode(API, row) for row in rows)]


@pytest.mark.parametrize("place", ["os.write", "app.lib.tracelog.journal.locks.try_lock"])
def test_a_descriptor_that_a_server_of_files_no_longer_knows_costs_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    target = Journal(tmp_path, API)
    rows = [append(target, api_row())]
    stale, works = target._fd, resolve_name(place)

    def refuse(fd: int, *data: bytes) -> int:
        if fd == stale:
            raise OSError(errno.ESTALE, "Stale file handle")
        return int(works(fd, *data))

    with monkeypatch.context() as patch:
        patch.setattr(place, refuse)
        with pytest.raises(OSError, match="Stale"):
            append(target, api_row())
        held = os.open(os.devnull, os.O_RDONLY)  # its number
        rows.append(append(target, api_row()))
    os.close(held)

    assert read_all(tmp_path) == (rows, [])


def test_rows_of_which_the_system_takes_a_piece_at_a_time_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    target = Journal(tmp_path, API, max_bytes=300)

    rows = [append(target, api_row()) for _ in range(2)]
    apart = api_row()
    target.append_apart(codec.encode(API, apart))

    assert read_all(tmp_path) == ([*rows, apart], [])
    assert len(list(tmp_path.iterdir())) == 2
    assert all(path.read_bytes().startswith(codec.header(API)) for path in tmp_path.iterdir())


def test_a_second_process_goes_on_in_the_same_file(tmp_path: Path) -> None:
    first, second = Journal(tmp_path, API), Journal(tmp_path, API)

    rows = [append(target, api_row()) for target in (first, second, first, second)]

    assert read_all(tmp_path) == (rows, [])


def test_log_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    target = Journal(tmp_path, API)
    append(target, api_row())

    if os.name == "posix":
        assert target.path.stat().st_mode & 0o077 == 0


def test_the_torn_row_of_a_killed_writer_is_closed_before_the_next(tmp_path: Path) -> None:
    before, after = api_row("before"), api_row("after")
    target = Journal(tmp_path, API)
    append(target, before)
    with target.path.open("ab") as file:
        file.write(codec.encode(API, api_row("torn"))[:80])

    append(target, after)

    rows, bad = read_all(tmp_path)
    assert rows == [before, after]
    assert len(bad) == 1


def test_writers_in_several_threads_and_processes_lose_and_mix_nothing(tmp_path: Path) -> None:
    writers = [start_writer(tmp_path, 400, size, 60_000) for size in (30, 6_000)]
    target = Journal(tmp_path, API, max_bytes=60_000)
    with ThreadPoolExecutor(4) as pool:
        mine = list(pool.map(lambda n: append(target, api_row(str(n)))[0], range(400)))
    theirs = [int(line) for writer in writers for line in writer.communicate(timeout=60)[0].split()]

    rows, bad = read_all(tmp_path)

    assert not bad
    assert sorted(row[0] or 0 for row in rows) == sorted([*mine, *theirs])  # type: ignore[type-var]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("size", [300, 6_000, 100_000])
def test_a_killed_writer_loses_no_row_whose_append_returned(tmp_path: Path, size: int) -> None:
    victim = start_writer(tmp_path, 100_000, size, 2_000_000)
    neighbour = start_writer(tmp_path, 100, size, 2_000_000)
    assert victim.stdout
    returned = [int(victim.stdout.readline()) for _ in range(50)]
    victim.send_signal(signal.SIGKILL)
    returned += [int(line) for line in victim.communicate()[0].split("\n")[:-1]]
    returned += [int(line) for line in neighbour.communicate(timeout=60)[0].split()]
    append(Journal(tmp_path, API), api_row("afterwards"))

    rows, bad = read_all(tmp_path)

    ids = [row[0] for row in rows]
    assert set(returned) <= set(ids)
    assert len(ids) == len(set(ids)) <= len(returned) + 2
    assert len(bad) <= 1


def test_the_log_folder_may_vanish_while_running(tmp_path: Path) -> None:
    log_dir = tmp_path / "logs"
    target = Journal(log_dir, API)
    append(target, api_row())
    shutil.rmtree(log_dir)

    row = append(target, api_row())

    assert read_all(log_dir) == ([row], [])


def test_a_file_emptied_from_outside_gets_its_header_again(tmp_path: Path) -> None:
    target = Journal(tmp_path, API)
    append(target, api_row())
    os.truncate(target.path, 0)

    row = append(target, api_row())

    assert target.path.read_bytes() == codec.header(API) + codec.encode(API, row)


def test_a_file_that_is_another_whenever_it_is_looked_at_costs_the_row_and_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Journal, "_size_if_current", lambda _: None)

    with pytest.raises(OSError, match="faster than it can be opened"):
        append(Journal(tmp_path, API), api_row())


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are not told there")
@pytest.mark.parametrize("fsync", ["everysec", "always", "no"])
def test_no_file_descriptor_is_left_behind(tmp_path: Path, fsync: Fsync) -> None:
    before = open_descriptors()
    target = Journal(tmp_path, API, max_bytes=1_000, fsync=fsync)
    for number in range(50):
        append(target, api_row(str(number)))
    target.close()

    assert open_descriptors() == before
