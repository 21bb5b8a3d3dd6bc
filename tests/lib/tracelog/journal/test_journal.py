"""Appended rows are in the file, whole, whatever happens to writers, files and disks."""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pkgutil import resolve_name

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.ids import first_at
from app.lib.tracelog.journal import locks
from app.lib.tracelog.journal.journal import Fsync, IdTaken, Journal, PartlyAppended
from app.lib.tracelog.schema import Row
from tests.lib.tracelog.forks import child_does, forks
from tests.lib.tracelog.rows import API, api_row, read_all
from tests.support.processes import open_descriptors

WRITER = """
import sys
from pathlib import Path
from app.lib.tracelog import codec
from app.lib.tracelog.journal.journal import Journal
from tests.lib.tracelog.rows import API, api_row
log_dir, count, size, max_bytes = Path(sys.argv[1]), *map(int, sys.argv[2:])
journal = Journal(log_dir, API, max_bytes=max_bytes)
for number in range(count):
    row = api_row("x" * size)
    journal.append(codec.encode(API, row), row[0])
    print(row[0], flush=True)
"""


def append(target: Journal, row: Row) -> Row:
    assert isinstance(row[0], int)
    target.append(codec.encode(API, row), row[0])
    return row


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


def test_a_file_system_without_locks_takes_rows_without_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "try_lock", refuse)
    target = Journal(tmp_path, API)
    rows = [append(target, api_row()) for _ in range(3)]

    assert read_all(tmp_path) == (rows, [])
    assert target.lock_timeouts == 0


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


def test_a_lock_that_cannot_be_let_go_of_costs_no_row_and_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    target, other = Journal(tmp_path, API), Journal(tmp_path, API)
    with monkeypatch.context() as patch:
        patch.setattr(locks, "unlock", fail)
        rows = [append(target, api_row())]
    rows += [append(other, api_row()), append(target, api_row())]

    assert read_all(tmp_path) == (rows, [])
    assert other.lock_timeouts == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such pipes")
@pytest.mark.parametrize("what", ["pipe", "device"])
def test_what_is_no_file_takes_no_rows_and_is_not_waited_for(tmp_path: Path, what: str) -> None:
    path = tmp_path / "api_logs.csv"
    if what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(os.devnull)
    target = Journal(tmp_path, API)
    open_before = open_descriptors()

    with pytest.raises(OSError, match="no file"):
        append(target, api_row())
    assert open_descriptors() == open_before
    path.unlink()

    row = append(target, api_row())
    assert read_all(tmp_path) == ([row], [])


@pytest.mark.parametrize("at", ["header", "row"])
def test_two_that_begin_a_file_at_once_and_get_no_lock_write_one_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    monkeypatch.setattr(locks, "try_lock", lambda _: False)
    slow, quick = Journal(tmp_path, API), Journal(tmp_path, API)
    write, rows = os.write, []

    def overtaken(fd: int, data: bytes) -> int:
        if at == "header" or data != codec.header(API):
            monkeypatch.setattr(os, "write", write)
            rows.append(append(quick, api_row("quick")))
        return write(fd, data)

    monkeypatch.setattr(os, "write", overtaken)
    rows.append(append(slow, api_row("slow")))

    lines = slow.path.read_bytes().splitlines(keepends=True)
    assert lines == [codec.header(API), *(codec.encode(API, row) for row in rows)]
    assert [path.name for path in tmp_path.iterdir()] == [slow.path.name]


THEIRS = b"trace_id,method,endpoint,created_at\nt,GET,/,2026-11-23 09:00:00.000\n"


