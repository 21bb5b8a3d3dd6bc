"""Rows that are written together have one append, and lose nothing that one alone would not."""

import errno
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.journal import locks
from app.lib.tracelog.journal.journal import Fsync, IdTaken, Journal
from app.lib.tracelog.journal.tally import Counts, Tally
from app.lib.tracelog.recorder import Recorder
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.schema import API_LOGS, Row
from app.lib.tracelog.store.store import id_of
from tests.lib.tracelog.rows import API, api_row, read_all, rows_of_appends
from tests.support.processes import open_descriptors, wait_until


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path, Redactor(), fsync="no")
    yield recorder
    recorder.close()


def made(text: str = "a", *, fails: bool = False) -> Callable[[int], bytes]:
    def make_line(row_id: int) -> bytes:
        if fails:
            raise ValueError(text)
        return codec.encode(API, (row_id, *api_row(text)[1:]))

    return make_line


def text_of(row: Row) -> str:
    return str(json.loads(str(row[API.column_names.index("response_body")]))["text"])


def texts(folder: Path) -> list[str]:
    rows, bad = read_all(folder)
    assert not bad
    ids = [id_of(row) for row in rows]
    assert ids == sorted(set(ids))
    return [text_of(row) for row in rows]


@pytest.fixture
def appends(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    return rows_of_appends(monkeypatch)


def test_rows_are_appended_at_once_in_their_order(
    recorder: Recorder, appends: list[int], tmp_path: Path
) -> None:
    recorder.write_lines(API_LOGS, [made(text) for text in "abcd"])

    assert texts(tmp_path) == ["a", "b", "c", "d"]
    assert appends == [4]
    assert recorder.tally.totals() == Counts(appended=4)

    recorder.write_lines(API_LOGS, [made(text) for text in "ef"])
    assert [path.name for path in tmp_path.glob("*.csv")] == ["api_logs.csv"]


def test_large_rows_keep_others_from_the_file_for_a_short_time_only(
    recorder: Recorder, appends: list[int], tmp_path: Path
) -> None:
    recorder.write_lines(API_LOGS, [made(f"{n}{'x' * 100_000}") for n in range(5)])

    assert [text[0] for text in texts(tmp_path)] == ["0", "1", "2", "3", "4"]
    assert appends == [2, 2, 1]


def test_a_row_that_is_larger_than_what_is_written_at_once_is_written_alone(
    recorder: Recorder, appends: list[int], tmp_path: Path
) -> None:
    recorder.write_lines(API_LOGS, [made("x" * 300_000), made("y")])

    assert [text[0] for text in texts(tmp_path)] == ["x", "y"]
    assert appends == [1, 1]
    assert recorder.tally.totals() == Counts(appended=2)


def test_a_row_that_cannot_be_made_is_counted_and_the_others_are_written(
    recorder: Recorder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.write_lines(API_LOGS, [made("a"), made("no line", fails=True), made("c")])

    assert texts(tmp_path) == ["a", "c"]
    assert recorder.tally.totals() == Counts(appended=2, dropped=1)
    assert "no line" in caplog.text


def test_rows_of_which_none_can_be_made_are_counted(recorder: Recorder) -> None:
    recorder.write_lines(API_LOGS, [made(fails=True), made(fails=True)])

    assert recorder.tally.totals() == Counts(dropped=2)


def test_of_rows_that_do_not_fit_together_those_are_written_that_fit_alone(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.write_lines(API_LOGS, [made("first")])
    real, real_truncate, room = os.write, os.ftruncate, 3_000

    def write(fd: int, data: bytes) -> int:
        nonlocal room
        if room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(fd, data[:room])
        room -= written
        return written

    def truncate(fd: int, size: int) -> None:
        nonlocal room
        room += os.fstat(fd).st_size - size
        real_truncate(fd, size)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        patch.setattr(os, "ftruncate", truncate)
        recorder.write_lines(API_LOGS, [made("b"), made("c" * 5_000), made("d")])

    assert texts(tmp_path) == ["first", "b", "d"]
    assert recorder.tally.totals() == Counts(appended=3, dropped=1)


@pytest.mark.parametrize("begun", [0, 10])
def test_rows_that_stay_on_a_full_disk_are_counted_as_there_and_not_written_again(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: int
) -> None:
    lines = [made("a"), made("b"), made("c")]
    size = len(made("a")(10**18))
    recorder.write_lines(API_LOGS, [made("first")])
    real, calls = os.write, iter([True])

    def write(fd: int, data: bytes) -> int:
        if next(calls, False):
            return real(fd, data[: 2 * size + begun])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        # Without the lock nothing is taken back.
        patch.setattr(locks, "try_lock_if_any", lambda fd: None)
        recorder.write_lines(API_LOGS, lines)
    recorder.write_lines(API_LOGS, [made("last")])

    rows, bad = read_all(tmp_path)
    assert [text_of(row) for row in rows] == ["first", "a", "b", "last"]
    assert [len(span.raw) for span in bad] == ([begun] if begun else [])
    assert recorder.tally.totals() == Counts(appended=4, dropped=1)


def test_where_the_first_id_is_taken_each_row_is_written_with_another(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = Journal.append, iter([True, True])

    def append(journal: Journal, lines: bytes, row_id: int) -> None:
        if next(refused, False):
            raise IdTaken(errno.EEXIST, "another file begins with this id")
        real(journal, lines, row_id)

    monkeypatch.setattr(Journal, "append", append)
    recorder.write_lines(API_LOGS, [made("a"), made("b")])

    assert texts(tmp_path) == ["a", "b"]
    assert recorder.tally.totals() == Counts(appended=2)


def test_rows_of_a_table_that_is_none_are_counted_as_lost(recorder: Recorder) -> None:
    recorder.write_lines("nowhere", [made("a"), made("b")])

    assert recorder.tally.totals() == Counts(dropped=2)


def syncing() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name == "tracelog-sync"}


def test_a_loss_without_words_is_told_by_its_kind(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    class Strange(dict[str, object]):
        def items(self) -> NoReturn:
            raise KeyError

    recorder.write(API_LOGS, Strange)

    assert caplog.messages == ["The trace log lost a row (1 so far in this process): KeyError"]


def test_a_row_for_what_cannot_be_a_name_is_a_loss_that_is_told(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.write([API_LOGS], dict)  # type: ignore[arg-type]

    [told] = caplog.messages
    assert told.startswith("The trace log lost a row (1 so far in this process): ")
    assert "unhashable" in told


def test_losses_are_told_at_once_and_then_each_minute_with_their_number(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [1_000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    for seconds in (0, 1, 58, 1, 1, 59):
        now[0] += seconds
        recorder.write_lines("nowhere", [made("a")])

    told = "The trace log lost a row (%s so far in this process): unknown table 'nowhere'"
    assert caplog.messages == [told % 1, told % 4, told % 6]


def test_losses_that_nobody_was_told_of_yet_are_told_at_the_end(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.write_lines("nowhere", [made(str(number)) for number in range(5)])
    caplog.clear()

    recorder.close()
    recorder.close()

    assert caplog.messages == ["The trace log lost 4 rows more (5 in this process)."]


def test_a_forked_process_does_not_tell_what_its_parent_has_lost(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.write_lines("nowhere", [made(str(number)) for number in range(5)])
    caplog.clear()

    recorder.renew_after_fork()
    recorder.close()

    assert not caplog.messages


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are not told there")
def test_a_recorder_that_is_closed_lets_go_of_all_until_the_next_row(tmp_path: Path) -> None:
    others, before = syncing(), open_descriptors()
    recorder = Recorder(tmp_path, Redactor())
    for text in ("a", "b"):
        for number in range(3):
            recorder.write_lines(API_LOGS, [made(f"{text}{number}")])
        assert len(syncing() - others) == 1
        recorder.close()
        assert open_descriptors() == before
        wait_until(lambda: not syncing() - others, what="the end of the thread")

    assert texts(tmp_path) == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert Tally(tmp_path).totals() == Counts(appended=6)


@pytest.mark.parametrize("fsync", ["no", "always"])
def test_rows_that_nobody_has_to_force_to_the_disk_later_need_no_thread(
    tmp_path: Path, fsync: Fsync
) -> None:
    others = syncing()
    recorder = Recorder(tmp_path, Redactor(), fsync=fsync)
    recorder.write_lines(API_LOGS, [made("a")])

    assert not syncing() - others
    recorder.close()


def test_counts_that_somebody_has_removed_are_there_again_within_a_second(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, Redactor())
    recorder.write_lines(API_LOGS, [made("a")])
    [path] = (tmp_path / ".tally").iterdir()
    path.unlink()

    wait_until(lambda: Tally(tmp_path).totals() == Counts(appended=1), what="the counts")
    assert path.exists()
    recorder.close()
