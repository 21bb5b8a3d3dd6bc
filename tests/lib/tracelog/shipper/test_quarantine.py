"""What cannot be delivered lies in quarantine, once, with its reason."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.lib.tracelog.shipper import quarantine as quarantine_module
from app.lib.tracelog.shipper.quarantine import FILE_NAME, Entry, Quarantine


def entry(start: int, raw: bytes = b"torn,row\n") -> Entry:
    segment = 1_700_000_000_000_000_001
    at = "2026-11-23 04:47:08.123"
    return Entry(at, "api_logs", segment, start, start + len(raw), "3 fields", raw)


def test_entries_come_back_byte_for_byte(tmp_path: Path) -> None:
    entries = [entry(0), entry(9, b"\xff\x00\x80"), entry(12, "日本語\u2028".encode())]

    Quarantine(tmp_path).add(entries)

    assert list(Quarantine(tmp_path).entries()) == entries
    assert (tmp_path / FILE_NAME).read_bytes().count(b"\n") == 3


def test_what_is_put_in_and_taken_out_is_on_the_disk_when_that_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced: list[tuple[int, int]] = []

    def fsync(fd: int) -> None:
        stat = os.fstat(fd)
        forced.append((stat.st_ino, stat.st_size))

    def on_the_disk() -> bool:
        stat = (tmp_path / FILE_NAME).stat()
        return forced.pop() == (stat.st_ino, stat.st_size)

    monkeypatch.setattr(os, "fsync", fsync)
    quarantine = Quarantine(tmp_path)

    quarantine.add([entry(0), entry(9)])
    assert on_the_disk()
    quarantine.take_out({entry(0).key: "shipped"})
    assert on_the_disk()


def test_a_replay_puts_nothing_in_twice(tmp_path: Path) -> None:
    first = Quarantine(tmp_path)
    first.add([entry(0), entry(9)])
    first.add([entry(9)])
    after_a_restart = Quarantine(tmp_path)
    after_a_restart.add([entry(0), entry(20)])

    assert [each.start for each in after_a_restart.entries()] == [0, 9, 20]


def test_what_another_leader_has_put_in_meanwhile_is_not_put_in_twice(tmp_path: Path) -> None:
    old, new = Quarantine(tmp_path), Quarantine(tmp_path)
    old.add([entry(0)])
    new.add([entry(0), entry(9)])
    old.add([entry(9), entry(20)])

    assert [each.start for each in old.every()] == [0, 9, 20]


@pytest.mark.parametrize("line", [b"[]", b"5", b"null", b'"text"', b"{}", b'{"text": 1}'])
def test_a_line_that_is_none_of_ours_costs_no_other(tmp_path: Path, line: bytes) -> None:
    Quarantine(tmp_path).add([entry(0)])
    with (tmp_path / FILE_NAME).open("ab") as file:
        file.write(line + b"\n")

    quarantine = Quarantine(tmp_path)
    quarantine.add([entry(9)])

    assert list(quarantine.entries()) == [entry(0), entry(9)]
    assert not quarantine.outcomes()


def test_a_torn_last_line_costs_no_other(tmp_path: Path) -> None:
    Quarantine(tmp_path).add([entry(0), entry(9)])
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes()[:-20])

    quarantine = Quarantine(tmp_path)
    quarantine.add([entry(9), entry(20)])

    assert [each.start for each in quarantine.entries()] == [0, 9, 20]


def test_without_a_file_it_is_empty(tmp_path: Path) -> None:
    assert list(Quarantine(tmp_path).entries()) == []


def test_what_is_taken_out_does_not_come_back(tmp_path: Path) -> None:
    leader = Quarantine(tmp_path)
    leader.add([entry(0), entry(9), entry(20)])

    Quarantine(tmp_path).take_out({entry(0).key: "shipped", entry(20).key: "discarded"})
    leader.add([entry(30)])
    after_a_restart = Quarantine(tmp_path)
    after_a_restart.add([entry(0), entry(9), entry(20), entry(30)])

    assert [each.start for each in after_a_restart.entries()] == [9, 30]
    assert after_a_restart.outcomes() == {"shipped": 1, "discarded": 1}
    assert (tmp_path / FILE_NAME).read_bytes().count(b"torn,row") == 2


def test_what_was_taken_out_stays_what_it_was(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.add([entry(0)])

    quarantine.take_out({entry(0).key: "shipped"})
    quarantine.take_out({entry(0).key: "discarded"})

    assert quarantine.outcomes() == {"shipped": 1}


def test_what_is_discarded_while_it_is_delivered_counts_as_delivered(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.add([entry(0)])

    quarantine.take_out({entry(0).key: "discarded"})
    quarantine.take_out({entry(0).key: "shipped"})

    assert quarantine.outcomes() == {"shipped": 1}


def test_a_file_that_somebody_has_removed_is_begun_anew(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.add([entry(0)])
    (tmp_path / FILE_NAME).unlink()

    quarantine.add([entry(0), entry(9)])

    assert list(quarantine.entries()) == [entry(0), entry(9)]


def test_whoever_takes_out_and_does_not_end_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine_module, "_LOCK_SECONDS", 0.0)
    quarantine = Quarantine(tmp_path)

    with quarantine._locked(), pytest.raises(OSError, match="another process holds"):
        Quarantine(tmp_path).add([entry(0)])

    quarantine.add([entry(0)])
    assert list(quarantine.entries()) == [entry(0)]


def test_nothing_is_lost_while_somebody_takes_out(tmp_path: Path) -> None:
    leader, person = Quarantine(tmp_path), Quarantine(tmp_path)

    def add() -> None:
        for n in range(200):
            leader.add([entry(n * 10)])

    with ThreadPoolExecutor() as threads:
        adding = threads.submit(add)
        while not adding.done():
            person.take_out({each.key: "discarded" for each in person.entries()})
        adding.result()

    assert len(list(person.entries())) + person.outcomes()["discarded"] == 200