@pytest.mark.parametrize("content", [THEIRS, THEIRS * 2_000, THEIRS.splitlines()[0]])
def test_another_programs_file_is_set_aside_as_it_is(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "api_logs.csv"
    path.write_bytes(content)
    assert read_all(tmp_path) == ([], [])

    rows = [append(Journal(tmp_path, API), api_row()) for _ in range(2)]

    [other] = tmp_path.glob("api_logs.other-*.csv")
    assert other.read_bytes() == content
    assert caplog.text.count(f"It is {other.name} from now on") == 1
    assert path.read_bytes().startswith(codec.header(API))
    assert read_all(tmp_path) == (rows, [])


def test_a_copy_of_a_sealed_file_that_cannot_be_set_aside_takes_rows_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Journal(tmp_path, API, max_bytes=300)
    first = append(target, api_row("first"))
    backup = (tmp_path / "api_logs.csv").read_bytes()
    append(target, api_row("going"))
    (tmp_path / "api_logs.csv").write_bytes(backup)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        meanwhile = append(Journal(tmp_path, API), api_row("meanwhile"))
    rest = [append(target, api_row()) for _ in range(2)]

    assert read_all(tmp_path) == ([first, first, meanwhile, *rest], [])


@pytest.mark.parametrize("content", [THEIRS, THEIRS * 2_000])
@pytest.mark.skipif(sys.platform == "win32", reason="locks there are mandatory")
def test_a_row_that_would_go_away_with_another_programs_file_is_refused(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "api_logs.csv"
    path.write_bytes(content)
    holder = os.open(path, os.O_RDWR)
    assert locks.try_lock(holder)
    target = Journal(tmp_path, API)

    with pytest.raises(OSError, match="another program's"):
        append(target, api_row())
    assert path.read_bytes() == content
    os.close(holder)

    row = append(target, api_row())
    assert read_all(tmp_path) == ([row], [])


@pytest.mark.parametrize(
    "content", [b"", b"id,trace", b"\xef\xbb\xbfid,trace_id", b"\0" * 70 + b"\n"]
)
def test_a_file_that_was_ours_and_is_damaged_stays(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "api_logs.csv").write_bytes(content)

    row = append(Journal(tmp_path, API), api_row())

    assert read_all(tmp_path)[0] == [row]
    assert [path.name for path in tmp_path.iterdir()] == ["api_logs.csv"]


@pytest.mark.parametrize("going", ["a", "a row that is longer than the one in the copy" * 9])
def test_rows_are_not_appended_to_a_copy_of_a_sealed_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, going: str
) -> None:
    first = append(Journal(tmp_path, API), api_row("first"))
    backup = (tmp_path / "api_logs.csv").read_bytes()
    target = Journal(tmp_path, API, max_bytes=300)
    append(target, api_row(going))
    (tmp_path / "api_logs.csv").write_bytes(backup)

    new = [append(target, api_row(f"new {n}")) for n in range(3)]

    assert read_all(tmp_path) == ([first, first, *new], [])
    assert "was a copy of a sealed file" in caplog.text


def test_what_a_kill_left_while_a_file_was_begun_is_never_written_to_and_goes(
    tmp_path: Path,
) -> None:
    rows = [append(Journal(tmp_path, API), api_row())]
    left = tmp_path / ".api_logs.0123456789abcdef.new"
    os.link(tmp_path / "api_logs.csv", left)
    now = [time.time()]
    target = Journal(tmp_path, API, max_bytes=300, clock=lambda: now[0])
    rows.append(append(target, api_row()))
    assert left.exists()
    now[0] += 3600

    rows.append(append(target, api_row()))

    assert not left.exists()
    assert read_all(tmp_path) == (rows, [])


def test_where_files_cannot_be_linked_the_header_comes_with_the_first_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    target = Journal(tmp_path, API)
    row = append(target, api_row())

    assert target.path.read_bytes() == codec.header(API) + codec.encode(API, row)
    if os.name == "posix":
        assert target.path.stat().st_mode & 0o077 == 0


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


def test_a_full_file_is_sealed_under_its_first_id_and_never_changes(tmp_path: Path) -> None:
    target = Journal(tmp_path, API, max_bytes=1_500)
    rows = [append(target, api_row(str(n))) for n in range(20)]

    sealed = sorted(tmp_path.glob("api_logs.*.csv"))
    before = {path: path.read_bytes() for path in sealed}
    rows += [append(target, api_row(str(n))) for n in range(20)]

    assert len(sealed) >= 2
    assert all(path.read_bytes() == content for path, content in before.items())
    assert all(path.stat().st_size <= 1_500 for path in tmp_path.glob("*.csv"))
    assert read_all(tmp_path) == (rows, [])


def test_a_torn_row_at_the_end_of_a_full_file_is_closed_before_it_is_sealed(tmp_path: Path) -> None:
    target = Journal(tmp_path, API, max_bytes=300)
    first = append(target, api_row())
    with target.path.open("ab") as file:
        file.write(codec.encode(API, api_row("torn"))[:80])

    second = append(target, api_row())

    assert (tmp_path / f"api_logs.{first[0]}.csv").read_bytes().endswith(b"\n")
    assert read_all(tmp_path)[0] == [first, second]


def test_no_two_files_begin_with_the_same_id(tmp_path: Path) -> None:
    target = Journal(tmp_path, API, max_bytes=300)
    first, second = api_row("one"), api_row("two")
    append(target, first)
    append(target, second)
    target.path.unlink()

    with pytest.raises(IdTaken):
        append(target, api_row("three", row_id=int(str(first[0]))))

    third = append(target, api_row("three"))
    assert read_all(tmp_path) == ([first, third], [])


def test_an_old_file_is_sealed_by_the_next_row(tmp_path: Path) -> None:
    now = [1_795_000_000.0]
    target = Journal(tmp_path, API, max_age=60.0, clock=lambda: now[0])
    rows = [append(target, api_row(row_id=first_at(1_795_000_000.0 + age))) for age in (0, 59)]
    now[0] += 61

    rows.append(append(target, api_row(row_id=first_at(now[0]))))

    assert [path.name for path in tmp_path.glob("*.*.csv")] == [f"api_logs.{rows[0][0]}.csv"]
    assert read_all(tmp_path) == (rows, [])


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


def short_then_full(real: Callable[[int, bytes], int], taken: int) -> Callable[[int, bytes], int]:
    calls = iter([True])

    def write(fd: int, data: bytes) -> int:
        if next(calls, False):
            return real(fd, data[:taken])
        raise OSError(errno.ENOSPC, "No space left on device")

    return write


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


def test_a_file_that_is_another_whenever_it_is_looked_at_costs_the_row_and_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Journal, "_size_if_current", lambda _: None)

    with pytest.raises(OSError, match="faster than it can be opened"):
        append(Journal(tmp_path, API), api_row())


