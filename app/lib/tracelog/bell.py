"""Wakes one thread, from wherever it is rung."""

import contextlib
import threading


class Bell:
    """An event that a signal's handler or a finalizer may ring in the middle of anything.

    `threading.Event` is no such thing: whoever rings it while its own thread waits for it, or rings
    it already, waits for ever. Ringing costs next to nothing where it has rung.
    """

    def __init__(self) -> None:
        self._silent = threading.Lock()
        self._silent.acquire()

    def ring(self) -> None:
        if self._silent.locked():
            # Somebody else may ring in between.
            with contextlib.suppress(RuntimeError):
                self._silent.release()

    def wait(self, seconds: float) -> bool:
        """Wait until it rings, or has rung since the last time; whether it did."""
        return self._silent.acquire(timeout=seconds)
