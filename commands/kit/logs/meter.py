"""Tells on standard error how far a long work has come."""

import sys
import time
from typing import Final

from commands.kit.words import text

_TERMINAL_SECONDS: Final = 0.2
_FILE_SECONDS: Final = 5.0


class Meter:
    """Counts rows, and bytes of `total_bytes` where those are known; shown on a terminal, or if
    `wanted` anywhere."""

    def __init__(self, total_bytes: int = 0, *, wanted: bool = False) -> None:
        self.rows = 0
        self.bytes = 0
        self._total_bytes = total_bytes
        self._on_terminal = sys.stderr.isatty()
        self._is_shown = wanted or self._on_terminal
        self._began = time.monotonic()
        self._next = self._began + _TERMINAL_SECONDS

    def add(self, rows: int, size: int = 0) -> None:
        self.rows += rows
        self.bytes += size
        now = time.monotonic()
        if self._is_shown and now >= self._next:
            self._next = now + (_TERMINAL_SECONDS if self._on_terminal else _FILE_SECONDS)
            self._show(now)

    def end(self) -> None:
        """Show the last state and leave the line."""
        if self._is_shown:
            self._show(time.monotonic())
            if self._on_terminal:
                print(file=sys.stderr)

    def _show(self, now: float) -> None:
        rate = self.rows / max(now - self._began, 0.001)
        shown = text("logs_progress", rows=f"{self.rows:,}", rate=f"{rate:,.0f}")
        if self._total_bytes:
            shown += f"  {min(self.bytes / self._total_bytes, 1):.0%}"
        if self._on_terminal:
            print(f"\r{shown}\x1b[K", end="", file=sys.stderr, flush=True)
        else:
            print(shown, file=sys.stderr, flush=True)
