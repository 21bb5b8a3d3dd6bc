"""What a batch at a time brings into the store, from a journal in any state."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, NoReturn

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.ids import time_of
from app.lib.tracelog.journal import reader
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Row
from app.lib.tracelog.shipper.backlog import measure
from app.lib.tracelog.shipper.checkpoint import FILE_NAME, Checkpoint, Counters
from app.lib.tracelog.shipper.delivery import Delivery, TooManyRejected
from app.lib.tracelog.shipper.follower import Follower
from app.lib.tracelog.shipper.quarantine import Quarantine
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, Inserted, RowRejected, StoreUnavailable
from tests.lib.tracelog.rows import API, api_row

LONG_AGO = 1_600_000_000
FAR_AHEAD = 4_000_000_000.0  # as by a clock that was wrong for a moment
STEPS = TABLES[TASK_PROGRESS_LOGS]


class Desk:
    """A log folder, a store, and deliveries from the one to the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = SQLiteStore(folder / "trace.db")
        self.store.migrate()

    @property
    def active(self) -> Path:
        return self.folder / "api_logs.csv"

    def write(self, rows: list[Row], *, sealed: bool = False, age: float = 0) -> Path:
        """Append rows to the journal; or make a sealed segment of them, last touched long ago."""
        path = self.folder / f"api_logs.{rows[0][0]}.csv" if sealed else self.active
        data = b"" if path.exists() else codec.header(API)
        with path.open("ab") as file:
            file.write(data + b"".join(codec.encode(API, row) for row in rows))
        if sealed:
            os.utime(path, (LONG_AGO, LONG_AGO))
        return path

    def delivery(self, batch_rows: int = 500, batch_bytes: int = 1_000_000) -> Delivery:
        """A new one, as a process has it that has just become the leader."""
        return Delivery(
            self.folder,
            self.store,
            Checkpoint.load(self.folder),
            batch_rows=batch_rows,
            batch_bytes=batch_bytes,
        )

    def deliver(self, delivery: Delivery | None = None) -> Counters:
        delivery = delivery or self.delivery()
        while delivery.step():
            pass
        delivery.save()
        return delivery.checkpoint.counters

    def stored(self) -> list[tuple[object, ...]]:
        sql = f"SELECT {', '.join(API.column_names)} FROM api_logs ORDER BY id"
        return [tuple(row) for row in self.store.query(sql).rows]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.store.close()


def rows(count: int) -> list[Row]:
    return [api_row(f"row {n}") for n in range(count)]


# --- from the journal to the store ----------------------------------------------------------


def test_rows_arrive_once_however_often_it_is_started(desk: Desk) -> None:
    written = rows(250)
    desk.write(written)
    for _ in range(3):
        counters = desk.deliver()

    assert desk.stored() == written
    assert (counters.shipped, counters.known, counters.batches) == (250, 0, 1)


def test_segments_are_delivered_from_the_oldest_to_the_active_one(desk: Desk) -> None:
    written = rows(90)
    desk.write(written[:30], sealed=True)
    desk.write(written[30:60], sealed=True)
    desk.write(written[60:])

    assert desk.deliver(desk.delivery(batch_rows=20)).shipped == 90
    assert desk.stored() == written


def test_a_batch_has_no_more_rows_and_bytes_than_it_may(desk: Desk) -> None:
    desk.write(rows(1000))
    few = desk.delivery(batch_rows=250)
    assert few.step() == 250

    big = [api_row("x" * 50_000) for _ in range(20)]
    desk.write(big)
    desk.deliver(few)
    light = desk.delivery(batch_bytes=200_000)
    desk.write([api_row("y" * 50_000) for _ in range(20)])

    assert 0 < light.step() < 10


def test_both_tables_are_delivered_while_one_has_a_long_backlog(desk: Desk) -> None:
    desk.write(rows(2000))
    step = make_row(
        STEPS, {"task_name": "A", "step_name": "B"}, row_id=10**18, trace_id="t", now=0.0
    )
    (desk.folder / "task_progress_logs.csv").write_bytes(
        codec.header(STEPS) + codec.encode(STEPS, step)
    )

    delivery = desk.delivery(batch_rows=100)
    delivery.step()
    delivery.step()

    assert desk.store.query("SELECT count(*) FROM task_progress_logs").rows == [(1,)]


