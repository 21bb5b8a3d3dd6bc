"""Ids rise, have 19 digits, and differ between threads, processes and clock steps."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from app.lib.tracelog.ids import MAX_ID, MIN_ID, IdGenerator, time_of
from tests.lib.tracelog.forks import child_does, forks

NOW_NS = 1_795_000_000_123_456_789


def draw(count: int) -> list[int]:
    generator = IdGenerator()
    return [generator.next() for _ in range(count)]


def test_ids_are_63_bit_with_19_digits_and_rise() -> None:
    ids = draw(10_000)

    assert all(a < b for a, b in pairwise(ids))
    assert all(len(str(i)) == 19 and i <= MAX_ID for i in ids)


def test_ids_stay_19_digits_until_2086() -> None:
    start_2016 = IdGenerator(0, lambda: 1_451_606_400 * 10**9 + 8 * 365 * 86_400 * 10**9).next()
    end_2085 = IdGenerator(4095, lambda: 3_660_000_000 * 10**9).next()

    assert len(str(start_2016)) == len(str(end_2085)) == 19
    assert end_2085 <= MAX_ID


def test_an_id_tells_when_it_was_made() -> None:
    assert time_of(IdGenerator(7, lambda: NOW_NS).next()) == NOW_NS // 1000 / 1_000_000


def test_a_clock_that_steps_back_makes_no_id_twice() -> None:
    times = iter([NOW_NS, NOW_NS - 3_600 * 10**9, NOW_NS - 7_200 * 10**9, NOW_NS + 10**9])
    generator = IdGenerator(1, lambda: next(times))

    ids = [generator.next() for _ in range(4)]

    assert ids == sorted(set(ids))


@pytest.mark.parametrize("seconds", [-1, 0, 1_000_000_000, 4_000_000_000, 9_000_000_000])
def test_a_clock_that_was_never_set_makes_ids_even_so(seconds: int) -> None:
    generator = IdGenerator(0, lambda: seconds * 10**9)

    ids = [generator.next() for _ in range(3)]

    assert ids == sorted(set(ids))
    assert all(MIN_ID <= i <= MAX_ID for i in ids)


def test_threads_of_one_process_never_share_an_id() -> None:
    generator = IdGenerator()
    barrier = threading.Barrier(8)

    def work(_: int) -> list[int]:
        barrier.wait()
        return [generator.next() for _ in range(5_000)]

    with ThreadPoolExecutor(8) as pool:
        ids = [i for part in pool.map(work, range(8)) for i in part]

    assert len(set(ids)) == 40_000


def test_ids_of_a_forked_process_rise_too_and_tell_when_they_were_made() -> None:
    generator = IdGenerator(4095, lambda: NOW_NS)
    before = generator.next()
    generator.renew_after_fork()

    ids = [before, *(generator.next() for _ in range(3))]

    assert ids == sorted(set(ids))
    assert [time_of(i) for i in ids] == [(NOW_NS // 1000 + n) / 1_000_000 for n in range(4)]


class TestAFork:
    pytestmark = forks

    def test_while_another_thread_draws_an_id_keeps_the_child_from_none(self) -> None:
        generator = IdGenerator()

        assert child_does(generator.next, while_held=generator._lock)


@forks
def test_a_forked_process_does_not_share_its_parents_node() -> None:
    node_mask = 4095
    generator = IdGenerator()
    parent = generator.next() & node_mask
    read_end, write_end = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write_end, str(generator.next() & node_mask).encode())
        os._exit(0)
    os.waitpid(child, 0)
    with os.fdopen(read_end) as answer:
        os.close(write_end)
        assert int(answer.read()) != parent
