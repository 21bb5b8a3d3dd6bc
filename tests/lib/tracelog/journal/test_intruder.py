"""Where the file of a journal should be there is another: a pipe, a copy, another program's."""

import errno
import os
import sys
from pathlib import Path

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.journal import locks
from app.lib.tracelog.journal.journal import Journal
from tests.lib.tracelog.rows import API, api_row, append, read_all
from tests.support.processes import open_descriptors


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
    with pytest.raises(OSError, match="another program's"):
        target.append_apart(codec.encode(API, api_row()))
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
