"""Files of the log folder that are cut, damaged, sealed in a hurry, removed and replaced."""

import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.journal.tally import Tally
from app.lib.tracelog.schema import Row
from app.lib.tracelog.shipper.accounting import Accountant
from app.lib.tracelog.shipper.checkpoint import FILE_NAME, Checkpoint
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.upkeep.housekeeping import Housekeeper
from app.lib.tracelog.upkeep.retention import Rules
from tests.faults.ledger import account_of, numbers
from tests.faults.scene import Scene
from tests.lib.tracelog.rows import API, api_row, append
from tests.support.processes import wait_until

HEADER = codec.header(API)


class Folder:
    """A log folder that is delivered in this process, with rows given by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log_dir = path / "logs"
        self.store = SQLiteStore(path / "store.db")
        self.store.migrate()
        self.active = self.log_dir / "api_logs.csv"

    def start_over(self) -> None:
        """Forget all rows."""
        shutil.rmtree(self.log_dir, ignore_errors=True)
        self.log_dir.mkdir()
        self.store.close()
        for path in self.path.glob("store.db*"):
            path.unlink()
        shutil.copy(self.path / "empty.db", self.path / "store.db")

    def append(self, row: Row) -> None:
        """As a process does that has just been started."""
        journal = Journal(self.log_dir, API, fsync="no")
        append(journal, row)
        journal.close()

    def deliver(self) -> None:
        shipper = Shipper(self.log_dir, lambda: SQLiteStore(self.path / "store.db"))
        while shipper.run_once():
            pass
        shipper.stop()

    def stored(self) -> list[tuple[object, ...]]:
        columns = ", ".join(API.column_names)
        rows = self.store.query(f"SELECT {columns} FROM api_logs ORDER BY id").rows
        return [tuple(row) for row in rows]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    folder.store.close()
    shutil.copy(tmp_path / "store.db", tmp_path / "empty.db")
    yield folder
    folder.store.close()


# --- cuts and damage ------------------------------------------------------------------------

ROWS = [api_row("first"), api_row('second, "quoted"\n行'), api_row("third"), api_row("the last")]
LINES = [codec.encode(API, row) for row in ROWS]
FOUR = HEADER + b"".join(LINES)


@pytest.mark.parametrize("part", range(4))
def test_a_file_cut_at_every_byte_of_its_last_three_rows_and_written_on(
    folder: Folder, part: int
) -> None:
    """Whole rows arrive, and so does the next one; the torn one lies in quarantine."""
    after = api_row("after the crash")
    for cut in range(len(HEADER) + len(LINES[0]), len(FOUR))[part::4]:
        folder.start_over()
        folder.active.write_bytes(FOUR[:cut])
        folder.append(after)
        folder.deliver()

        whole, torn = FOUR[:cut].count(b"\n") - 1, not FOUR[:cut].endswith(b"\n")
        is_whole_but_its_end = torn and FOUR[cut : cut + 1] == b"\n"
        counters = Checkpoint.load(folder.log_dir).counters
        assert folder.stored() == [*ROWS[: whole + is_whole_but_its_end], after], cut
        assert counters.quarantined == (torn and not is_whole_but_its_end), cut
        assert counters.shipped == len(folder.stored())


@pytest.mark.parametrize("part", range(4))
def test_every_torn_beginning_of_a_row_glued_to_a_whole_one(folder: Folder, part: int) -> None:
    """As writers leave it that could not have the lock."""
    for cut in range(1, len(LINES[1]) - 1)[part::4]:
        folder.start_over()
        folder.active.write_bytes(HEADER + LINES[0] + LINES[1][:cut] + LINES[2] + LINES[3])
        folder.deliver()

        assert folder.stored() == [ROWS[0], ROWS[2], ROWS[3]], cut
        assert Checkpoint.load(folder.log_dir).counters.quarantined == 1, cut


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_costs_one_row_at_most(folder: Folder, seed: int) -> None:
    draw = random.Random(seed)
    data = bytearray(FOUR)
    place = draw.randrange(len(HEADER), len(FOUR))
    data[place] ^= 1 << draw.randrange(8)
    folder.start_over()
    folder.active.write_bytes(data)

    folder.deliver()

    # The bit may have made two rows out of one, one out of two, or another row.
    unhurt = [row for row in folder.stored() if row in ROWS]
    counters = Checkpoint.load(folder.log_dir).counters
    assert len(unhurt) >= (2 if data[place] == 0x0A or FOUR[place] == 0x0A else 3)
    assert 3 <= counters.shipped + counters.quarantined <= 5


@pytest.mark.parametrize("size", [1, 512, 4096])
def test_a_block_of_nul_bytes_in_the_middle_costs_the_row_it_hit(folder: Folder, size: int) -> None:
    """As a file system leaves it after a power cut."""
    folder.start_over()
    folder.active.write_bytes(
        HEADER + LINES[0] + LINES[1][:30] + b"\0" * size + LINES[1][40:] + LINES[2] + LINES[3]
    )

    folder.deliver()

    assert folder.stored() == [ROWS[0], ROWS[2], ROWS[3]]
    assert Checkpoint.load(folder.log_dir).counters.quarantined == 1


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("damage", ["cut short", "zeroed", "a bit flipped"])
def test_a_damaged_checkpoint_costs_a_replay_and_no_row(
    scene: Scene, damage: str, copies: int
) -> None:
    draw = random.Random(f"{damage} {copies}")
    scene.writer("w", "--rows", "400", "--pause", "0", "--segment-bytes", "33000").wait()
    scene.settle()
    checkpoints = sorted(scene.log_dir.glob(".checkpoint*.json"), key=lambda path: len(path.name))
    assert checkpoints[0].name == FILE_NAME
    for path in checkpoints[:copies]:
        data = bytearray(path.read_bytes())
        if damage == "cut short":
            del data[draw.randrange(len(data)) :]
        elif damage == "zeroed":
            data[:] = bytes(len(data))
        else:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(data)
    scene.writer("v", "--rows", "50", "--pause", "0", deliver=False).wait()

    scene.settle()

    scene.check()
    if copies == 2:
        assert account_of(scene.log_dir).known == 400


# --- files that come and go -----------------------------------------------------------------


def test_rotation_every_20_ms_under_eight_writers(scene: Scene) -> None:
    options = ("--rows", "300", "--pause", "0.002", "--segment-bytes", "16000")
    deliverer = scene.deliverer("deliverer")
    with ThreadPoolExecutor(8) as pool:
        started = pool.map(lambda n: scene.writer(f"w{n}", *options, deliver=False), range(8))
    assert [writer.wait() for writer in started] == [0] * 8
    sealed = len(list(scene.log_dir.glob("api_logs.*.csv")))

    scene.stop(deliverer)
    scene.settle()

    scene.check()
    assert account_of(scene.log_dir).shipped == 2_400
    # At the pace of these writers that is one every 15 ms, on a machine that keeps it up.
    assert sealed > 50


def test_a_segment_that_somebody_deletes_is_counted_as_lost(folder: Folder) -> None:
    """Those of its rows that were delivered are in the store; the others count as dropped."""
    tally = Tally(folder.log_dir)
    journal = Journal(folder.log_dir, API, max_bytes=20_000, fsync="no")
    for number in range(200):
        append(journal, api_row(str(number)))
        tally.add(appended=1)
    journal.close()
    accountant = Accountant(folder.log_dir, tally)
    shipper = Shipper(
        folder.log_dir,
        lambda: SQLiteStore(folder.path / "store.db"),
        batch_rows=70,
        housekeeper=Housekeeper(folder.log_dir, Rules(), accountant),
    )
    shipper.run_once()
    sealed = sorted(folder.log_dir.glob("api_logs.*.csv"))
    for path in sealed[:3]:
        path.unlink()

    shipper.start()

    def is_all_accounted_for() -> bool:
        account = accountant.account(shipper.progress)
        return account.unaccounted == account.pending == 0

    wait_until(is_all_accounted_for)
    account = accountant.account(shipper.progress)
    shipper.stop()
    tally.close()

    assert account.appended == 200, numbers(account)
    assert account.shipped == len(folder.stored()) == 200 - account.dropped
    assert account.dropped > 0


def test_another_file_with_the_inode_of_one_that_was_delivered(folder: Folder) -> None:
    """The checkpoint knows files by their first row, so the new one is delivered from its start."""
    folder.start_over()
    folder.append(ROWS[0])
    folder.deliver()
    inode = folder.active.stat().st_ino
    for _ in range(200):
        folder.active.unlink()
        folder.active.write_bytes(HEADER + LINES[2] + LINES[3])
        if folder.active.stat().st_ino == inode:
            break
    else:
        # A file system that gives no inode twice: the same file with other content.
        with folder.active.open("r+b") as file:
            file.truncate(0)
            file.write(HEADER + LINES[2] + LINES[3])

    folder.deliver()

    assert folder.stored() == [ROWS[0], ROWS[2], ROWS[3]]


def test_the_log_folder_is_removed_while_processes_write_and_deliver(scene: Scene) -> None:
    """What was in it is gone; the next row makes it anew, and from there all is as it was."""
    deliverer = scene.deliverer("deliverer")
    writers = [scene.writer(f"w{n}", "--pause", "0.002", deliver=False) for n in range(2)]
    scene.wait_for(lambda: scene.shipped() > 50, "rows")
    before = scene.ledger.total()

    shutil.rmtree(scene.log_dir, ignore_errors=True)
    again = scene.ledger.total() + 200
    scene.wait_for(lambda: scene.ledger.total() > again, "more rows")
    scene.stop(*writers)
    scene.wait_for(lambda: account_of(scene.log_dir).unaccounted == 0, "what is lost to be counted")
    scene.stop(deliverer)
    scene.settle()

    account = account_of(scene.log_dir)
    assert account.unaccounted == 0, numbers(account)
    stored = {row[0] for row in scene.store.query("SELECT endpoint FROM api_logs").rows}
    acked = {f"/w/{tag}" for tag in scene.ledger.acked()}
    assert before > 50
    assert len(acked - stored) < before + 50
    assert {
        f"/w/w0/{scene.ledger.count('w0') - 1}",
        f"/w/w1/{scene.ledger.count('w1') - 1}",
    } <= stored