def test_empty_lines_hold_up_no_row_behind_them(desk: Desk) -> None:
    first, last = rows(2)
    desk.write([first])
    with desk.active.open("ab") as file:
        file.write(b"\n" * 5_000)
    desk.write([last])

    desk.deliver(desk.delivery(batch_bytes=1_000))

    assert desk.stored() == [first, last]


def test_rows_may_repeat_until_each_table_has_had_a_batch_of_new_ones(desk: Desk) -> None:
    written = rows(40)
    desk.write(written[:20])
    killed = desk.delivery()
    killed.step()
    desk.write(written[20:])
    delivery = desk.delivery(batch_rows=10)

    repeats = []
    for _ in range(4):
        delivery.step()
        repeats.append(delivery.may_repeat)
    assert repeats == [True, True, True, False]

    quick = desk.delivery()
    assert quick.may_repeat
    while quick.step():
        pass
    # Nothing more waits, so what comes now is new.
    assert not quick.may_repeat


def test_what_is_still_being_written_is_delivered_when_it_is_whole(desk: Desk) -> None:
    first, second = rows(2)
    desk.write([first])
    line = codec.encode(API, second)
    delivery = desk.delivery()
    with desk.active.open("ab") as file:
        file.write(line[:40])
        file.flush()
        assert delivery.step() == 1
        assert delivery.step() == 0
        file.write(line[40:])
        file.flush()
        assert delivery.step() == 1

    assert desk.stored() == [first, second]


def test_what_a_stopped_writer_has_begun_waits_for_its_end_however_long(desk: Desk) -> None:
    first, second = rows(2)
    desk.write([first])
    line = codec.encode(API, second)
    with desk.active.open("ab") as file:
        file.write(line[:40])
    os.utime(desk.active, (LONG_AGO, LONG_AGO))
    delivery = desk.delivery()
    assert desk.deliver(delivery).quarantined == 0
    with desk.active.open("ab") as file:
        file.write(line[40:])

    desk.deliver(delivery)

    assert desk.stored() == [first, second]


def test_a_file_that_is_sealed_on_the_way_is_delivered_once(desk: Desk) -> None:
    written = rows(30)
    desk.write(written[:10])
    delivery = desk.delivery()
    assert delivery.step() == 10
    desk.write(written[10:20])
    desk.active.rename(desk.folder / f"api_logs.{written[0][0]}.csv")
    desk.write(written[20:])

    counters = desk.deliver(delivery)

    assert desk.stored() == written
    assert (counters.shipped, counters.known) == (30, 0)


@pytest.mark.parametrize("followed", [True, False])
@pytest.mark.parametrize("at", range(1, 11))
def test_a_file_that_is_sealed_between_any_two_looks_at_the_folder_is_delivered_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, at: int, *, followed: bool
) -> None:
    written = rows(30)
    desk.write(written[:10])
    delivery = desk.delivery()
    assert delivery.step() == 10
    desk.write(written[10:20])
    looks = [0]

    def seal_at(look: Callable[..., object]) -> Callable[..., object]:
        def looking(path: Path, *args: object, **kwargs: object) -> object:
            if path.parent == desk.folder or path == desk.folder:
                looks[0] += 1
                if looks[0] == at:
                    desk.active.rename(desk.folder / f"api_logs.{written[0][0]}.csv")
                    if followed:
                        desk.active.write_bytes(codec.header(API))
            return look(path, *args, **kwargs)

        return looking

    with monkeypatch.context() as patch:
        for name in ("exists", "stat", "open"):
            patch.setattr(Path, name, seal_at(getattr(Path, name)))
        patch.setattr(os, "scandir", seal_at(os.scandir))
        assert delivery.step() == 10
        assert measure(desk.folder, delivery.checkpoint).bytes == 0
    assert looks[0] > 10
    desk.write(written[20:])

    counters = desk.deliver(delivery)
    assert desk.stored() == written
    assert (counters.shipped, counters.known) == (30, 0)


