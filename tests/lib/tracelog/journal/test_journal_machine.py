"""A machine that drives the journal over a file system which fails at any call."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, get_args

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.lib.tracelog import codec, disk
from app.lib.tracelog.journal import files, journal, reader
from app.lib.tracelog.journal.journal import Fsync, Journal
from app.lib.tracelog.store.store import id_of
from tests.lib.tracelog.rows import API, api_row, read_all

CALLS: Final = (
    "open", "write", "pread", "ftruncate", "stat", "fstat", "link", "unlink", "rename", "dup",
    "fsync", "close",
)  # fmt: skip
ERRORS: Final = (errno.ENOSPC, errno.EIO, errno.EMFILE)
Fault = Literal["fails", "is short", "crashes before", "crashes in the middle", "crashes after"]
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)


def some(*sizes: int) -> st.SearchStrategy[list[int]]:
    """The sizes of rows that are appended at once."""
    return st.lists(st.sampled_from(sizes), min_size=1, max_size=4)


class Crash(BaseException):
    """The process is gone, before, during or after a system call."""


class FaultyOS:
    """The `os` module, but the call numbered `at` fails, is short, or never comes back.

    A disk that is full stays so: the calls after that one fail as well.
    """

    def __init__(self, name: str, fault: Fault, at: int, part: float, error: int) -> None:
        self.name = name
        self.fault = fault
        self.at = at
        self.part = part
        self.error = error
        self.seen = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return self._faulty(real) if name == self.name else real

    def _faulty(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            self.seen += 1
            if self.seen < self.at:
                return real(*args)
            if self.seen == self.at:
                if self.name == "write" and self.fault in {"is short", "crashes in the middle"}:
                    fd, data = args
                    written = real(fd, data[: int(len(data) * self.part)])
                    if self.fault == "is short":
                        return written
                elif self.fault == "crashes after" or self.name == "close":
                    # A descriptor is gone even where closing it fails.
                    real(*args)
                if self.fault.startswith("crashes"):
                    raise Crash
            elif self.name == "close":
                return real(*args)
            raise OSError(self.error, os.strerror(self.error))

        return call


class JournalMachine(RuleBasedStateMachine):
    """Three processes append to one journal; any of them may die and come back at any time."""

    @initialize(fsync=st.sampled_from(["always", "everysec", "no"]))
    def begin(self, fsync: Fsync) -> None:
        self.fsync = fsync
        self.folder = Path(tempfile.mkdtemp())
        self.journals = [self.process() for _ in range(3)]
        self.kept: list[int] = []
        self.refused: set[int] = set()
        self.doubtful: set[int] = set()
        self.sealed: dict[Path, bytes] = {}

    def process(self) -> Journal:
        return Journal(self.folder / "logs", API, max_bytes=3_000, fsync=self.fsync)

    def lines(self, sizes: list[int]) -> tuple[list[int], bytes]:
        rows = [api_row("x" * size) for size in sizes]
        return [id_of(row) for row in rows], b"".join(codec.encode(API, row) for row in rows)

    @rule(who=st.integers(0, 2), sizes=some(1, 50, 900, 5_000))
    def append(self, who: int, sizes: list[int]) -> None:
        ids, lines = self.lines(sizes)
        self.journals[who].append(lines, ids[0])
        self.kept += ids

    @rule(
        who=st.integers(0, 2),
        sizes=some(1, 900),
        name=st.sampled_from(CALLS),
        fault=st.sampled_from(FAULTS),
        at=st.integers(1, 3),
        part=st.floats(0, 1),
        error=st.sampled_from(ERRORS),
    )
    def append_with_fault(
        self, who: int, sizes: list[int], name: str, fault: Fault, at: int, part: float, error: int
    ) -> None:
        ids, lines = self.lines(sizes)
        with pytest.MonkeyPatch.context() as patch:
            faulty_os = FaultyOS(name, fault, at, part, error)
            for module in (journal, files, disk):
                patch.setattr(module, "os", faulty_os)
            try:
                self.journals[who].append(lines, ids[0])
            except OSError:
                self.refused.update(ids)
            except Crash:
                self.doubtful.update(ids)
                self.die(who)
            else:
                self.kept += ids

    @rule(who=st.integers(0, 2))
    def die(self, who: int) -> None:
        self.journals[who]._close()
        self.journals[who] = self.process()

    @rule(who=st.integers(0, 2), fault=st.sampled_from(["fails", None]))
    def sync(self, who: int, fault: Fault | None) -> None:
        with pytest.MonkeyPatch.context() as patch:
            if fault:
                patch.setattr(journal, "os", FaultyOS("fsync", fault, 1, 0, errno.EIO))
            self.journals[who].sync()

    @invariant()
    def each_returned_row_is_there_once(self) -> None:
        rows, bad = read_all(self.folder / "logs")
        ids = [row[0] for row in rows]
        assert len(ids) == len(set(ids))
        assert set(self.kept) <= set(ids)
        # What counts as lost is not there, or it would be in two places of the account.
        assert set(ids) <= set(self.kept) | self.doubtful
        assert len(bad) <= len(self.refused | self.doubtful)

    @invariant()
    def sealed_files_never_change(self) -> None:
        for segment in reader.list_segments(self.folder / "logs", API):
            if segment.sealed:
                content = segment.path.read_bytes()
                assert self.sealed.setdefault(segment.path, content) == content

    def teardown(self) -> None:
        for target in self.journals:
            target.close()
        shutil.rmtree(self.folder, ignore_errors=True)


JournalMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.generate],  # a failure's steps are read faster than they are shrunk
)
TestJournalMachine = JournalMachine.TestCase
