"""The one door to trace logging: CSV first, the store soon after."""

import atexit
import contextlib
import os
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from starlette.background import BackgroundTasks

from app.lib.tracelog.forks import renew_after_forks
from app.lib.tracelog.journal.journal import Fsync
from app.lib.tracelog.recorder import Recorder
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.schema import TASK_PROGRESS_LOGS
from app.lib.tracelog.shipper.accounting import Account, Accountant
from app.lib.tracelog.shipper.beside import Beside, Order
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.steps import Task
from app.lib.tracelog.store.opening import address_of, open_store
from app.lib.tracelog.store.store import Store
from app.lib.tracelog.upkeep.housekeeping import Housekeeper
from app.lib.tracelog.upkeep.retention import Rules

SEGMENT_BYTES: Final = 64 << 20


class TraceLogger(Protocol):
    """What services know of the logger."""

    def log(
        self,
        background_tasks: BackgroundTasks | None,
        table_name: str,
        data: Mapping[str, object],
    ) -> None:
        """Record one row; when this returns it is on the local disk. Never raises."""
        ...

    def task(self, name: str) -> Task:
        """A piece of work, to be entered with `with` or `async with`, that records its steps."""
        ...


class _StepLogger(ABC):
    """`task` in terms of `log`."""

    @abstractmethod
    def log(
        self,
        background_tasks: BackgroundTasks | None,
        table_name: str,
        data: Mapping[str, object],
    ) -> None: ...

    def task(self, name: str) -> Task:
        return Task(name, self._write_step)

    def _write_step(self, row: Mapping[str, object], error: BaseException | None) -> None:
        self.log(None, TASK_PROGRESS_LOGS, row)


class NullLogger(_StepLogger):
    """Records nothing."""

    def log(
        self,
        background_tasks: BackgroundTasks | None,
        table_name: str,
        data: Mapping[str, object],
    ) -> None:
        pass


class CSVOnlyLogger(_StepLogger):
    """Appends each row to `<base_path>/<table>.csv` and delivers nothing.

    Dictionaries and lists become JSON, times UTC, and secrets are taken out. What cannot be written
    is counted, never raised. A file is sealed when it has `segment_bytes`. `fsync` says when rows
    are forced to the disk: `always` each at once, `everysec` those of a second together, or `no`.
    """

    def __init__(
        self,
        base_path: str | Path = "logs",
        *,
        redactor: Redactor | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        fsync: Fsync = "everysec",
    ) -> None:
        self.recorder = Recorder(
            # Whoever goes to another folder leaves the log where it is.
            Path(base_path).absolute(),
            redactor or Redactor(),
            max_bytes=segment_bytes,
            fsync=fsync,
            written=self._written,
        )

    def log(
        self,
        background_tasks: BackgroundTasks | None,
        table_name: str,
        data: Mapping[str, object],
    ) -> None:
        self.recorder.write(table_name, lambda: data)

    def close(self, timeout: float = 5.0) -> None:
        """Force what was written to the disk and let go of the files."""
        self.recorder.close()

    def _write_step(self, row: Mapping[str, object], error: BaseException | None) -> None:
        if error is None:
            self.log(None, TASK_PROGRESS_LOGS, row)
        else:
            self.recorder.write_failure(TASK_PROGRESS_LOGS, row, error)

    def _written(self) -> None:
        pass


class EnhancedCSVLogger(CSVOnlyLogger):
    """CSV at once, Turso in the background, exactly once in effect.

    `turso_url` is a `libsql://`, `https://` or `http://` URL, or `file:PATH` for a local SQLite
    file (default: `trace.db` in `base_path`). Delivery starts with the first row, in a thread of
    its own, and goes on where an earlier process stopped. `rules` say what is kept, and how long.
    With `beside` the thread hands over to a process of its own after the first rows; `log_config`,
    for `logging.config.dictConfig`, says how that tells what goes wrong.
    """

    def __init__(
        self,
        turso_url: str | None = None,
        turso_token: str | None = None,
        base_path: str | Path = "logs",
        *,
        redactor: Redactor | None = None,
        rules: Rules | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        fsync: Fsync = "everysec",
        beside: bool = False,
        log_config: Mapping[str, object] | None = None,
    ) -> None:
        self._beside = beside
        self._log_config = log_config
        self._rules = rules or Rules()
        if self._rules.folder_bytes:
            # Only sealed files can go, so there have to be some before the folder is full.
            segment_bytes = min(segment_bytes, max(self._rules.folder_bytes // 8, 1))
        super().__init__(base_path, redactor=redactor, segment_bytes=segment_bytes, fsync=fsync)
        url = turso_url or f"file:{(Path(base_path) / 'trace.db').as_posix()}"
        if url.startswith("file:"):
            url = f"file:{Path(url.removeprefix('file:')).absolute().as_posix()}"
        self._url = url
        self._token = turso_token or ""
        self._lock = threading.RLock()
        self._starting = threading.Lock()
        self._shipper: Shipper | None = None
        self._shipper_pid = 0
        self._store: Store | None = None
        self._address = address_of(url, self.recorder.log_dir)
        self._accountant = Accountant(
            self.recorder.log_dir, self.recorder.tally, store=self._address
        )
        renew_after_forks(self)

    @property
    def store(self) -> Store:
        """The store, for questions; its calls block."""
        with self._lock:
            if self._store is None:
                self._store = open_store(self._url, self._token)
            return self._store

    @property
    def shipper(self) -> Shipper:
        """The delivering side; it works once it is started."""
        with self._lock:
            if self._shipper is None or self._shipper_pid != os.getpid():
                self._shipper_pid = os.getpid()
                log_dir = self.recorder.log_dir
                self._shipper = Shipper(
                    log_dir,
                    lambda: open_store(self._url, self._token),
                    housekeeper=Housekeeper(log_dir, self._rules, self._accountant),
                    beside=self._process_beside(),
                    address=self._address,
                )
            return self._shipper

    def _process_beside(self) -> Beside | None:
        # Where files cannot be handed to another process, neither can the lock.
        if not self._beside or sys.platform == "win32":
            return None
        log_dir = str(self.recorder.log_dir)
        return Beside(Order(log_dir, self._url, self._token, self._rules, self._log_config))

    def status(self) -> Account:
        """What became of all rows of the log folder, whichever process wrote them. Reads files."""
        # One that is made here would not be started by the next row.
        shipper = self._shipper if self._shipper_pid == os.getpid() else None
        return self._accountant.account(shipper.progress if shipper is not None else None)

    def start(self) -> None:
        """Start delivering now, without waiting for the first row."""
        if not self._starting.acquire(blocking=False):
            # Another thread does, or this one, which a signal has interrupted.
            return
        try:
            self.shipper.start()
            atexit.register(self.close, 1.0)
        finally:
            self._starting.release()

    def close(self, timeout: float = 5.0) -> None:
        """Deliver what waits, for at most `timeout` seconds, and let go of everything."""
        atexit.unregister(self.close)
        super().close()
        with self._lock:
            shipper, self._shipper = self._shipper, None
            store, self._store = self._store, None
        if shipper is not None and self._shipper_pid == os.getpid():
            shipper.drain(timeout)
            shipper.stop(1.0)
        if store is not None:
            with contextlib.suppress(OSError):
                store.close()

    def _written(self) -> None:
        shipper = self._shipper
        if shipper is None or self._shipper_pid != os.getpid() or not shipper.began:
            self.start()
        else:
            shipper.wake()

    def renew_after_fork(self) -> None:
        # Another thread may have held them, and is not here to release them.
        self._lock, self._starting = threading.RLock(), threading.Lock()
