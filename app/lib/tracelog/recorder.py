"""Takes rows as dictionaries and has them in the journal when it returns; never raises."""

import contextlib
import datetime as dt
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final

from app.lib.tracelog import codec
from app.lib.tracelog.bell import Bell
from app.lib.tracelog.forks import renew_after_forks
from app.lib.tracelog.ids import IdGenerator
from app.lib.tracelog.journal.journal import Fsync, IdTaken, Journal, PartlyAppended
from app.lib.tracelog.journal.tally import Tally
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import TABLES, Table
from app.lib.tracelog.trace import current_trace, new_trace_id

log = logging.getLogger("tracelog")

COMPLAINT_SECONDS: Final = 60.0
"""How often a loss that goes on is told in the app's own log."""

STACK_TRACE_CHARS: Final = 32_768

_TOGETHER_BYTES: Final = 262_144
"""How much is appended at once at most: who else writes to the file waits that long for it."""


class Recorder:
    """The writing side of the trace log.

    `written` is called after each append.
    """

    def __init__(
        self,
        log_dir: Path,
        redactor: Redactor,
        *,
        max_bytes: int = 64 << 20,
        fsync: Fsync = "everysec",
        written: Callable[[], None] = lambda: None,
    ) -> None:
        self.log_dir = log_dir
        self.redactor = redactor
        self.journals = {
            name: Journal(log_dir, table, max_bytes=max_bytes, fsync=fsync)
            for name, table in TABLES.items()
        }
        self.tally = Tally(log_dir)
        self._fsync = fsync
        self._ids = IdGenerator()
        self._written = written
        self._lost = self._told = 0
        self._complained = -COMPLAINT_SECONDS
        self._syncer_pid = 0
        self._closed = Bell()
        renew_after_forks(self)

    def renew_after_fork(self) -> None:
        # What the parent has lost, it tells.
        self._lost = self._told = 0

    def write(
        self,
        table_name: str,
        make: Callable[[], Mapping[str, object]],
        *,
        redacted: bool = False,
    ) -> None:
        """Write the row that `make` returns; unless `redacted`, secrets are taken out first."""

        def make_line(row_id: int) -> bytes:
            table = TABLES[table_name]
            data = make()
            if not redacted:
                data = redact_row(self.redactor, table, data)
            trace = current_trace()
            trace_id = trace.trace_id if trace else new_trace_id()
            now = time.time()
            row = make_row(table, data, row_id=row_id, trace_id=trace_id, now=now)
            return codec.encode(table, row)

        self.write_line(table_name, make_line)

    def write_failure(
        self, table_name: str, data: Mapping[str, object], error: BaseException
    ) -> None:
        """Write the row of `data` with what is to be told of an exception."""

        def make() -> Mapping[str, object]:
            # A stack trace is long, and what `failure` gives holds no secrets any more.
            clean = redact_row(self.redactor, TABLES[table_name], data)
            return {**clean, **self.failure(error, "")}

        self.write(table_name, make, redacted=True)

    def write_line(self, table_name: str, make_line: Callable[[int], bytes]) -> None:
        """Write the line that `make_line` returns for a row id; it holds no secrets."""
        try:
            if sys.is_finalizing():
                self._write_at_the_end(table_name, make_line)
                return
            row_id = self._ids.next()
            journal = self.journals[table_name]
            try:
                journal.append(make_line(row_id), row_id)
            except IdTaken:
                # Another process has drawn the same, and begun a file with it.
                row_id = self._ids.next()
                journal.append(make_line(row_id), row_id)
        # Whatever goes wrong here, the work that is being recorded must go on.
        except Exception as error:  # noqa: BLE001
            self._lose(table_name, error)
            return
        self._count(1)

    def _write_at_the_end(self, table_name: str, make_line: Callable[[int], bytes]) -> None:
        """A finalizer's row, when Python itself ends: threads are no more, and cannot be started.

        So nothing is used that one of them may have held locked.
        """
        self.journals[table_name].append_apart(make_line(IdGenerator().next()))
        tally = Tally(self.log_dir)
        tally.add(appended=1)
        tally.close()

    def write_lines(self, table_name: str, makers: Sequence[Callable[[int], bytes]]) -> None:
        """`write_line` for each; they go into the journal together, in this order."""
        if len(makers) == 1:
            self.write_line(table_name, makers[0])
            return
        lines: list[bytes] = []
        made: list[Callable[[int], bytes]] = []
        first_id = size = 0
        for make_line in makers:
            try:
                row_id = self._ids.next()
                line = make_line(row_id)
            # As above, and the others have rows as well.
            except Exception as error:  # noqa: BLE001
                self._lose(table_name, error)
                continue
            if size + len(line) > _TOGETHER_BYTES and lines:
                self._append(table_name, lines, first_id, made)
                lines, made, size = [], [], 0
            if not lines:
                first_id = row_id
            lines.append(line)
            made.append(make_line)
            size += len(line)
        if lines:
            self._append(table_name, lines, first_id, made)

    def _append(
        self,
        table_name: str,
        lines: Sequence[bytes],
        first_id: int,
        makers: Sequence[Callable[[int], bytes]],
    ) -> None:
        """Append lines, and those one by one that cannot be appended together."""
        whole = len(lines)
        try:
            self.journals[table_name].append(b"".join(lines), first_id)
        except PartlyAppended as error:
            ends = accumulate(map(len, lines))
            whole = sum(end <= error.left for end in ends)
        # Why is told when one fails alone, as on a full disk; most often there is room for some.
        except Exception as error:  # noqa: BLE001
            log.debug("Rows of the trace log are appended one by one: %s", error)
            whole = 0
        if whole:
            self._count(whole)
        for make_line in makers[whole:]:
            self.write_line(table_name, make_line)

    def _count(self, rows: int) -> None:
        self.tally.add(appended=rows)
        try:
            if self._syncer_pid != os.getpid() and self._fsync == "everysec":
                self._start_syncer()
            self._written()
        except RuntimeError as error:
            # No thread is to be had now; the row is in the journal, and the next one asks again.
            log.debug("The trace log cannot start a thread: %s", error)

    def _lose(self, table_name: str, error: Exception) -> None:
        self.tally.add(dropped=1)
        self._complain(table_name, error)

    def failure(self, error: BaseException | None, message: str) -> dict[str, object]:
        """`error_message` and `stack_trace` of an exception, without secrets."""
        if error is None:
            return {"error_message": message}
        stack = _stack_of(error)
        name, text = type(error).__name__, _text_of(error)
        what = f"{name}: {text}" if text else name
        return {
            "error_message": self.redactor.text(what),
            "stack_trace": self.redactor.ends(stack, STACK_TRACE_CHARS),
        }

    def close(self) -> None:
        """Sync the journal and let go of its files; a later row opens them again."""
        self._tell_the_rest()
        self._closed.ring()
        self._syncer_pid = 0
        for journal in self.journals.values():
            journal.close()
        self.tally.close()

    def _start_syncer(self) -> None:
        self._closed = closed = Bell()

        def sync_each_second() -> None:
            # Of two threads that start one at the same moment the later one's stays.
            while not closed.wait(1.0) and self._closed is closed:
                # What fails now, as where somebody closes files of others, may not a second later.
                with contextlib.suppress(OSError):
                    for journal in self.journals.values():
                        journal.sync()
                    self.tally.renew_if_damaged()

        threading.Thread(target=sync_each_second, name="tracelog-sync", daemon=True).start()
        self._syncer_pid = os.getpid()

    def _complain(self, table_name: str, error: Exception) -> None:
        self._lost += 1
        now = time.monotonic()
        if now - self._complained < COMPLAINT_SECONDS:
            return
        self._complained, self._told = now, self._lost
        # A filter of the app's may raise, and so does Python where too much calls each other.
        with contextlib.suppress(Exception):
            reason = _text_of(error) or type(error).__name__
            # What cannot even be a name, as a list, raises another error, which says so.
            if isinstance(error, KeyError) and table_name not in TABLES:
                reason = f"unknown table {table_name!r}"
            log.error(
                "The trace log lost a row (%s so far in this process): %s", self._lost, reason
            )

    def _tell_the_rest(self) -> None:
        """Tell how many were lost in all, where some were since that was told last."""
        lost, told, self._told = self._lost, self._told, self._lost
        if lost > told:
            # As in _complain().
            with contextlib.suppress(Exception):
                log.error(
                    "The trace log lost %s rows more (%s in this process).", lost - told, lost
                )


