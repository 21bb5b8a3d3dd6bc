"""Damage and rows that the store rejects go to quarantine, and hold up no other row."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.shipper.backlog import measure
from app.lib.tracelog.shipper.checkpoint import FILE_NAME, Checkpoint
from app.lib.tracelog.shipper.delivery import TooManyRejected
from app.lib.tracelog.shipper.quarantine import Quarantine
from tests.lib.tracelog.picky_store import PickyStore
from tests.lib.tracelog.rows import API, STEPS, api_row, api_rows
from tests.lib.tracelog.shipper.desk import LONG_AGO, Desk

FAR_AHEAD = 4_000_000_000.0  # as by a clock that was wrong for a moment


def test_damage_goes_to_quarantine_and_its_neighbours_arrive(desk: Desk) -> None:
    first, torn, glued, last = api_rows(4)
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
    first, torn = api_rows(2)
    path = desk.write([first], sealed=True)
    with path.open("ab") as file:
        file.write(codec.encode(API, torn)[:-5])
    os.utime(path, (changed_at, changed_at))

    assert desk.deliver().quarantined == 1
    assert desk.deliver().quarantined == 1
    assert measure(desk.folder, Checkpoint.load(desk.folder)).bytes == 0


@pytest.fixture
def picky(desk: Desk) -> Iterator[Desk]:
    plain, desk.store = desk.store, PickyStore(Path(desk.store.name))
    yield desk
    plain.close()


def test_one_poisoned_row_in_500_is_found_and_the_others_arrive(picky: Desk) -> None:
    written = api_rows(500)
    written[333] = api_row("poison")
    picky.write(written)

    counters = picky.deliver()
    (entry,) = Quarantine(picky.folder).entries()

    assert (counters.shipped, counters.quarantined) == (499, 1)
    assert entry.reason == "poison"
    assert entry.raw == codec.encode(API, written[333])
    assert picky.active.read_bytes()[entry.start : entry.end] == entry.raw
    assert isinstance(picky.store, PickyStore)
    assert picky.store.calls < 25


def test_a_replay_of_a_poisoned_batch_puts_nothing_into_quarantine_twice(picky: Desk) -> None:
    picky.write([*api_rows(50), api_row("poison"), *api_rows(49)])
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
    picky.write(api_rows(1_000))
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
    picky.write([*api_rows(9), api_row("poison")])
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
