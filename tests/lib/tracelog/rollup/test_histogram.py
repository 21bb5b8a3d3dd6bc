"""Buckets that add up, and percentiles out of them."""

import random

import pytest

from app.lib.tracelog.rollup.histogram import (
    BOUNDS_MS,
    BUCKETS,
    bounds_of,
    bucket_of,
    percentile,
)


def test_each_duration_lies_within_the_bounds_of_its_bucket() -> None:
    for milliseconds in [0, 0.5, 1, 2, 3, 7, 999, 65_535, 65_536, 10**9]:
        start, end = bounds_of(bucket_of(milliseconds))
        assert start <= milliseconds < (end or float("inf"))
    assert bucket_of(10**9) == BUCKETS - 1


def test_the_bounds_are_those_that_stored_counts_were_made_with() -> None:
    minute = "1 2 3 4 6 8 11 16 23 32 45 64 91 128 181 256 362 512 724 1024 1448 2048 2896 4096"
    minute += " 5793 8192 11585 16384 23170 32768 46341 65536"
    longer = [2**power for power in range(17, 25)]
    assert list(BOUNDS_MS) == [*map(int, minute.split()), *longer]


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_percentiles_are_right_to_a_fifth(share: float) -> None:
    draw = random.Random(7)
    durations = sorted(draw.lognormvariate(4, 1.2) for _ in range(20_000))
    counts = [0] * BUCKETS
    for duration in durations:
        counts[bucket_of(duration)] += 1

    found = percentile(counts, share)

    assert found == pytest.approx(durations[int(share * len(durations))], rel=0.2)


def test_nothing_has_no_percentile_and_the_last_bucket_no_end() -> None:
    assert percentile([0] * BUCKETS, 0.5) is None
    assert percentile([0] * (BUCKETS - 1) + [1], 0.99) == BOUNDS_MS[-1]
