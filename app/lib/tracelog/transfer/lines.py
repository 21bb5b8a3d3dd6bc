"""The lines of a CSV file as text, of which those of the latest row can be read once more."""

from collections import deque
from typing import BinaryIO, Final

MOST_ROW: Final = 1 << 26
"""A row has about so many bytes at most; of a longer line the rest is passed over."""

_LINE: Final = 64
"""What a kept line takes beside its text: a row may have millions of empty ones."""


class Lines:
    """`number` lines were read, and `position` bytes of the file.

    They end early for a row that is too long, or of which it is known that its quote has no end.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.number = 0
        self.position = 0
        self._file = file
        self._kept: deque[str] = deque()
        self._first_kept = 1
        self._chars = 0
        self._open_until = 0

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        place = self.number + 1 - self._first_kept
        if place and (self.number < self._open_until or self._chars > MOST_ROW):
            raise StopIteration
        if place < len(self._kept):
            line = self._kept[place]
        else:
            line = self._read()
            self._kept.append(line)
        self.number += 1
        self._chars += len(line) + _LINE
        return line

    def keep_from(self, number: int) -> None:
        """Begin a row with this line, and forget those before it."""
        while self._first_kept < number:
            self._kept.popleft()
            self._first_kept += 1
        self._chars = 0

    def go_back_to(self, number: int) -> None:
        """Have this line come next, since the latest row has no end.

        Its quote was open at the end of each of its lines but the last. Whichever row's quote is
        open there, too, goes the same way: to find out anew would take the square of the time.
        """
        self._open_until = max(self._open_until, self.number)
        self.number = number - 1

    def _read(self) -> str:
        line = rest = self._file.readline(MOST_ROW)
        self.position += len(line)
        while len(rest) == MOST_ROW and not rest.endswith(b"\n"):
            rest = self._file.readline(MOST_ROW)
            self.position += len(rest)
        if not line:
            raise StopIteration
        return line.decode(errors="surrogateescape")
