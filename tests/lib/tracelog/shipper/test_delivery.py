"""What a batch at a time brings into the store, from a journal in any state."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.shipper.backlog import measure
from app.lib.tracelog.shipper.follower import Follower
from tests.lib.tracelog.rows import API, STEPS, api_row, api_rows
from tests.lib.tracelog.shipper.desk import LONG_AGO, Desk


def test_rows_arrive_once_however_often_it_is_started(desk: Desk) -> None:
    written = api_rows(250)
    desk.write(written)
    for _ in range(3):
        counters = desk.deliver()

    assert desk.stored() == written
    assert (counters.shipped, counters.known, counters.batches) == (250, 0, 1)


def test_segments_are_delivered_from_the_oldest_to_the_active_one(desk: Desk) -> None:
    written = api_rows(90)
    desk.write(written[:30], sealed=True)
    desk.write(written[30:60], sealed=True)
    desk.write(written[60:])

    assert desk.deliver(desk.delivery(batch_rows=20)).shipped == 90
    assert desk.stored() == written


def test_a_batch_has_no_more_rows_and_bytes_than_it_may(desk: Desk) -> None:
    desk.write(api_rows(1000))
    few = desk.delivery(batch_rows=250)
    assert few.step() == 250

    big = [api_row("x" * 50_000) for _ in range(20)]
    desk.write(big)
    desk.deliver(few)
    light = desk.delivery(batch_bytes=200_000)
    desk.write([api_row("y" * 50_000) for _ in range(20)])

    assert 0 < light.step() < 10


def test_both_tables_are_delivered_while_one_has_a_long_backlog(desk: Desk) -> None:
    desk.write(api_rows(2000))
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
    first, last = api_rows(2)
    desk.write([first])
    with desk.active.open("ab") as file:
        file.write(b"\n" * 5_000)
    desk.write([last])

    desk.deliver(desk.delivery(batch_bytes=1_000))

    assert desk.stored() == [first, last]


def test_rows_may_repeat_until_each_table_has_had_a_batch_of_new_ones(desk: Desk) -> None:
    written = api_rows(40)
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
    first, second = api_rows(2)
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
    first, second = api_rows(2)
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
    written = api_rows(30)
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
    written = api_rows(30)
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
    assert looks[0] >= at
    desk.write(written[20:])

    counters = desk.deliver(delivery)
    assert desk.stored() == written
    assert (counters.shipped, counters.known) == (30, 0)


def test_the_first_row_of_a_file_that_is_being_looked_at_is_delivered_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.active.write_bytes(codec.header(API))
    written = api_rows(2)
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
    first, late, newer = api_rows(3)
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
