"""The archive that an `.xlsx` file is, opened with care: its parts, as XML read in pieces."""

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
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

_END: Final = struct.Struct("<4s4H2LH")
_END_SIGNATURE: Final = b"PK\x05\x06"
_ZIP64_SIGNATURE: Final = b"PK\x06\x07"
_ZIP64_BYTES: Final = 20
_LONGEST_COMMENT: Final = 1 << 16
_IS_ENCRYPTED: Final = 0x1
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SURROGATES: Final = range(0xD800, 0xE000)


@contextmanager
def open_archive(path: Path, most_bytes: int) -> Iterator[zipfile.ZipFile]:
    """An archive that unpacks to at most `most_bytes`. Raises `TableProblem`."""
    _check_directory(path)
    with _readable(), zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > most_bytes:
            raise TableProblem("unpacks_to_too_much")
        for part in parts:
            if part.flag_bits & _IS_ENCRYPTED:
                raise TableProblem("encrypted")
            if part.compress_type not in _METHODS:
                raise TableProblem("damaged")
        yield archive


class XmlPart:
    """One part of an archive. `parse` calls the handlers, a piece of the part at each `next`.

    Names are without their namespace. A document type, which could define entities, is refused.
    """

    def __init__(
        self,
        archive: zipfile.ZipFile,
        name: str,
        start: Callable[[str, Attributes], None],
        end: Callable[[str], object],
        text: Callable[[str], None] | None = None,
    ) -> None:
        self._archive = archive
        self._name = name
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = lambda tag, given: start(tag.rpartition(":")[2], given)
        parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
        parser.StartDoctypeDeclHandler = _refuse
        if text is not None:
            parser.CharacterDataHandler = text

    def parse(self) -> Generator[None]:
        """Raises `TableProblem`."""
        with _readable(), self._archive.open(self._name) as file:
            fed = 0
            while chunk := file.read(_CHUNK):
                self._parser.Parse(chunk, False)  # noqa: FBT003 # expat takes it so
                fed += len(chunk)
                if fed - self._parser.CurrentByteIndex > _TOKEN:
                    raise TableProblem("damaged")
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
    # zipfile raises these, the first for a kind of ZIP that it cannot read, where sizes and names
    # make no sense.
    except (NotImplementedError, UnicodeError, struct.error, OverflowError, ValueError) as error:
        raise TableProblem("damaged") from error


def _check_directory(path: Path) -> None:
    """Look at how long the list of parts is before `zipfile` reads all of it."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _LONGEST_COMMENT - _END.size - _ZIP64_BYTES))
        tail = file.read()
    place = tail.rfind(_END_SIGNATURE)
    if place < 0 or len(tail) - place < _END.size:
        raise TableProblem("damaged")
    directory = _END.unpack_from(tail, place)[5]
    # Archives of more than 4 GB have a second list of another form.
    has_other = tail[max(0, place - _ZIP64_BYTES) :].startswith(_ZIP64_SIGNATURE)
    if directory > _DIRECTORY or has_other:
        raise TableProblem("damaged")
