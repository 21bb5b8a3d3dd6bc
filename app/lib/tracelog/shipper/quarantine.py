"""Where rows and bytes go that can never be delivered, each with the reason.

`$LOG_DIR/quarantine.jsonl` has one JSON object a line. What is in it counts as settled: it is on
the disk before the checkpoint passes it. A replay that meets the same rows or bytes again does not
write them twice; so of what was taken out a line without its content stays.
"""

import base64
import contextlib
import errno
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from app.lib.tracelog.disk import open_file
from app.lib.tracelog.journal import locks

FILE_NAME: Final = "quarantine.jsonl"
_NEXT: Final = ".quarantine.next.jsonl"
_LOCK: Final = ".quarantine.lock"
_LOCK_SECONDS: Final = 10.0

Outcome = Literal["shipped", "discarded"]
"""What became of an entry that was taken out: it is in the store after all, or nowhere."""

Key = tuple[str, int, int]
"""Table, segment and start of an entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Bytes `start` to `end` of a segment: a row that the store rejected, or no row at all.

    `segment` is the id of the segment's first row. `at` is UTC. `outcome` is None while it lies
    here; an entry that was taken out has no `raw`.
    """

    at: str
    table: str
    segment: int
    start: int
    end: int
    reason: str
    raw: bytes
    outcome: Outcome | None = None

    @property
    def key(self) -> Key:
        return self.table, self.segment, self.start


class Quarantine:
    """The quarantine of a log folder. Only the leader adds to it; anybody may take out."""

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._path = log_dir / FILE_NAME
        self._keys: set[Key] | None = None
        self._known = (0, 0)

    def add(self, entries: Sequence[Entry]) -> None:
        """Have the entries on the disk. Raises `OSError`."""
        flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        with self._locked():
            if self._keys is None or self._version() != self._known:
                # Another leader, or somebody who took out, has been here.
                self._keys = {entry.key for entry in self.every()}
            new = {entry.key: entry for entry in entries if entry.key not in self._keys}
            if not new:
                return
            data = "".join(_line(entry) for entry in new.values()).encode()
            fd = open_file(self._path, flags | getattr(os, "O_BINARY", 0))
            with os.fdopen(fd, "ab+") as file:
                if file.seek(0, os.SEEK_END) and not self._ends_a_line():
                    data = b"\n" + data
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self._keys |= new.keys()
            self._known = self._version()

    def entries(self) -> Iterator[Entry]:
        """What lies here, oldest first; lines that a crash left torn are passed over."""
        return (entry for entry in self.every() if entry.outcome is None)

    def outcomes(self) -> Counter[Outcome]:
        """How many entries were taken out, by what became of them."""
        return Counter(entry.outcome for entry in self.every() if entry.outcome is not None)

    def take_out(self, outcomes: Mapping[Key, Outcome]) -> None:
        """Take entries out, once it is certain what became of them. Raises `OSError`."""
        with self._locked():
            next_path = self._log_dir / _NEXT
            fd = open_file(next_path, os.O_WRONLY | os.O_TRUNC)
            with os.fdopen(fd, "wb") as file:
                for entry in self.every():
                    outcome = outcomes.get(entry.key)
                    # What is in the store stays there, whoever has discarded it meanwhile.
                    if outcome == "shipped" or (outcome and entry.outcome is None):
                        entry = replace(entry, raw=b"", outcome=outcome)
                    file.write(_line(entry).encode())
                file.flush()
                os.fsync(file.fileno())
            next_path.replace(self._path)

    def every(self) -> Iterator[Entry]:
        """What lies here and what was taken out."""
        try:
            with self._path.open("rb") as file:
                for line in file:
                    try:
                        yield _parse(line)
                    except (ValueError, LookupError, TypeError, AttributeError):
                        continue
        except FileNotFoundError:
            return

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep whoever takes out from losing what is added at the same moment."""
        fd = open_file(self._log_dir / _LOCK, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        try:
            deadline = time.monotonic() + _LOCK_SECONDS
            while locks.try_lock_if_any(fd) is False:
                if time.monotonic() > deadline:
                    raise OSError(errno.EAGAIN, "another process holds the quarantine")
                time.sleep(0.01)
            yield
        finally:
            os.close(fd)

    def _version(self) -> tuple[int, int]:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return 0, 0
        return stat.st_ino, stat.st_size

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
    if entry.outcome is not None:
        return json.dumps(shown | {"outcome": entry.outcome}) + "\n"
    try:
        shown["text"] = entry.raw.decode()
    except UnicodeDecodeError:
        shown["base64"] = base64.b64encode(entry.raw).decode()
    return json.dumps(shown) + "\n"


def _parse(line: bytes) -> Entry:
    shown = json.loads(line)
    outcome: Outcome | None = shown.get("outcome")
    if outcome is not None:
        raw = b""
    else:
        raw = shown["text"].encode() if "text" in shown else base64.b64decode(shown["base64"])
    return Entry(
        at=str(shown["at"]),
        table=str(shown["table"]),
        segment=int(shown["segment"]),
        start=int(shown["start"]),
        end=int(shown["end"]),
        reason=str(shown["reason"]),
        raw=raw,
        outcome=outcome,
    )