def test_the_first_row_of_a_file_that_is_being_looked_at_is_delivered_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.active.write_bytes(codec.header(API))
    written = rows(2)
    start = Follower._start

    def write_first(follower: Follower, *args: Any) -> int:
        monkeypatch.undo()
        # By now the file is taken for one without a row, and so without a name.
        desk.write(written[:1])
        return start(follower, *args)

    monkeypatch.setattr(Follower, "_start", write_first)
    delivery = desk.delivery()
    delivery.step()
    desk.write(written[1:])
    counters = desk.deliver(delivery)

    assert desk.stored() == written
    assert (counters.shipped, counters.known) == (2, 0)


def test_a_late_row_in_a_sealed_segment_is_delivered(desk: Desk) -> None:
    first, late, newer = rows(3)
    sealed = desk.write([first], sealed=True)
    os.utime(sealed)
    desk.write([newer])
    delivery = desk.delivery()
    desk.deliver(delivery)
    with sealed.open("ab") as file:
        file.write(codec.encode(API, late))

    desk.deliver(delivery)

    assert desk.stored() == [first, late, newer]


def test_rows_that_meet_others_with_their_id_are_counted(desk: Desk) -> None:
    same_id = 1_700_000_000_000_000_000
    desk.write([api_row("one", row_id=same_id), api_row("two", row_id=same_id)])

    counters = desk.deliver()

    assert (counters.shipped, counters.collisions) == (2, 1)
    assert len(desk.stored()) == 2


# --- the checkpoint -------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["lost", "zeroed", "cut"])
def test_without_its_checkpoint_a_replay_finds_everything_known(desk: Desk, damage: str) -> None:
    written = rows(120)
    desk.write(written)
    desk.deliver()
    for path in desk.folder.glob(".checkpoint*"):
        data = path.read_bytes()
        path.write_bytes({"lost": b"", "zeroed": bytes(len(data)), "cut": data[:-9]}[damage])

    counters = desk.deliver()

    assert (counters.shipped, counters.known) == (120, 120)
    assert desk.stored() == written


def test_a_leader_killed_before_it_saved_its_checkpoint_doubles_no_row(desk: Desk) -> None:
    written = rows(30)
    desk.write(written[:10])
    desk.deliver()
    desk.write(written[10:])
    killed = desk.delivery()
    killed.step()

    counters = desk.deliver()

    assert (counters.shipped, counters.known) == (30, 20)
    assert desk.stored() == written


def test_a_leader_that_comes_back_with_an_old_checkpoint_doubles_no_row(desk: Desk) -> None:
    written = rows(30)
    desk.write(written[:10])
    stopped = desk.delivery()
    stopped.step()
    desk.write(written[10:])
    desk.deliver()

    stopped.step()
    stopped.save()
    desk.deliver()

    assert desk.stored() == written


def test_a_checkpoint_of_another_file_is_not_used(desk: Desk) -> None:
    desk.write(rows(50))
    desk.deliver()
    desk.active.unlink()
    written = rows(80)
    desk.write(written)

    desk.deliver()

    assert desk.stored()[50:] == written


@pytest.mark.parametrize("restarted", [True, False])
def test_a_file_that_got_shorter_is_delivered_from_its_start(
    desk: Desk, *, restarted: bool
) -> None:
    written = rows(60)
    desk.write(written[:20])
    size = desk.active.stat().st_size
    desk.write(written[20:50])
    delivery = desk.delivery()
    desk.deliver(delivery)
    # As after a loss of power: the end that was not forced to the disk is gone.
    os.truncate(desk.active, size)
    if restarted:
        delivery = desk.delivery()
    desk.write(written[50:])

    desk.deliver(delivery)

    assert desk.stored() == written


def test_a_checkpoint_in_the_middle_of_a_row_is_not_used(desk: Desk) -> None:
    written = rows(40)
    desk.write(written)
    first_id = int(str(written[0][0]))
    checkpoint = Checkpoint(desk.folder, {API_LOGS: {first_id: desk.active.stat().st_size - 30}})
    checkpoint.save()

    desk.deliver()

    assert desk.stored() == written


