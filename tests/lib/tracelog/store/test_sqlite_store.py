"""The store in a file: other processes, and a file that is taken away."""

import contextlib
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from app.lib.tracelog.schema import API_LOGS, Row, Table
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import (
    Batch,
    Inserted,
    QueryFailed,
    RowRejected,
    StoreError,
    StoreRefused,
    StoreSchemaMissing,
    StoreUnavailable,
)
from tests.lib.tracelog.forks import forks
from tests.lib.tracelog.rows import ROW_ID, api_row, count
from tests.support.disk import SmallDisk
from tests.support.parts import needs


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "logs" / "trace.db")
    store.migrate()
    yield store
    store.close()


def batch(text: str = "hello") -> Batch:
    return Batch({API_LOGS: [api_row(text)]})


def test_a_folder_that_was_removed_is_told_and_migrating_makes_it_again(
    store: SQLiteStore, tmp_path: Path
) -> None:
    store.insert(batch())
    assert count(store) == 1
    shutil.rmtree(tmp_path / "logs")

    with pytest.raises(StoreSchemaMissing):
        store.insert(batch())
    with pytest.raises(StoreSchemaMissing):
        count(store)
    store.migrate()
    store.insert(batch())

    assert count(store) == 1


def test_a_folder_that_may_only_be_read_can_be_asked_all_the_same(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path / "disk", "4m")
    needs("a small tmpfs", there=disk.is_there, mend="only root may mount one, on Linux")
    store = SQLiteStore(disk.folder / "trace.db")
    try:
        store.migrate()
        store.insert(batch())
        store.close()
        disk.protect()

        assert count(store) == 1
        with pytest.raises(StoreError):
            store.insert(batch())
        assert count(store) == 1
    finally:
        store.close()
        disk.remove()


def test_another_program_that_holds_the_lock_too_long_is_told(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lib.tracelog.store.sqlite_store.BUSY_SECONDS", 0.1)
    with contextlib.closing(sqlite3.connect(store.name, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = SQLiteStore(Path(store.name))
        with pytest.raises(StoreUnavailable, match="locked"):
            waiting.insert(batch())
        other.execute("ROLLBACK")
    other.close()

    assert waiting.insert(batch()) == Inserted(written=1)
    waiting.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="/proc tells the descriptors")
def test_descriptors_that_fail_for_good_cost_one_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SQLite takes it for a lock at first, which it waits for.
    monkeypatch.setattr("app.lib.tracelog.store.sqlite_store.BUSY_SECONDS", 0.1)
    store = SQLiteStore(tmp_path / "trace.db")
    store.migrate()
    store.insert(batch())
    # So they do on a server of files that was away and came back.
    useless = os.open(tmp_path, os.O_RDONLY)
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if "trace.db" in fd.readlink().name:
                os.dup2(useless, int(fd.name))
    os.close(useless)

    with pytest.raises(StoreError):
        store.insert(batch())

    store.insert(batch())
    assert count(store) == 2
    store.close()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "trace.db"
    path.write_bytes(b"something else, which is long enough to be looked at" * 100)
    store = SQLiteStore(path)

    with pytest.raises(StoreRefused, match="not a database"):
        store.migrate()
    store.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT length(hex(zeroblob(9000000)))",
        "WITH n(i) AS (VALUES (1), (2), (3)) SELECT hex(zeroblob(3000000)) FROM n",
    ],
)
def test_an_answer_that_would_fill_the_memory_is_refused(store: SQLiteStore, sql: str) -> None:
    with pytest.raises(QueryFailed, match=r"too big|Too much to show"):
        store.query(sql)
    assert count(store) == 0


def test_a_question_that_takes_too_long_says_so(store: SQLiteStore) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n"

    with pytest.raises(QueryFailed, match=r"longer than 0\.1 s"):
        store.query(endless, timeout=0.1)
    assert count(store) == 0


