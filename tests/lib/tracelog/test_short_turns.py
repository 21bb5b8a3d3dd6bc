"""Work in the background lets requests pass, and is done even so."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.lib.tracelog.short_turns import (
    MOST_SECONDS,
    give_way,
    latest_request,
    work_in_the_background,
)

NOW = 1000.0


@pytest.fixture(autouse=True)
def no_request() -> Iterator[None]:
    latest_request.began = 0.0
    yield
    latest_request.began = 0.0


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    """A thread that works in the background."""
    with ThreadPoolExecutor(1, initializer=work_in_the_background) as pool:
        yield pool


def pauses(background: ThreadPoolExecutor, pausing: Callable[[], None] = lambda: None) -> int:
    """How often the thread sleeps when it gives way; `pausing` happens meanwhile."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        pausing()

    background.submit(give_way, sleep, lambda: NOW).result()
    assert sum(slept) < 0.0011
    return len(slept)


def test_without_a_request_the_others_get_a_short_turn(background: ThreadPoolExecutor) -> None:
    assert pauses(background) == 1


def test_a_request_that_has_begun_is_waited_for_until_it_ends(
    background: ThreadPoolExecutor,
) -> None:
    left = 3

    def pausing() -> None:
        nonlocal left
        left -= 1
        latest_request.began = NOW if left else 0.0

    assert pauses(background, pausing) == 3


def test_requests_without_end_hold_the_work_up_for_a_millisecond_at_most(
    background: ThreadPoolExecutor,
) -> None:
    latest_request.began = NOW

    assert 1 < pauses(background) < 10


def test_while_requests_come_without_end_two_thirds_of_the_time_are_for_the_work(
    background: ThreadPoolExecutor,
) -> None:
    now = waited = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now, waited
        # Whoever wants the interpreter back waits for his turn.
        now += seconds + 0.0005
        waited += seconds + 0.0005

    def clock() -> float:
        return now

    def work() -> None:
        nonlocal now
        for _ in range(10_000):
            now += 0.0012
            latest_request.began = now
            give_way(sleep, clock)

    background.submit(work).result()
    assert 0.6 < (now - waited) / now < 0.7


def test_a_stream_that_has_been_open_for_long_is_not_waited_for(
    background: ThreadPoolExecutor,
) -> None:
    latest_request.began = NOW - MOST_SECONDS * 2

    assert pauses(background) == 1


def test_a_thread_that_somebody_waits_for_does_not_pause() -> None:
    latest_request.began = NOW
    slept: list[float] = []

    thread = threading.Thread(target=give_way, args=(slept.append, lambda: NOW))
    thread.start()
    thread.join()

    assert slept == []
