"""Takes rows as dictionaries and has them in the journal when it returns; never raises."""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from app.lib.tracelog import codec
from app.lib.tracelog.ids import IdGenerator
from app.lib.tracelog.journal import Fsync, Journal
from app.lib.tracelog.redact import Redactor
from app.lib.tracelog.schema import TABLES, Table
from app.lib.tracelog.trace import current_trace, new_trace_id

log = logging.getLogger("tracelog")

COMPLAINT_SECONDS: Final = 60.0
"""How often a loss that goes on is told in the app's own log."""

STACK_TRACE_CHARS: Final = 32_768


class Recorder:
    """The writing side of the trace log.

    `written` is called after each row. `appended` counts rows in the journal, `dropped` rows that
    could not be written, both of this process.
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
        self.appended = 0
        self.dropped = 0
        self._ids = IdGenerator()
        self._written = written
        self._count = threading.Lock()
        self._complained = -COMPLAINT_SECONDS

    def write(
        self,
        table_name: str,
        make: Callable[[], Mapping[str, object]],
        *,
        redacted: bool = False,
    ) -> None:
        """Write the row that `make` returns; unless `redacted`, secrets are taken out first."""
        try:
            table = TABLES[table_name]
            data = make()
            if not redacted:
                data = self._redact(table, data)
            trace = current_trace()
            row_id = self._ids.next()
            row = codec.make_row(
                table,
                data,
                row_id=row_id,
                trace_id=trace.trace_id if trace else new_trace_id(),
                now=time.time(),
            )
            self.journals[table_name].append(codec.encode(table, row), row_id)
        # Whatever goes wrong here, the work that is being recorded must go on.
        except Exception as error:  # noqa: BLE001
            self._lost(table_name, error)
            return
        with self._count:
            self.appended += 1
        self._written()

    def failure(self, error: BaseException | None, message: str) -> dict[str, object]:
        """`error_message` and `stack_trace` of an exception, without secrets."""
        if error is None:
            return {"error_message": message}
        stack = "".join(traceback.format_exception(error))
        if len(stack) > STACK_TRACE_CHARS:
            stack = stack[:1000] + "\n…\n" + stack[-STACK_TRACE_CHARS + 1000 :]
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return {
            "error_message": self.redactor.text(what),
            "stack_trace": self.redactor.text(stack),
        }

    def sync(self) -> None:
        for journal in self.journals.values():
            journal.sync()

    def close(self) -> None:
        for journal in self.journals.values():
            journal.close()

    def _redact(self, table: Table, data: Mapping[str, object]) -> dict[str, object]:
        kinds = {column.name: column.kind for column in table.columns}
        clean: dict[str, object] = {}
        for key, value in data.items():
            kind = kinds.get(key)
            if kind == "text" and isinstance(value, str):
                clean[key] = self.redactor.text(value) if key != "trace_id" else value
            elif kind in {"text", "int", "time", "id"}:
                clean[key] = value
            elif isinstance(value, str) and kind == "json":
                clean[key] = self._redact_json(value)
            else:
                # A key that is no column stands for itself, so a secret one hides its value.
                clean[key] = self.redactor.value(value) if kind else self._extra(key, value)
        return clean

    def _redact_json(self, text: str) -> object:
        parsed = codec.parse_json(text)
        return self.redactor.text(text) if parsed is None else self.redactor.value(parsed)

    def _extra(self, key: str, value: object) -> object:
        shown = self.redactor.value({key: value})
        return shown.get(key) if isinstance(shown, dict) else None

    def _lost(self, table_name: str, error: Exception) -> None:
        with self._count:
            self.dropped += 1
            now = time.monotonic()
            if now - self._complained < COMPLAINT_SECONDS:
                return
            self._complained = now
        reason = f"unknown table {table_name!r}" if isinstance(error, KeyError) else str(error)
        log.error(
            "The trace log in %s lost a row (%s lost so far): %s",
            self.log_dir,
            self.dropped,
            reason,
        )
