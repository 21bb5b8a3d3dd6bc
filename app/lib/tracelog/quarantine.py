"""Where rows and bytes go that can never be delivered, each with the reason.

`$LOG_DIR/quarantine.jsonl` has one JSON object a line. What is in it counts as settled: it is on
the disk before the checkpoint passes it. A replay that meets the same rows or bytes again does not
write them twice.
"""

import base64
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FILE_NAME: Final = "quarantine.jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
    """Bytes `start` to `end` of a segment: a row that the store rejected, or no row at all.

    `segment` is the id of the segment's first row. `at` is UTC.
    """

    at: str
    table: str
    segment: int
    start: int
    end: int
    reason: str
    raw: bytes

    @property
    def key(self) -> tuple[str, int, int]:
        return self.table, self.segment, self.start


class Quarantine:
    """The quarantine of a log folder. Only the leader adds to it."""

    def __init__(self, log_dir: Path) -> None:
        self._path = log_dir / FILE_NAME
        self._keys: set[tuple[str, int, int]] | None = None

    def add(self, entries: Sequence[Entry]) -> None:
        """Have the entries on the disk. Raises `OSError`."""
        if self._keys is None:
            self._keys = {entry.key for entry in self.entries()}
        new = {entry.key: entry for entry in entries if entry.key not in self._keys}
        if not new:
            return
        data = "".join(_line(entry) for entry in new.values()).encode()
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        fd = os.open(self._path, flags | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(fd, "ab+") as file:
            if file.seek(0, os.SEEK_END) and not self._ends_a_line():
                data = b"\n" + data
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._keys |= new.keys()

    def entries(self) -> Iterator[Entry]:
        """What lies here, oldest first; lines that a crash left torn are passed over."""
        try:
            with self._path.open("rb") as file:
                for line in file:
                    try:
                        yield _parse(line)
                    except (ValueError, LookupError, TypeError):
                        continue
        except FileNotFoundError:
            return

    def _ends_a_line(self) -> bool:
        with self._path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"


def _line(entry: Entry) -> str:
    shown: dict[str, Any] = {
        "at": entry.at,
        "table": entry.table,
        # Text, since many readers of JSON round numbers of 19 digits.
        "segment": str(entry.segment),
        "start": entry.start,
        "end": entry.end,
        "reason": entry.reason,
    }
    try:
        shown["text"] = entry.raw.decode()
    except UnicodeDecodeError:
        shown["base64"] = base64.b64encode(entry.raw).decode()
    return json.dumps(shown) + "\n"


def _parse(line: bytes) -> Entry:
    shown = json.loads(line)
    return Entry(
        at=str(shown["at"]),
        table=str(shown["table"]),
        segment=int(shown["segment"]),
        start=int(shown["start"]),
        end=int(shown["end"]),
        reason=str(shown["reason"]),
        raw=shown["text"].encode() if "text" in shown else base64.b64decode(shown["base64"]),
    )
