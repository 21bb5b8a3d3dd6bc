"""The lines of a CSV file as text, of which those of the latest row can be read once more."""

from collections import deque
from collections.abc import Iterator


class Lines:
    """`number` lines were read, and `position` bytes of the file."""

    def __init__(self, raw: Iterator[bytes]) -> None:
        self.number = 0
        self.position = 0
        self._raw = raw
        self._kept: deque[str] = deque()
        self._first_kept = 1

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        place = self.number + 1 - self._first_kept
        if place < len(self._kept):
            line = self._kept[place]
        else:
            data = next(self._raw)
            self.position += len(data)
            line = data.decode(errors="surrogateescape")
            self._kept.append(line)
        self.number += 1
        return line

    def keep_from(self, number: int) -> None:
        """Forget the lines before this one."""
        while self._first_kept < number:
            self._kept.popleft()
            self._first_kept += 1

    def go_back_to(self, number: int) -> None:
        """Have this line come next."""
        self.number = number - 1