@pytest.mark.skipif(sys.platform == "win32", reason="locks there are mandatory")
def test_a_full_file_is_sealed_by_whoever_has_the_lock(tmp_path: Path) -> None:
    target = Journal(tmp_path, API, max_bytes=300)
    rows = [append(target, api_row())]
    holder = os.open(target.path, os.O_RDWR)
    assert locks.try_lock(holder)

    rows += [append(target, api_row()) for _ in range(3)]
    assert [path.name for path in tmp_path.iterdir()] == [target.path.name]
    os.close(holder)
    rows.append(append(target, api_row()))

    assert len(list(tmp_path.iterdir())) == 2
    assert read_all(tmp_path) == (rows, [])


@pytest.mark.skipif(sys.platform == "win32", reason="locks there are mandatory")
def test_a_stopped_lock_holder_delays_a_row_briefly_and_loses_nothing(tmp_path: Path) -> None:
    target = Journal(tmp_path, API)
    rows = [append(target, api_row())]
    holder = os.open(target.path, os.O_RDWR)
    assert locks.try_lock(holder)

    rows += [append(target, api_row()) for _ in range(50)]
    os.close(holder)
    rows.append(append(target, api_row()))

    assert target.lock_timeouts == 1
    assert read_all(tmp_path) == (rows, [])


def test_a_row_that_meets_another_writer_in_the_middle_of_its_own_does_not_sleep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Journal(tmp_path, API)
    rows = [append(target, api_row())]
    other = os.open(target.path, os.O_RDWR)
    assert locks.try_lock(other)
    monkeypatch.setattr(locks, "let_others_run", lambda: locks.unlock(other))
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it slept"))

    rows.append(append(target, api_row()))
    assert locks.try_lock(other)
    os.close(other)

    assert target.lock_timeouts == 0
    assert read_all(tmp_path) == (rows, [])


def test_a_row_that_sleeps_until_another_writer_is_done_has_the_lock_and_gives_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Journal(tmp_path, API, max_bytes=300)
    rows = [append(target, api_row())]
    other = os.open(target.path, os.O_RDWR)
    assert locks.try_lock(other)
    monkeypatch.setattr("app.lib.tracelog.journal.journal.LOCK_SECONDS", 60.0)
    monkeypatch.setattr("time.sleep", lambda _: locks.unlock(other))

    rows.append(append(target, api_row()))
    assert locks.try_lock(other)
    os.close(other)

    assert target.lock_timeouts == 0
    # Which only its holder may do.
    assert (tmp_path / f"api_logs.{rows[0][0]}.csv").exists()
    assert read_all(tmp_path) == (rows, [])


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


def test_without_a_free_descriptor_a_full_file_grows_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_is_free(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    target = Journal(tmp_path, API, max_bytes=300)
    rows = [append(target, api_row())]
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", none_is_free)
        patch.setattr(Path, "open", none_is_free)
        rows += [append(target, api_row()) for _ in range(3)]
    rows.append(append(target, api_row()))

    assert read_all(tmp_path) == (rows, [])
    assert len(list(tmp_path.glob("*.csv"))) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are not told there")
@pytest.mark.parametrize("fsync", ["everysec", "always", "no"])
def test_no_file_descriptor_is_left_behind(tmp_path: Path, fsync: Fsync) -> None:
    before = open_descriptors()
    target = Journal(tmp_path, API, max_bytes=1_000, fsync=fsync)
    for number in range(50):
        append(target, api_row(str(number)))
    target.close()

    assert open_descriptors() == before


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


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
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
