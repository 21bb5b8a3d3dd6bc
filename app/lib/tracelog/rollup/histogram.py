"""Durations in log-spaced buckets: they add up over any time, and percentiles come out of them.

Two bounds per doubling up to a minute, then one: a percentile is right to about a fifth.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

_HALF_STEPS: Final = range(33)
_WHOLE_STEPS: Final = range(17, 25)

BOUNDS_MS: Final[tuple[int, ...]] = tuple(
    sorted({round(2 ** (step / 2)) for step in _HALF_STEPS} | {2**step for step in _WHOLE_STEPS})
)
"""Where a bucket ends and the next begins: 1, 2, 3, 4, 6, 8, 11, … ms. The last is 4.7 hours."""

BUCKETS: Final = len(BOUNDS_MS) + 1


def bucket_of(milliseconds: float) -> int:
    """The bucket of a duration: the first is below 1 ms, the last has no end."""
    return bisect_right(BOUNDS_MS, milliseconds)


def bounds_of(bucket: int) -> tuple[int, int | None]:
    """From how many milliseconds on a bucket reaches, and to how many; the last has no end."""
    start = BOUNDS_MS[bucket - 1] if bucket else 0
    return start, BOUNDS_MS[bucket] if bucket < len(BOUNDS_MS) else None


def percentile(counts: Sequence[int], share: float) -> float | None:
    """The duration in ms under which `share` (0 to 1) of all lie; None without any.

    Within a bucket they are taken to be spread evenly.
    """
    total = sum(counts)
    if not total:
        return None
    wanted, seen = share * total, 0
    for bucket, count in enumerate(counts):
        if count and seen + count >= wanted:
            start, end = bounds_of(bucket)
            return start + ((end or start) - start) * max(wanted - seen, 0) / count
        seen += count
    return float(BOUNDS_MS[-1])
