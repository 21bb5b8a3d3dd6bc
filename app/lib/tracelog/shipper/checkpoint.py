"""How far the journal has been delivered, on disk.

The checkpoint may lag behind the store and never leads it: it is written after the store has the
rows. Losing it, or a part of it, costs a replay, which the store recognises. So a checkpoint that
is damaged is simply not used: its copy from the time before is, or none.

Only the leader saves it. One that was replaced while it was stopped must not do so when it moves
again, at whatever point of `save` it was stopped.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

import orjson

from app.lib.tracelog.disk import exists, open_file, sync_folder

FILE_NAME: Final = ".checkpoint.json"
_PREVIOUS: Final = ".checkpoint.previous.json"
COPIES: Final = (FILE_NAME, _PREVIOUS)
"""From the newest on."""

_EVERY_NEXT: Final = ".checkpoint.next.*.json"
_DAMAGED: Final = (ValueError, LookupError, TypeError, AttributeError)


class Replaced(OSError):
    """Another process leads by now, so this one's checkpoint is of no use any more."""


@dataclass(slots=True)
class Counters:
    """What became of the rows up to the checkpoint's offsets, since the journal began.

    `shipped` rows are in the store; `known` of them were there already when they were sent.
    `collisions` is how many of them are stored under another id. `quarantined` counts rows and
    damaged spans that lie in quarantine. `dropped` rows were in segments that had to make room, or
    that somebody removed: `lost_bytes` of those were not delivered, and of `reckoned_bytes` of them
    the rows are in `dropped` by now.
    """

    shipped: int = 0
    known: int = 0
    collisions: int = 0
    quarantined: int = 0
    batches: int = 0
    retries: int = 0
    dropped: int = 0
    lost_bytes: int = 0
    reckoned_bytes: int = 0


