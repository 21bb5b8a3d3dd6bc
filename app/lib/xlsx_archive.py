"""The archive that an `.xlsx` file is, opened with care: its parts, as XML read in pieces."""

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.parsers import expat

from app.lib.table_problems import TableProblem

Attributes = dict[str, str]

_CHUNK: Final = 1 << 14
"""Short: a cell of some bytes may stand for a text of some thousand."""

_TOKEN: Final = 1 << 20
"""The longest tag or text that is waited for."""

_DIRECTORY: Final = 1 << 20
"""Most bytes of an archive's list of parts; each part of it takes some hundred bytes of memory."""

_DEEPEST: Final = 64
_MOST_NAMES: Final = 10_000
"""Of tags and attributes. The parser keeps each name, and each tag that is open."""

_NOT_MUCH: Final = 1 << 26
_MOST_TIMES: Final = 250
"""To so many times its size an archive may unpack, beyond what is not much. A sheet of one word in
all its cells is 23 times as large as its part."""

_END: Final = struct.Struct("<4s4H2LH")
_END_SIGNATURE: Final = b"PK\x05\x06"
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_END_64_SIGNATURE: Final = b"PK\x06\x06"
_PLACE_64_SIGNATURE: Final = b"PK\x06\x07"
_PLACE_64_BYTES: Final = 20
_LONGEST_COMMENT: Final = 1 << 16
_IS_ENCRYPTED: Final = 0x1
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SURROGATES: Final = range(0xD800, 0xE000)


Look = Callable[[], None]
"""Called every few thousand characters; ends the reading by raising."""


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that is open, and who looks on while its parts are read."""

    parts: zipfile.ZipFile
    look: Look


@contextmanager
def open_archive(path: Path, most_bytes: int, look: Look) -> Iterator[Archive]:
    """An archive that unpacks to at most `most_bytes`. Raises `TableProblem`."""
    _check_directory(path)
    with _readable(), zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        unpacked = sum(part.file_size for part in parts)
        if unpacked > min(most_bytes, max(_NOT_MUCH, _MOST_TIMES * path.stat().st_size)):
            raise TableProblem("unpacks_to_too_much")
        for part in parts:
            if part.flag_bits & _IS_ENCRYPTED:
                raise TableProblem("encrypted")
            if part.compress_type not in _METHODS:
                raise TableProblem("damaged")
        yield Archive(archive, look)


class XmlPart:
    """One part of an archive. `parse` calls the handlers, a piece of the part at each `next`.

    Names are without their namespace. A document type, which could define entities, is refused.
    """

    def __init__(
        self,
        archive: Archive,
        name: str,
        start: Callable[[str, Attributes], None],
        end: Callable[[str], object],
        text: Callable[[str], None] | None = None,
        most_bytes: int | None = None,
    ) -> None:
        self._archive = archive
        self._name = name
        self._most_bytes = most_bytes
        self._names: dict[str, str] = {}
        self._parser = parser = expat.ParserCreate(None, None, self._names)
        depth = 0

        def opened(tag: str, given: Attributes) -> None:
            nonlocal depth
            depth += 1
            if depth > _DEEPEST:
                raise TableProblem("damaged")
            start(tag.rpartition(":")[2] if ":" in tag else tag, given)

        def closed(tag: str) -> None:
            nonlocal depth
            depth -= 1
            end(tag.rpartition(":")[2] if ":" in tag else tag)

        parser.buffer_text = True
        parser.StartElementHandler = opened
        parser.EndElementHandler = closed
        parser.StartDoctypeDeclHandler = _refuse
        if text is not None:
            parser.CharacterDataHandler = text

    def parse(self) -> Generator[None]:
        """Raises `TableProblem`."""
        with _readable(), self._archive.parts.open(self._name) as file:
            fed = 0
            while chunk := file.read(_CHUNK):
                self._archive.look()
                self._parser.Parse(chunk, False)  # noqa: FBT003 # expat takes it so
                fed += len(chunk)
                if fed - self._parser.CurrentByteIndex > _TOKEN or len(self._names) > _MOST_NAMES:
                    raise TableProblem("damaged")
                if self._most_bytes and fed > self._most_bytes:
                    raise TableProblem("unpacks_to_too_much")
                yield
            self._parser.Parse(b"", True)  # noqa: FBT003
            yield


def unescape(text: str) -> str:
    """`text` with the characters that Excel writes as `_x000D_`."""
    return _ESCAPE.sub(_character, text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return found[0] if code in _SURROGATES else chr(code)


def _refuse(*_names: object) -> None:
    raise TableProblem("damaged")


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, KeyError) as error:
        raise TableProblem("damaged") from error
    # zipfile's own: NotImplementedError is its word for a kind of ZIP that it cannot read, the
    # others come of sizes and names that make no sense.
    except (NotImplementedError, UnicodeError, struct.error, OverflowError, ValueError) as error:
        raise TableProblem("damaged") from error


def _check_directory(path: Path) -> None:
    """Look at how long the list of parts is before `zipfile` reads all of it."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _LONGEST_COMMENT - _END.size - _PLACE_64_BYTES - _END_64.size))
        tail = file.read()
    place = tail.rfind(_END_SIGNATURE)
    if place < 0 or len(tail) - place < _END.size:
        raise TableProblem("damaged")
    directory = _END.unpack_from(tail, place)[5]
    # Some programs write, however small the archive is, what only large ones need.
    place_64 = place - _PLACE_64_BYTES
    if place_64 >= 0 and tail.startswith(_PLACE_64_SIGNATURE, place_64):
        end_64 = place_64 - _END_64.size
        if end_64 < 0 or not tail.startswith(_END_64_SIGNATURE, end_64):
            raise TableProblem("damaged")
        directory = _END_64.unpack_from(tail, end_64)[8]
    if directory > _DIRECTORY:
        raise TableProblem("damaged")