def test_several_stores_write_to_one_file(store: SQLiteStore) -> None:
    stores = [SQLiteStore(Path(store.name)) for _ in range(4)]

    def write(each: SQLiteStore) -> None:
        for _ in range(25):
            each.insert(batch())
        each.close()

    threads = [threading.Thread(target=write, args=(each,)) for each in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert count(store) == 100


@forks
def test_a_forked_child_opens_the_file_anew(store: SQLiteStore) -> None:
    store.insert(batch())
    child = os.fork()
    if child == 0:
        written = store.insert(batch("child")).written
        os._exit(0 if written == 1 and count(store) == 2 else 1)

    assert os.waitpid(child, 0)[1] == 0
    store.insert(batch())
    assert count(store) == 3


def test_once_it_is_closed_a_copy_of_the_file_alone_has_all_rows(
    store: SQLiteStore, tmp_path: Path
) -> None:
    store.insert(batch())
    assert count(store) == 1

    store.close()

    shutil.copy(tmp_path / "logs" / "trace.db", tmp_path / "copy.db")
    copy = SQLiteStore(tmp_path / "copy.db")
    assert count(copy) == 1
    copy.close()


def test_the_file_is_for_its_owner_only(store: SQLiteStore) -> None:
    if os.name == "posix":
        assert Path(store.name).stat().st_mode & 0o077 == 0


class Rivalry(SQLiteStore):
    """Somebody else writes what `rival` gives between our looking and our writing."""

    def __init__(self, path: Path, rival: Callable[[Row], Row], times: int) -> None:
        super().__init__(path)
        self._rival, self._times = rival, times

    def same(self, table: Table, rows: Sequence[Row]) -> dict[int, bool]:
        answers = super().same(table, rows)
        if self._times and (new := [row for row in rows if row[0] not in answers]):
            self._times -= 1
            self.write({table.name: [self._rival(row) for row in new]}, [])
        return answers


def test_a_row_that_somebody_else_delivers_at_the_same_moment_is_known(store: SQLiteStore) -> None:
    rows = [api_row("known"), api_row("new")]
    store.insert(Batch({API_LOGS: rows[:1]}))
    ours = Rivalry(Path(store.name), lambda row: row, 1)

    assert ours.insert(Batch({API_LOGS: rows})) == Inserted(known=2)
    assert count(ours) == 2
    ours.close()


def test_a_store_in_which_others_take_every_id_is_tried_again_later(store: SQLiteStore) -> None:
    rows = [api_row("known"), api_row("new")]
    store.insert(Batch({API_LOGS: rows[:1]}))
    ours = Rivalry(Path(store.name), lambda row: (*row[:7], '"another"', *row[8:]), 1000)

    with pytest.raises(StoreUnavailable, match="keep taking"):
        ours.insert(Batch({API_LOGS: rows}))
    ours.close()


def test_only_a_row_behind_too_many_others_of_its_id_is_rejected(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lib.tracelog.store.insertion._MOST_STEPS", 3)
    for n in range(3):
        assert store.insert(Batch({API_LOGS: [api_row(str(n), row_id=ROW_ID)]})).written == 1

    with pytest.raises(RowRejected, match=str(ROW_ID)):
        store.insert(Batch({API_LOGS: [api_row("late", row_id=ROW_ID)]}))
    assert count(store) == 3


def test_a_store_that_was_closed_opens_its_file_again(store: SQLiteStore) -> None:
    store.insert(batch())
    store.close()
    store.insert(batch())

    assert count(store) == 2


def test_who_reads_the_file_for_long_holds_up_no_writer(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lib.tracelog.store.sqlite_store.BUSY_SECONDS", 0.1)
    store.insert(batch())
    with contextlib.closing(sqlite3.connect(store.name, isolation_level=None)) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM api_logs").fetchone() == (1,)

        assert store.insert(batch()) == Inserted(written=1)
    assert count(store) == 2


def test_a_disk_that_is_full_is_waited_for(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path / "disk", "2m")
    needs("a small tmpfs", there=disk.is_there, mend="only root may mount one, on Linux")
    store = SQLiteStore(disk.folder / "trace.db")
    try:
        store.migrate()
        store.insert(batch())
        disk.fill()

        with pytest.raises(StoreUnavailable, match="full"):
            store.insert(batch("x" * 500_000))
        disk.free()

        assert store.insert(batch("x" * 500_000)) == Inserted(written=1)
        assert count(store) == 2
    finally:
        store.close()
        disk.remove()


@pytest.mark.parametrize("args", [(), (1, 2), (2**63,), ("\ud800",)])
def test_a_question_whose_arguments_do_not_fit_has_failed(
    store: SQLiteStore, args: tuple[int | str, ...]
) -> None:
    with pytest.raises(QueryFailed):
        store.query("SELECT ?", args)
    assert count(store) == 0


def test_a_place_where_no_file_can_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = SQLiteStore(tmp_path / "file" / "trace.db")

    with pytest.raises(StoreUnavailable, match="file"):
        store.migrate()
    with pytest.raises(StoreUnavailable, match="Not a directory" if os.name == "posix" else ""):
        store.insert(batch())
