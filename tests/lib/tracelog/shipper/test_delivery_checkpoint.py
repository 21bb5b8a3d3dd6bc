"""Deliveries that go on from checkpoints of any age, lost ones and wrong ones."""

import errno
import os

import pytest

from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.shipper.checkpoint import FILE_NAME, Checkpoint
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, Inserted, StoreUnavailable
from tests.lib.tracelog.rows import api_rows
from tests.lib.tracelog.shipper.desk import Desk


@pytest.mark.parametrize("damage", ["lost", "zeroed", "cut"])
def test_without_its_checkpoint_a_replay_finds_everything_known(desk: Desk, damage: str) -> None:
    written = api_rows(120)
    desk.write(written)
    desk.deliver()
    for path in desk.folder.glob(".checkpoint*"):
        data = path.read_bytes()
        path.write_bytes({"lost": b"", "zeroed": bytes(len(data)), "cut": data[:-9]}[damage])

    counters = desk.deliver()

    assert (counters.shipped, counters.known) == (120, 120)
    assert desk.stored() == written


def test_a_leader_killed_before_it_saved_its_checkpoint_doubles_no_row(desk: Desk) -> None:
    written = api_rows(30)
    desk.write(written[:10])
    desk.deliver()
    desk.write(written[10:])
    killed = desk.delivery()
    killed.step()

    counters = desk.deliver()

    assert (counters.shipped, counters.known) == (30, 20)
    assert desk.stored() == written


def test_a_leader_that_comes_back_with_an_old_checkpoint_doubles_no_row(desk: Desk) -> None:
    written = api_rows(30)
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
    desk.write(api_rows(50))
    desk.deliver()
    desk.active.unlink()
    written = api_rows(80)
    desk.write(written)

    desk.deliver()

    assert desk.stored()[50:] == written


@pytest.mark.parametrize("restarted", [True, False])
def test_a_file_that_got_shorter_is_delivered_from_its_start(
    desk: Desk, *, restarted: bool
) -> None:
    written = api_rows(60)
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
    written = api_rows(40)
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
        desk.write(api_rows(10))
        desk.deliver(delivery)
    assert not (desk.folder / FILE_NAME).exists()
    monkeypatch.undo()
    delivery.save()

    assert len(desk.stored()) == 30
    assert [record.message for record in caplog.records] == [told]
    assert Checkpoint.load(desk.folder).counters.shipped == 30

    # The next time that the disk is full is told as well.
    monkeypatch.setattr(Checkpoint, "save", full)
    desk.write(api_rows(1))
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
        desk.write(api_rows(1))
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
    desk.write(api_rows(1))

    desk.deliver(delivery)

    assert not (desk.folder / FILE_NAME).exists()
    assert caplog.text == ""


def test_the_checkpoint_never_leads_the_store(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(api_rows(10))
    delivery = desk.delivery()

    def lost(_: SQLiteStore, __: Batch) -> Inserted:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(SQLiteStore, "insert", lost)
    with pytest.raises(StoreUnavailable):
        delivery.step()
    delivery.save()

    assert Checkpoint.load(desk.folder).offsets == {}
