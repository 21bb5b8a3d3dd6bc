"""How the app's process deals with memory."""

import ctypes

OBJECTS_A_COLLECTION = 10_000
"""What a dozen requests hold at a time is no garbage, and Python's 700 are fewer than that."""

# Of glibc's malloc.h.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8


def give_memory_back() -> None:
    """Have glibc return large blocks to the system.

    It learns from each one that is freed to keep the next: the 19 MB of a password's hash would
    stay with the process, and another 19 MB with each thread that made one.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # another C library, which does otherwise
    mallopt(_M_MMAP_THRESHOLD, 256 * 1024)
    mallopt(_M_ARENA_MAX, 2)
