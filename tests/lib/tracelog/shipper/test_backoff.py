"""Pauses grow, are spread, and never end."""

from app.lib.tracelog.shipper.backoff import Backoff


def test_the_limit_doubles_up_to_the_cap() -> None:
    backoff = Backoff(0.2, 30.0, draw=lambda: 1.0)

    pauses = [backoff.next() for _ in range(1000)]

    assert pauses[:4] == [0.2, 0.4, 0.8, 1.6]
    assert pauses[-1] == 30.0


def test_pauses_are_drawn_from_the_whole_range() -> None:
    draws = iter([0.5, 0.25, 0.0])
    backoff = Backoff(8.0, 30.0, draw=lambda: next(draws))

    assert [backoff.next() for _ in range(3)] == [4.0, 4.0, 0.05]


def test_after_a_success_it_starts_over() -> None:
    backoff = Backoff(1.0, 30.0, draw=lambda: 1.0)
    for _ in range(5):
        backoff.next()

    backoff.reset()

    assert backoff.next() == 1.0
