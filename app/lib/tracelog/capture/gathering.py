"""Has the rows of requests that end in the same turn of the event loop written together.

Under load several requests end in a turn. Made one after the other their lines cost less, since the
code and data of that are in the processor's caches by then, and they are appended at once.
"""

import asyncio
import itertools
from collections.abc import Callable, Generator
from typing import Final

from app.lib.tracelog.recorder import Recorder

_APART: Final = (15, 14)
"""How many are written at once after one that was alone, before another waits for company.

By turns, since of sixteen that always come together the sixteenth would be alone each time.
"""


class Group:
    """Rows to be written together, by whichever of their requests goes on first."""

    __slots__ = ("_gathering", "loop", "makers")

    def __init__(self, gathering: "Gathering", loop: asyncio.AbstractEventLoop) -> None:
        self._gathering = gathering
        self.loop = loop
        self.makers: list[Callable[[int], bytes]] = []

    def __await__(self) -> Generator[None, None, None]:
        try:
            # What asyncio takes as: let everybody else have a turn.
            yield
        finally:
            # Also where the request is cancelled; the others may be, too.
            self.write()

    def write(self) -> None:
        """Write the rows, unless that was done. They are in the journal when this returns."""
        if self.makers:
            self._gathering.write(self)


class Gathering:
    """Writes lines into one table. It may be asked from any thread and any event loop."""

    def __init__(self, recorder: Recorder, table_name: str) -> None:
        self._recorder = recorder
        self._table_name = table_name
        self._group: Group | None = None
        self._apart = 0
        self._next_apart = itertools.cycle(_APART)

    def add(self, make_line: Callable[[int], bytes]) -> Group | None:
        """A group that is to be awaited; the row is in the journal then. None if it is already."""
        if self._apart > 0:
            self._apart -= 1
            self._recorder.write_line(self._table_name, make_line)
            return None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # It is another library's loop.
            self._recorder.write_line(self._table_name, make_line)
            return None
        group = self._group
        if group is None or group.loop is not loop:
            group = self._group = Group(self, loop)
        group.makers.append(make_line)
        return group

    def write(self, group: Group) -> None:
        if self._group is group:
            self._group = None
        makers, group.makers = group.makers, []
        if len(makers) == 1:
            self._apart = next(self._next_apart)
        self._recorder.write_lines(self._table_name, makers)
