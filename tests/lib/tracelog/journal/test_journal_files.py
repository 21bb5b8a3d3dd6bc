"""Files are begun with their header and sealed when they are full or old."""

import errno
import os
import time
from pathlib import Path

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.ids import first_at
from app.lib.tracelog.journal import locks
from app.lib.tracelog.journal.journal import IdTaken, Journal
from tests.lib.tracelog.rows import API, api_row, append, read_all


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


def test_a_file_is_begun_where_it_cannot_be_told_what_a_kill_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", fail)
        row = append(Journal(tmp_path, API), api_row())

    assert read_all(tmp_path) == ([row], [])


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
