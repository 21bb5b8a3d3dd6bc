"""Every way in which a journal and its store can differ is found and called by its name."""

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog import codec
from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.shipper.quarantine import Quarantine
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, StoreSchemaMissing
from app.lib.tracelog.store.turso_store import TursoStore
from app.lib.tracelog.transfer import verify as verification
from app.lib.tracelog.transfer.verify import EXAMPLES, Difference, Verification, verify
from commands.kit.environment import ROOT
from tests.lib.tracelog.picky_store import PickyStore
from tests.lib.tracelog.rows import API, api_row, api_rows
from tests.lib.tracelog.transfer.delivered import Log, OpenStore
from tests.lib.tracelog.writer import WRITER
from tests.support.turso import TursoServer


@pytest.fixture(params=["sqlite", "sqld"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    if request.param == "sqlite":
        return lambda: SQLiteStore(tmp_path / "trace.db")
    server: TursoServer = request.getfixturevalue("sqld")
    return lambda: TursoStore(server.url, server.token)


@pytest.fixture
def log(tmp_path: Path, open_store: OpenStore) -> Iterator[Log]:
    log = Log(tmp_path, open_store)
    yield log
    log.journal.close()
    log.store.close()


def test_what_was_delivered_is_the_same(log: Log) -> None:
    log.write(api_rows(300))
    log.deliver()
    log.write(api_rows(7))

    found = log.verify()

    assert found == Verification(same=300, pending=7)
    assert not found.differs(alone=True)
    assert len(list(log.folder.glob("api_logs.*.csv"))) > 3


def test_rows_that_the_store_lost_are_missing(log: Log) -> None:
    written = log.write(api_rows(200))
    log.deliver()
    lost = [written[0], *written[100:125], written[199]]
    for row in lost:
        log.change("DELETE FROM api_logs WHERE id = ?", row[0])

    found = log.verify()

    assert (found.same, found.missing) == (173, 27)
    assert [example.id for example in found.examples] == [row[0] for row in lost[:EXAMPLES]]
    assert found.differs(alone=False)


def test_rows_that_were_changed_are_different_and_say_where(log: Log) -> None:
    written = log.write(api_rows(50))
    log.deliver()
    changed = "UPDATE api_logs SET response_status = 500, response_body = NULL WHERE id = ?"
    log.change(changed, written[30][0])

    found = log.verify()

    assert (found.same, found.different) == (49, 1)
    [example] = found.examples
    assert (example.kind, example.id) == ("different", written[30][0])
    assert example.columns == ("response_status", "response_body")
    assert found.differs(alone=False)


@pytest.mark.parametrize("page", [5_000, 1])
def test_rows_that_only_the_store_has_are_extra(
    log: Log, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(verification, "_PAGE", page)
    written = log.write(api_rows(120))
    log.deliver()
    between = [(int(str(written[n][0])) + 1, *written[n][1:]) for n in (0, 60, 118)]
    outside = [(int(str(written[119][0])) + 1, *written[0][1:]), (1, *written[0][1:])]
    log.store.insert(Batch({API_LOGS: [*between, *outside]}))

    found = log.verify()

    assert (found.same, found.extra) == (120, 3)
    assert [example.id for example in found.examples] == [row[0] for row in between]
    assert found.differs(alone=True)
    assert not found.differs(alone=False)

    monkeypatch.setattr(verification, "_MOST_SUSPECTS", 1)
    assert log.verify().extra == 3


def test_rows_under_another_id_have_moved(log: Log) -> None:
    same_id = int(str(api_row()[0]))
    log.write([api_row(str(n), row_id=same_id) for n in range(4)])
    log.write(api_rows(10))
    log.deliver()

    found = log.verify()

    assert (found.same, found.moved, found.extra) == (11, 3, 0)
    assert not found.differs(alone=True)


def test_damage_that_was_seen_at_delivery_lies_in_quarantine(log: Log) -> None:
    log.write(api_rows(5))
    active = log.journal.path
    with active.open("ab") as file:
        file.write(b"\0" * 50 + b"\n" + codec.encode(API, api_row())[:90])
    log.write(api_rows(5))
    log.deliver()

    assert log.verify() == Verification(same=10, quarantined=2)


@pytest.mark.parametrize("line", [5, 20])
def test_damage_that_came_later_is_told(log: Log, line: int) -> None:
    written = log.write(api_rows(20))
    log.deliver()
    active = log.journal.path
    lines = active.read_bytes().split(b"\n")
    lines[line] = b"\xff" + lines[line][1:]
    active.write_bytes(b"\n".join(lines))

    found = log.verify()

    # What stands in its place in the store is extra where rows follow.
    assert (found.same, found.damaged, found.extra) == (19, 1, int(line < 20))
    offset = len(b"\n".join(lines[:line])) + 1
    first_id, damaged_id = (int(str(written[n][0])) for n in (0, line - 1))
    assert found.examples[0] == Difference("damaged", API_LOGS, first_id, offset)
    assert [example.id for example in found.examples[1:]] == [damaged_id][: found.extra]
    assert found.differs(alone=False)


def test_a_row_that_the_store_rejected_is_not_missing(tmp_path: Path) -> None:
    log = Log(tmp_path, lambda: PickyStore(tmp_path / "trace.db"))
    log.write([*api_rows(30), api_row("poison"), *api_rows(30)])
    log.deliver()

    assert log.verify() == Verification(same=60, quarantined=1)

    # Taken out as shipped it has to be in the store.
    quarantine = Quarantine(tmp_path)
    [entry] = quarantine.entries()
    plain = SQLiteStore(tmp_path / "trace.db")
    plain.insert(Batch({API_LOGS: [codec.decode(API, entry.raw)]}))
    plain.close()
    quarantine.take_out({entry.key: "shipped"})
    assert log.verify() == Verification(same=61)
    log.journal.close()
    log.store.close()


def test_a_row_far_from_its_neighbours_is_not_extra(local: Log) -> None:
    """A writer that was stopped between making its id and writing its row."""
    early = api_row("stopped")
    written = local.write(api_rows(400))
    local.write([early, *api_rows(100)])
    assert early[0] < written[0][0]  # type: ignore[operator]
    ahead = (int(str(written[200][0])) + 1, *api_row("another clock")[1:])
    local.write([ahead])
    local.deliver()

    assert local.verify() == Verification(same=502)


def test_rows_in_the_store_that_the_checkpoint_does_not_cover_are_pending(local: Log) -> None:
    written = local.write(api_rows(100))
    local.deliver()
    local.write(api_rows(50))
    first_id = int(str(written[0][0]))
    saved = Checkpoint.load(local.folder)
    local.deliver()
    saved.save()
    saved.save()
    assert saved.offset(API_LOGS, first_id)

    found = local.verify()

    assert found.same + found.pending == 150
    assert not found.differs(alone=True)


def test_both_tables_are_compared(local: Log) -> None:
    steps = TABLES[TASK_PROGRESS_LOGS]
    data = {"task_name": "T", "step_name": "S", "error_message": "line one\nline two"}
    row = make_row(steps, data, row_id=1_700_000_000_000_000_000, trace_id="t", now=0.0)
    journal = Journal(local.folder, steps, fsync="no")
    journal.append(codec.encode(steps, row), 1_700_000_000_000_000_000)
    journal.close()
    local.deliver()
    assert local.verify() == Verification(same=1)
    local.change("UPDATE task_progress_logs SET error_message = 'line one'")

    [example] = local.verify().examples
    assert (example.table, example.columns) == (TASK_PROGRESS_LOGS, ("error_message",))


def test_a_store_without_tables_is_said_so(local: Log) -> None:
    local.write(api_rows(3))
    local.deliver()
    for table in TABLES:
        local.change(f"DROP TABLE {table}")

    with pytest.raises(StoreSchemaMissing):
        local.verify()


def test_nothing_differs_while_processes_write_and_one_delivers(tmp_path: Path) -> None:
    logger = EnhancedCSVLogger(base_path=tmp_path)
    logger.start()
    found = []
    with ExitStack() as stack:
        stack.callback(logger.close, 0)
        command = [sys.executable, "-c", WRITER, str(tmp_path), "3000"]
        writers = [
            stack.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL))
            for _ in range(2)
        ]
        while any(writer.poll() is None for writer in writers):
            if (tmp_path / "trace.db").exists():
                found.append(verify(tmp_path, logger.store))
        assert logger.shipper.drain(60)
        found.append(verify(tmp_path, logger.store))

    assert not [each for each in found if each.differs(alone=True)]
    assert found[-1] == Verification(same=6000)


def test_what_it_remembers_does_not_grow_with_the_journal(local: Log) -> None:
    local.write([api_row("x" * 2_000) for _ in range(2_000)])
    local.deliver()
    assert sum(path.stat().st_size for path in local.folder.glob("*.csv")) > 4_000_000
    local.verify()

    tracemalloc.start()
    try:
        # A thread that an earlier test has left may remember something of its own for a while.
        assert any(_peak_of(local) < 2_000_000 for _ in range(3))
    finally:
        tracemalloc.stop()


def _peak_of(log: Log) -> int:
    tracemalloc.reset_peak()
    assert log.verify().same == 2_000
    return tracemalloc.get_traced_memory()[1]


def test_a_file_that_was_cut_after_its_delivery_is_compared_to_its_end(local: Log) -> None:
    local.write(api_rows(5))
    local.deliver()
    path = local.folder / "api_logs.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    os.truncate(path, len(b"".join(lines[:4])) + 30)

    found = local.verify()

    assert (found.same, found.missing, found.different, found.damaged) == (3, 0, 0, 0)


def test_what_was_not_delivered_at_all_is_pending_to_the_row(local: Log) -> None:
    local.write(api_rows(7))

    assert local.verify() == Verification(pending=7)


def test_the_watch_hears_of_all_that_was_delivered_and_of_no_more(local: Log) -> None:
    local.journal = Journal(local.folder, API, fsync="no")
    local.write(api_rows(530))
    local.deliver()
    delivered = sum(path.stat().st_size for path in local.folder.glob("api_logs*.csv"))
    local.write(api_rows(1))
    told: list[tuple[int, int]] = []

    verify(local.folder, local.store, lambda *found: told.append(found))

    assert sum(size for size, _ in told) == delivered
    assert [count for _, count in told] == [500, 30]


def test_damage_that_waits_for_its_delivery_is_not_told_yet(local: Log) -> None:
    local.write(api_rows(3))
    local.deliver()
    with (local.folder / "api_logs.csv").open("ab") as file:
        file.write(b"no row\n")

    assert local.verify() == Verification(same=3, pending=1)


def test_a_file_that_is_removed_meanwhile_is_passed_over(local: Log) -> None:
    local.write(api_rows(400))
    local.deliver()
    last = max(local.folder.glob("api_logs.*.csv"))

    def remove(_bytes: int, _rows: int) -> None:
        last.unlink(missing_ok=True)

    found = verify(local.folder, local.store, remove)

    assert 0 < found.same < 400
    assert not found.differs(alone=False)