@dataclass(slots=True)
class Checkpoint:
    """Offsets in bytes by table name and by the id of the segment's first row.

    `state` and `last_error` are the shipper's, for other processes to show. `unsaved` tells that
    the disk does not have all of this. `lock` is held by who changes counters and offsets together.
    `given_up` are segments whose rows count as dropped, until their files are gone; `removed_to`
    is the highest id in the files that are gone, by table. `store` is the address of the one that
    rows go to, empty where nobody knows; `elsewhere` has how many went to others before, by their
    addresses. `line` is the same in all that were saved one after the other, and `term` how many
    have taken one of them over. `leads` tells whether we are the leader. `folder_removed_at` is
    when, on the monotonic clock, the folder was found to be a new one, or its active file another.
    `under_way` are the segments, by table and first id, whose rows the store is just being given.
    """

    log_dir: Path
    offsets: dict[str, dict[int, int]] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)
    state: str = ""
    last_error: str = ""
    given_up: dict[str, set[int]] = field(default_factory=dict)
    removed_to: dict[str, int] = field(default_factory=dict)
    store: str = ""
    elsewhere: dict[str, int] = field(default_factory=dict)
    line: str = ""
    term: int = 0
    unsaved: bool = field(default=False, compare=False)
    folder_removed_at: float | None = field(default=None, compare=False)
    under_way: set[tuple[str, int]] = field(default_factory=set, compare=False)
    lock: threading.RLock = field(default_factory=threading.RLock, compare=False, repr=False)
    leads: Callable[[], bool] = field(default=lambda: True, compare=False, repr=False)
    _next_name: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        self._next_name = _EVERY_NEXT.replace("*", secrets.token_hex(4))

    @classmethod
    def load(cls, log_dir: Path) -> "Checkpoint":
        """The newest one that is whole, or an empty one. Never raises."""
        try:
            return cls.newest(log_dir)
        except OSError:
            return cls(log_dir)

    @classmethod
    def newest(cls, log_dir: Path) -> "Checkpoint":
        """The same, but raises `OSError` where there may be one that just cannot be read now.

        Whoever began anew then would take all that it covers, and that is gone, for lost.
        """
        unreadable: OSError | None = None
        for name in COPIES:
            try:
                return _parse(log_dir, (log_dir / name).read_bytes())
            except FileNotFoundError:
                continue
            except OSError as error:
                unreadable = error
            except _DAMAGED:
                continue
        if unreadable is not None:
            raise unreadable
        return cls(log_dir)

    @classmethod
    def take_over(cls, log_dir: Path, leads: Callable[[], bool]) -> "Checkpoint":
        """The same for a new leader. What an earlier one was about to save comes to nothing.

        Raises `OSError` as `newest` does.
        """
        for unfinished in log_dir.glob(_EVERY_NEXT):
            with contextlib.suppress(OSError):
                unfinished.unlink()
        checkpoint = cls.newest(log_dir)
        checkpoint.leads = leads
        checkpoint.line = checkpoint.line or secrets.token_hex(8)
        checkpoint.term += 1
        return checkpoint

    def snapshot(self) -> "Checkpoint":
        """A copy in which counters and offsets belong together, whatever another thread does."""
        with self.lock:
            offsets = {table: dict(of_table) for table, of_table in self.offsets.items()}
            given_up = {table: set(of_table) for table, of_table in self.given_up.items()}
            counters, removed_to = replace(self.counters), dict(self.removed_to)
        return Checkpoint(
            self.log_dir, offsets, counters, self.state, self.last_error, given_up, removed_to,
            self.store, dict(self.elsewhere), self.line, self.term,
        )  # fmt: skip

    def offset(self, table: str, first_id: int) -> int:
        return self.offsets.get(table, {}).get(first_id, 0)

    def advance(self, table: str, first_id: int, offset: int) -> None:
        self.offsets.setdefault(table, {})[first_id] = offset
        self.unsaved = True

    def forget_before(self, table: str, first_id: int) -> None:
        """Drop the offsets of segments older than the oldest that is left. Raises `OSError`."""
        for older in [key for key in self.offsets.get(table, {}) if 0 < key < first_id]:
            # A folder that may not be listed for a moment seems to have none of them.
            if not exists(self.log_dir / f"{table}.{older}.csv"):
                del self.offsets[table][older]
                self.unsaved = True

    def note(self, state: str, last_error: str) -> bool:
        """Take down how it goes; whether that is news."""
        if (self.state, self.last_error) == (state, last_error):
            return False
        self.state, self.last_error, self.unsaved = state, last_error, True
        return True

    def has_gone_further(self, ours: "Checkpoint") -> bool:
        """Whether this one, which is on the disk, knows more than the one that we had."""
        if self.line == ours.line and self.term > ours.term:
            # The same rows in fewer batches are more.
            return True
        return self.counters.batches >= ours.counters.batches

    def join(self, earlier: "Checkpoint") -> None:
        """Know what an earlier one of this line covers, whose files may be back."""
        if earlier.line == self.line:
            for table, of_table in earlier.offsets.items():
                self.offsets[table] = {**of_table, **self.offsets.get(table, {})}
            for table, given_up in earlier.given_up.items():
                self.given_up.setdefault(table, set()).update(given_up)

    def in_others(self, store: str) -> dict[str, int]:
        """How many of the shipped rows went to other stores than this one, by their addresses."""
        others = dict(self.elsewhere)
        if self.store and self.store != store:
            others[self.store] = self.counters.shipped - sum(others.values())
        return {address: rows for address, rows in others.items() if rows and address != store}

    def deliver_to(self, store: str) -> None:
        """Count what is shipped from now on as this one's."""
        with self.lock:
            self.elsewhere, self.store, self.unsaved = self.in_others(store), store, True

    def save(self) -> None:
        """Write it so that at any moment a whole one is on the disk. Raises `OSError`.

        Raises `Replaced` if we do not lead. That is asked when the new file is there: whoever takes
        over after that removes it, and so the last step fails.
        """
        state = {
            "counters": asdict(self.counters),
            "elsewhere": self.elsewhere,
            "given_up": {
                table: [str(first_id) for first_id in sorted(of_table)]
                for table, of_table in sorted(self.given_up.items())
            },
            "last_error": self.last_error,
            "line": self.line,
            "offsets": {
                table: {str(first_id): offset for first_id, offset in sorted(offsets.items())}
                for table, offsets in sorted(self.offsets.items())
            },
            "removed_to": {table: str(row_id) for table, row_id in self.removed_to.items()},
            "state": self.state,
            "store": self.store,
            "term": self.term,
        }
        data = orjson.dumps({"checksum": _checksum(state), **state}, option=orjson.OPT_INDENT_2)
        current, following = self.log_dir / FILE_NAME, self.log_dir / self._next_name
        try:
            with open(following, "wb", opener=open_file) as file:  # Path has no opener
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if not self.leads():
                raise _replaced()
        except OSError:
            with contextlib.suppress(OSError):
                following.unlink()
            raise
        # One that was damaged meanwhile must not cost us the copy: two such would be one too many.
        if _is_whole(current):
            with contextlib.suppress(FileNotFoundError):
                current.replace(self.log_dir / _PREVIOUS)
        try:
            following.replace(current)
        except FileNotFoundError:
            raise _replaced() from None
        self.unsaved = False
        sync_folder(self.log_dir)


def _is_whole(path: Path) -> bool:
    try:
        _parse(path.parent, path.read_bytes())
    except (OSError, *_DAMAGED):
        return False
    return True


def _parse(log_dir: Path, data: bytes) -> Checkpoint:
    state = orjson.loads(data)
    if state.pop("checksum") != _checksum(state):
        raise ValueError("the checksum is another")
    known = {each.name for each in fields(Counters)}
    counters = {name: int(count) for name, count in state["counters"].items() if name in known}
    offsets = {
        table: {int(first_id): int(offset) for first_id, offset in of_table.items()}
        for table, of_table in state["offsets"].items()
    }
    given_up = {
        table: {int(first_id) for first_id in of_table}
        for table, of_table in state.get("given_up", {}).items()
    }
    return Checkpoint(
        log_dir,
        offsets,
        Counters(**counters),
        str(state["state"]),
        str(state["last_error"]),
        given_up,
        {table: int(row_id) for table, row_id in state.get("removed_to", {}).items()},
        str(state.get("store", "")),
        {address: int(rows) for address, rows in state.get("elsewhere", {}).items()},
        str(state.get("line", "")),
        int(state.get("term", 0)),
    )


def _checksum(state: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(state, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _replaced() -> Replaced:
    return Replaced(errno.EPERM, "another process delivers by now")
