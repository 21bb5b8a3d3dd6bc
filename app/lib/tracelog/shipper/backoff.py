"""How long to wait before the next try."""

import random
from collections.abc import Callable
from typing import Final

_FASTEST: Final = 0.05

draw_evenly: Final[Callable[[], float]] = random.Random().random  # noqa: S311 # it is no secret
"""A number from 0 to 1, out of a source of our own: seeding the common one is others' business."""


class Backoff:
    """Pauses with full jitter: each is drawn from 0 to a limit that doubles from `base` to `cap`.

    Drawing from the whole range keeps many clients of a server that comes back from coming all at
    once. It never gives up. Times are in seconds; `draw` returns a number from 0 to 1.
    """

    def __init__(self, base: float, cap: float, draw: Callable[[], float] = draw_evenly) -> None:
        self._base = base
        self._cap = cap
        self._draw = draw
        self._limit = base

    def next(self) -> float:
        pause = self._draw() * self._limit
        self._limit = min(self._limit * 2, self._cap)
        return max(pause, _FASTEST)

    def reset(self) -> None:
        self._limit = self._base
