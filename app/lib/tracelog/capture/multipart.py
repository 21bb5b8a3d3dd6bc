"""The parts of a multipart form, read piece by piece as it passes.

Of what is kept of a body they have their content, of what follows their heads and sizes.
"""

import re
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import unquote_to_bytes

from app.lib.tracelog.capture.field_text import decode

MAX_PARTS: Final = 1000
_BLANK: Final = b"\r\n\r\n"
_MAX_HEAD: Final = 4096
_MAX_HEADS: Final = 16_384
"""How many bytes of heads there are at most in memory of parts whose content is not kept."""

_AT_ONCE: Final = 65_536

_MAX_BOUNDARY: Final = 200
_FORM: Final = re.compile(rb"\s*multipart/form-data\s*(?=;)", re.IGNORECASE)
_AFTER_DELIMITER: Final = re.compile(rb"--|[ \t]{0,64}+(?=\r\n)")
_UNDECIDED: Final = re.compile(rb"-|[ \t]{0,64}\r?")
_PARAMETER: Final = re.compile(
    r';\s{0,8}([\w\-]{1,40}\*?)\s{0,8}=\s{0,8}(?:"((?:[^"\\]++|\\.)*+)"?|([^;]*+))'
)


@dataclass(slots=True)
class Part:
    """A part. `size` is that of its content in bytes; `complete` says whether its end was seen."""

    head: bytes
    content: bytearray = field(default_factory=bytearray)
    size: int = 0
    complete: bool = False

    def headers(self) -> dict[str, str]:
        """By lower-case names."""
        headers = {}
        for line in self.head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            headers[name.strip().lower().decode("latin-1")] = decode(value.strip())[0]
        return headers


def parameters(disposition: str) -> dict[str, str]:
    """The parameters of a Content-Disposition: `name`, `filename` and others.

    Of a file's two names it is the one with an encoding; of a field's the one that apps look at.
    """
    found: dict[str, str] = {}
    encoded: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(disposition):
        value = re.sub(r"\\(.)", r"\1", quoted) or bare.strip()
        if name.endswith("*"):
            escaped = value.rpartition("'")[2].encode()
            encoded[name[:-1].lower()] = decode(unquote_to_bytes(escaped))[0]
        else:
            found[name.lower()] = value
    if "filename" in encoded:
        found.pop("filename", None)
    return encoded | found


class Parts:
    """Reads the body that it is fed with. What comes before the first delimiter is left out."""

    def __init__(self, boundary: bytes) -> None:
        self.found: list[Part] = []
        self.count = 0
        """How many there are; `found` has at most `MAX_PARTS`, and none with too long a head."""
        self._delimiter = b"\r\n--" + boundary
        # A delimiter begins a line, and the body begins with one.
        self._rest = b"\r\n"
        self._keeps = True
        self._head: bytes | None = None
        self._part: Part | None = None
        self._room = _MAX_HEADS
        self._is_over = False

    @classmethod
    def of(cls, content_type: bytes) -> Self | None:
        """For a body of this type; None where it is no multipart form."""
        match = _FORM.match(content_type)
        if match is None:
            return None
        boundary = parameters(content_type[match.end() :].decode("latin-1")).get("boundary", "")
        return cls(boundary.encode("latin-1")) if 0 < len(boundary) <= _MAX_BOUNDARY else None

    def feed(self, data: bytes, *, keep: bool, start: int = 0) -> None:
        """Read on, in `data` from `start`; with `keep` the parts have what stands there."""
        self._keeps = keep
        # However much comes at once, little of it is in memory twice.
        for at in range(start, len(data), _AT_ONCE):
            self._read(self._rest + data[at : at + _AT_ONCE])

    def _read(self, data: bytes) -> None:
        start = 0
        while not self._is_over and (at := data.find(self._delimiter, start)) >= 0:
            end = at + len(self._delimiter)
            if (after := _AFTER_DELIMITER.match(data, end)) is None:
                if _UNDECIDED.fullmatch(data, end):
                    self._take(data[start:at])
                    self._rest = data[at:]
                    return
                # It only begins like one, as of a form within a file.
                self._take(data[start:end])
                start = end
                continue
            self._take(data[start:at])
            self._end_part()
            self._is_over = after[0] == b"--"
            self._head = b""
            start = after.end()
        if self._is_over:
            self._rest = b""
            return
        end = max(start, len(data) - len(self._delimiter) + 1)
        self._take(data[start:end])
        self._rest = data[end:]

    def end(self) -> list[Part]:
        """All that was found; nothing more comes."""
        if self._rest.startswith(self._delimiter):
            self._end_part()
        else:
            self._take(self._rest)
        self._rest = b""
        return self.found

    def _take(self, data: bytes) -> None:
        """Data between two delimiters."""
        if self._head is not None:
            self._head += data
            head, blank, data = self._head.partition(_BLANK)
            if blank and len(head) <= _MAX_HEAD:
                self._head = None
                self._begin_part(head)
            elif len(self._head) > _MAX_HEAD + len(_BLANK):
                self._head = None
                self.count += 1
        if self._head is None and self._part is not None:
            self._part.size += len(data)
            if self._keeps:
                self._part.content += data

    def _begin_part(self, head: bytes) -> None:
        self.count += 1
        self._part = Part(head)
        self._room -= 0 if self._keeps else len(head)
        if self._room >= 0 and len(self.found) < MAX_PARTS:
            self.found.append(self._part)

    def _end_part(self) -> None:
        if self._part is not None:
            self._part.complete = True
        self._part = None
