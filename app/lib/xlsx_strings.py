"""The strings of a workbook, which cells name by number. They lie in a file and not in memory."""

import tempfile
from array import array
from typing import Final

from app.lib.table_problems import TableProblem
from app.lib.xlsx_archive import Archive, Attributes, XmlPart, unescape

_MOST_CHARACTERS: Final = 32_767
"""What Excel allows in a cell."""

_MOST_STRINGS: Final = 10_000_000
"""Where each one ends is kept in memory, eight bytes a string."""

_TAIL_BYTES: Final = 1 << 20
_SHORT: Final = 40
_MOST_SHORT: Final = 10_000
_END: Final = object()


class TextOf:
    """Gathers the text of an element, of its runs and without the readings of kanji."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._is_text = False
        self._readings = 0

    def clear(self) -> None:
        self._parts.clear()
        self._length = 0

    def start(self, tag: str) -> None:
        if tag == "rPh":
            self._readings += 1
        self._is_text = tag == "t" and not self._readings

    def end(self, tag: str) -> None:
        if tag == "rPh":
            self._readings -= 1
        self._is_text = False

    def add(self, text: str) -> None:
        """Raises `TableProblem`."""
        if self._is_text:
            self._parts.append(text)
            self._length += len(text)
            if self._length > _MOST_CHARACTERS:
                raise TableProblem("damaged")

    def __str__(self) -> str:
        return unescape("".join(self._parts))


class SharedStrings:
    """Reads only as far as it is asked. Raises `TableProblem`."""

    def __init__(self, archive: Archive, part: str | None) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 # closed by `close`
        self._ends = array("Q", [0])
        self._tail = bytearray()
        self._tail_at = 0
        self._short: dict[int, str] = {}
        self._text = TextOf()
        self._pieces = (
            XmlPart(archive, part, self._start, self._end, self._text.add).parse() if part else None
        )

    def close(self) -> None:
        self._file.close()
        if self._pieces:
            self._pieces.close()

    def __getitem__(self, number: int) -> str:
        if (known := self._short.get(number)) is not None:
            return known
        while number >= len(self._ends) - 1:
            if next(self._pieces or iter(()), _END) is _END:
                raise TableProblem("damaged")
        if number < 0:
            raise TableProblem("damaged")
        begin, end = self._ends[number], self._ends[number + 1]
        if begin >= self._tail_at:
            data = bytes(self._tail[begin - self._tail_at : end - self._tail_at])
        else:
            self._file.seek(begin)
            data = self._file.read(end - begin)
        text = data.decode()
        if len(text) <= _SHORT and len(self._short) < _MOST_SHORT:
            self._short[number] = text
        return text

    def _start(self, tag: str, _attributes: Attributes) -> None:
        if tag == "si":
            self._text.clear()
        self._text.start(tag)

    def _end(self, tag: str) -> None:
        self._text.end(tag)
        if tag == "si":
            self._keep(str(self._text).encode())

    def _keep(self, data: bytes) -> None:
        if len(self._ends) > _MOST_STRINGS:
            raise TableProblem("unpacks_to_too_much")
        self._tail += data
        self._ends.append(self._tail_at + len(self._tail))
        if len(self._tail) > _TAIL_BYTES:
            self._file.seek(self._tail_at)
            self._file.write(self._tail)
            self._tail_at += len(self._tail)
            self._tail.clear()