def test_a_checkpoint_that_cannot_be_saved_stops_no_row(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = desk.delivery()
    told = "The checkpoint cannot be saved: No space left on device."

    def full(_: Checkpoint) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Checkpoint, "save", full)
    for _ in range(3):
        desk.write(rows(10))
        desk.deliver(delivery)
    assert not (desk.folder / FILE_NAME).exists()
    monkeypatch.undo()
    delivery.save()

    assert len(desk.stored()) == 30
    assert [record.message for record in caplog.records] == [told]
    assert Checkpoint.load(desk.folder).counters.shipped == 30

    # The next time that the disk is full is told as well.
    monkeypatch.setattr(Checkpoint, "save", full)
    desk.write(rows(1))
    desk.deliver(delivery)
    assert [record.message for record in caplog.records] == [told, told]


def test_while_rows_are_delivered_the_checkpoint_is_saved_each_second(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    delivery = desk.delivery()
    saved = []
    for seconds in (0.5, 0.6, 0.5, 0.6):
        now[0] += seconds
        desk.write(rows(1))
        delivery.step()
        delivery.save(now=False)
        saved.append(Checkpoint.load(desk.folder).counters.shipped)
    assert saved == [0, 2, 2, 4]

    # What the disk has already is not written again.
    before = (desk.folder / FILE_NAME).stat()
    delivery.save()
    assert os.path.samestat((desk.folder / FILE_NAME).stat(), before)


def test_a_leader_that_was_replaced_does_not_complain_of_the_disk(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = desk.delivery()
    delivery.checkpoint.leads = lambda: False
    desk.write(rows(1))

    desk.deliver(delivery)

    assert not (desk.folder / FILE_NAME).exists()
    assert caplog.text == ""


def test_the_checkpoint_never_leads_the_store(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(rows(10))
    delivery = desk.delivery()

    def lost(_: SQLiteStore, __: Batch) -> Inserted:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(SQLiteStore, "insert", lost)
    with pytest.raises(StoreUnavailable):
        delivery.step()
    delivery.save()

    assert Checkpoint.load(desk.folder).offsets == {}


# --- what cannot be delivered ---------------------------------------------------------------


def test_damage_goes_to_quarantine_and_its_neighbours_arrive(desk: Desk) -> None:
    first, torn, glued, last = rows(4)
    desk.write([first])
    with desk.active.open("ab") as file:
        file.write(codec.encode(API, torn)[:50] + codec.encode(API, glued))
        file.write(b"\0" * 4096 + b"\n")
    desk.write([last])

    delivery = desk.delivery()
    assert delivery.step() == 5
    counters = desk.deliver(delivery)
    entries = list(Quarantine(desk.folder).entries())

    assert desk.stored() == [first, glued, last]
    assert (counters.shipped, counters.quarantined) == (3, 2)
    assert entries[0].raw == codec.encode(API, torn)[:50]
    assert entries[1].raw == b"\0" * 4096
    assert all(entry.segment == first[0] for entry in entries)


@pytest.mark.parametrize("changed_at", [LONG_AGO, FAR_AHEAD])
def test_a_torn_end_of_a_sealed_segment_goes_to_quarantine(desk: Desk, changed_at: float) -> None:
    first, torn = rows(2)
    path = desk.write([first], sealed=True)
    with path.open("ab") as file:
        file.write(codec.encode(API, torn)[:-5])
    os.utime(path, (changed_at, changed_at))

    assert desk.deliver().quarantined == 1
    assert desk.deliver().quarantined == 1
    assert measure(desk.folder, Checkpoint.load(desk.folder)).bytes == 0


class Picky(SQLiteStore):
    """A store that takes no row with `poison` in it."""

    calls = 0

    def insert(self, batch: Batch) -> Inserted:
        self.calls += 1
        for table_rows in batch.rows.values():
            for row in table_rows:
                if "poison" in str(row):
                    raise RowRejected("poison")
        return super().insert(batch)


@pytest.fixture
def picky(desk: Desk) -> Iterator[Desk]:
    plain, desk.store = desk.store, Picky(Path(desk.store.name))
    yield desk
    plain.close()


def test_one_poisoned_row_in_500_is_found_and_the_others_arrive(picky: Desk) -> None:
    written = rows(500)
    written[333] = api_row("poison")
    picky.write(written)

    counters = picky.deliver()
    (entry,) = Quarantine(picky.folder).entries()

    assert (counters.shipped, counters.quarantined) == (499, 1)
    assert entry.reason == "poison"
    assert entry.raw == codec.encode(API, written[333])
    assert picky.active.read_bytes()[entry.start : entry.end] == entry.raw
    assert isinstance(picky.store, Picky)
    assert picky.store.calls < 25


def test_a_replay_of_a_poisoned_batch_puts_nothing_into_quarantine_twice(picky: Desk) -> None:
    picky.write([*rows(50), api_row("poison"), *rows(49)])
    picky.deliver()
    (picky.folder / FILE_NAME).unlink()

    counters = picky.deliver()

    assert (counters.shipped, counters.known, counters.quarantined) == (99, 99, 1)
    assert len(list(Quarantine(picky.folder).entries())) == 1


def test_when_more_than_a_fifth_is_rejected_nothing_is_given_up(picky: Desk) -> None:
    picky.write([api_row("poison" if n % 4 == 0 else "good") for n in range(100)])
    delivery = picky.delivery()

    for _ in range(2):
        with pytest.raises(TooManyRejected, match="poison"):
            delivery.step()

    assert list(Quarantine(picky.folder).entries()) == []
    assert delivery.checkpoint.offsets == {}


def test_rows_that_come_one_by_one_and_are_all_rejected_stop_it_too(picky: Desk) -> None:
    delivery = picky.delivery()
    for _ in range(4):
        picky.write([api_row("poison")])
        assert delivery.step() == 1
    picky.write([api_row("poison")])

    with pytest.raises(TooManyRejected):
        delivery.step()


def test_a_tenth_that_is_rejected_for_long_stops_nothing(picky: Desk) -> None:
    delivery = picky.delivery(batch_rows=100)
    picky.write([api_row("poison" if n % 10 == 0 else "good") for n in range(1_500)])

    counters = picky.deliver(delivery)

    assert (counters.shipped, counters.quarantined) == (1_350, 150)


def test_many_good_rows_of_before_do_not_hide_that_all_are_rejected_now(picky: Desk) -> None:
    delivery = picky.delivery(batch_rows=100)
    picky.write(rows(1_000))
    picky.deliver(delivery)

    def deliver_thirty() -> None:
        for _ in range(30):
            picky.write([api_row("poison")])
            delivery.step()

    with pytest.raises(TooManyRejected):
        deliver_thirty()


def test_a_quarantine_that_cannot_be_written_keeps_the_rows_where_they_are(
    picky: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    picky.write([*rows(9), api_row("poison")])
    delivery = picky.delivery()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Quarantine, "add", full)
    with pytest.raises(OSError, match="No space left"):
        delivery.step()
    assert delivery.checkpoint.offsets == {}
    monkeypatch.undo()

    counters = picky.deliver(delivery)
    assert (counters.shipped, counters.quarantined) == (9, 1)


def test_a_lone_surrogate_that_reached_the_journal_ends_in_quarantine(desk: Desk) -> None:
    step = make_row(
        STEPS, {"task_name": "A", "step_name": "B"}, row_id=10**18, trace_id="t", now=0.0
    )
    line = codec.encode(STEPS, step).replace(b",B,", b",\\ud800,")
    (desk.folder / "task_progress_logs.csv").write_bytes(codec.header(STEPS) + line)

    assert desk.deliver().quarantined == 1


# --- files that go away ---------------------------------------------------------------------


def test_a_segment_removed_before_it_was_delivered_is_counted(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    written = rows(60)
    path = desk.write(written[:50], sealed=True)
    desk.write(written[50:])
    size = path.stat().st_size
    delivery = desk.delivery(batch_rows=100, batch_bytes=5_000)
    delivery.step()
    path.unlink()

    counters = desk.deliver(delivery)

    assert 0 < counters.lost_bytes < size
    assert desk.stored()[-10:] == written[50:]
    assert "was removed with" in caplog.text


def test_a_delivered_segment_that_is_removed_is_no_loss(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    path = desk.write(rows(50), sealed=True)
    desk.write(rows(10))
    delivery = desk.delivery()
    desk.deliver(delivery)
    path.unlink()
    desk.write(rows(1))

    assert desk.deliver(delivery).lost_bytes == 0
    assert len(Checkpoint.load(desk.folder).offsets[API_LOGS]) == 1
    assert caplog.text == ""


def test_a_log_folder_that_is_removed_and_made_anew_is_followed(desk: Desk) -> None:
    folder = desk.folder / "inner"
    folder.mkdir()
    outer_store = desk.store
    desk.folder = folder
    desk.write(rows(10))
    delivery = desk.delivery()
    desk.deliver(delivery)
    shutil.rmtree(folder)
    assert delivery.step() == 0
    folder.mkdir()
    written = rows(5)
    desk.write(written)

    desk.deliver(delivery)

    assert outer_store is desk.store
    assert desk.stored()[10:] == written


# --- what waits -----------------------------------------------------------------------------


def test_the_backlog_tells_rows_bytes_and_age(desk: Desk) -> None:
    written = rows(300)
    desk.write(written[:100], sealed=True)
    desk.write(written[100:])
    born = time_of(int(str(written[0][0])))

    before = measure(desk.folder, Checkpoint.load(desk.folder), now=born + 60)
    desk.deliver()
    after = measure(desk.folder, Checkpoint.load(desk.folder), now=born + 60)

    assert 290 <= before.rows <= 310
    assert before.seconds == pytest.approx(60, abs=0.1)
    assert (after.rows, after.bytes, after.seconds) == (0, 0, 0.0)


def test_a_disk_that_fails_within_a_file_keeps_what_follows_there_and_no_other_row(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written = rows(30)
    failing = desk.write(written[:10], sealed=True)
    desk.write(written[10:20], sealed=True)
    desk.write(written[20:])
    read_from = reader.read_from

    def fail(file: BinaryIO, *args: Any, **options: Any) -> reader.Chunk:
        if file.name == str(failing):
            raise OSError(errno.EIO, "Input/output error")
        return read_from(file, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(reader, "read_from", fail)
        desk.deliver()
        assert desk.stored() == written[10:]
    assert caplog.text.count("cannot be read: Input/output error") == 1

    desk.deliver()
    assert desk.stored() == written


def test_a_process_without_a_free_descriptor_says_so_and_passes_over_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = rows(2)
    desk.write(written)
    delivery = desk.delivery()

    def none_is_free(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(reader, "read_from", none_is_free)
        with pytest.raises(OSError, match="Too many open files"):
            delivery.step()

    desk.deliver(delivery)
    assert desk.stored() == written


def test_a_folder_that_may_not_be_listed_for_a_moment_has_nothing_sent_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = rows(30)
    os.utime(desk.write(written[:10], sealed=True))  # just now
    desk.write(written[10:20])
    delivery = desk.delivery()
    desk.deliver(delivery)

    def refuse(_: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        desk.deliver(delivery)
    desk.write(written[20:])
    counters = desk.deliver(delivery)

    assert desk.stored() == written
    assert (counters.shipped, counters.known) == (30, 0)


def test_a_file_that_cannot_be_read_counts_in_the_backlog(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = desk.write(rows(10), sealed=True)
    open_path = Path.open

    def refuse(opened: Path, *args: Any, **options: Any) -> IO[Any]:
        if opened == path:
            raise PermissionError(errno.EACCES, "Permission denied", str(opened))
        file: IO[Any] = open_path(opened, *args, **options)
        return file

    monkeypatch.setattr(Path, "open", refuse)

    backlog = measure(desk.folder, Checkpoint.load(desk.folder))

    assert backlog.bytes == path.stat().st_size - len(codec.header(API))
    assert backlog.rows > 0


def test_a_journal_of_headers_only_has_no_backlog(desk: Desk) -> None:
    desk.active.write_bytes(codec.header(API))

    assert measure(desk.folder, Checkpoint(desk.folder)).bytes == 0