def _text_of(error: BaseException) -> str:
    """What an exception says, if its `__str__` works."""
    try:
        return str(error)
    # It is foreign code, and may raise whatever it likes.
    except Exception:  # noqa: BLE001
        return "its text cannot be made"


def _stack_of(error: BaseException) -> str:
    """An exception with its stack, as Python prints it, or at least where it was raised."""
    try:
        return "".join(traceback.format_exception(error))
    # As above: its notes, causes and lines are foreign code, too.
    except Exception:  # noqa: BLE001
        return "".join(traceback.format_tb(error.__traceback__))


def redact_row(redactor: Redactor, table: Table, data: Mapping[str, object]) -> dict[str, object]:
    """The values of a row by column, or by a name that is no column, without secrets."""
    kinds = {column.name: column.kind for column in table.columns}
    clean: dict[str, object] = {}
    for key, value in data.items():
        kind = kinds.get(key)
        if kind == "text" and isinstance(value, str):
            clean[key] = redactor.text(value) if key != "trace_id" else value
        elif kind in {"int", "time", "id"} and isinstance(value, (int, float, dt.datetime)):
            clean[key] = value
        elif isinstance(value, str) and kind == "json":
            parsed = codec.parse_json(value)
            clean[key] = redactor.text(value) if parsed is None else redactor.value(parsed)
        elif kind:
            clean[key] = redactor.value(value)
        else:
            # It stands for itself, so a secret one hides its value.
            shown = redactor.value({key: value})
            clean.update(shown if isinstance(shown, dict) else {})
    return clean
