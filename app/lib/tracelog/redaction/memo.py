"""A bounded memory of answers, faster to ask than `functools.lru_cache`."""

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memo(dict[K, V]):
    """`memo[key]` is `make(key)`, computed once. A full memo starts anew; one of size 0 is none.

    It may be asked from any thread: at worst an answer is computed twice.
    """

    __slots__ = ("_size", "make")

    def __init__(self, make: Callable[[K], V], *, size: int) -> None:
        super().__init__()
        self.make = make
        self._size = size

    def __missing__(self, key: K) -> V:
        value = self.make(key)
        if self._size:
            if len(self) >= self._size:
                self.clear()
            self[key] = value
        return value
