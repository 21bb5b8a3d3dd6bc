"""A disk that is full after so many bytes."""

import errno
from collections.abc import Callable


def short_then_full(real: Callable[[int, bytes], int], taken: int) -> Callable[[int, bytes], int]:
    calls = iter([True])

    def write(fd: int, data: bytes) -> int:
        if next(calls, False):
            return real(fd, data[:taken])
        raise OSError(errno.ENOSPC, "No space left on device")

    return write
