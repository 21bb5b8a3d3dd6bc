"""A bounded memory of answers, faster to ask than `functools.lru_cache`."""

import sys
from collections.abc import Callable, Sized
from typing import TypeVar

K = TypeVar("K", bound=Sized)
V = TypeVar("V")


class Memo(dict[K, V]):
    """`memo[key]` is `make(key)`, computed once. A full memo starts anew; one of size 0 is none.

    What is asked with a key longer than `longest` is computed each time, so that hostile ones
    cannot fill the memory. It may be asked from any thread: at worst an answer is computed twice.
    """

    __slots__ = ("_longest", "_make", "_size")

    def __init__(self, make: Callable[[K], V], *, size: int, longest: int = sys.maxsize) -> None:
        super().__init__()
        self._make = make
        self._size = size
        self._longest = longest

    def __missing__(self, key: K) -> V:
        value = self._make(key)
        if self._size and len(key) <= self._longest:
            if len(self) >= self._size:
                self.clear()
            self[key] = value
        return value
