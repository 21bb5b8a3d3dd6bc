"""Rows of the trace log for tests of its readers, at moments that the test sets."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.lib.tracelog import codec
from app.lib.tracelog.ids import IdGenerator
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Row
from app.lib.tracelog.store.store import Batch, Store

START = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)


class LogBook:
    """Writes rows as the app does, at `now`, which a test moves on by milliseconds."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now
        self.rows: dict[str, list[Row]] = {name: [] for name in TABLES}
        self._ids = IdGenerator(
            node=7, clock_ns=lambda: int(self.now.timestamp() * 1_000_000) * 1000
        )

    def clock(self) -> datetime:
        return self.now

    def after(self, milliseconds: float) -> "LogBook":
        self.now += timedelta(milliseconds=milliseconds)
        return self

    def request(
        self,
        path: str = "/items",
        status: int = 200,
        *,
        method: str = "GET",
        trace: str = "3f2a1b9c-0000-4000-8000-000000000001",
        user: int | None = 1,
        duration: int = 0,
        **more: object,
    ) -> str:
        """A request that ends now and took `duration` milliseconds; its row's id."""
        arrived = (self.now - timedelta(milliseconds=duration)).timestamp()
        return self._add(
            API_LOGS,
            {
                "trace_id": trace,
                "method": method,
                "endpoint": path,
                "response_status": status,
                "duration_ms": duration,
                "user_id": user,
                "created_at": arrived,
                **more,
            },
        )

    def step(
        self,
        task: str,
        step: str,
        status: str,
        *,
        order: int = 1,
        trace: str = "3f2a1b9c-0000-4000-8000-000000000001",
        **more: object,
    ) -> str:
        values = {"task_name": task, "step_name": step, "status": status, "trace_id": trace}
        return self._add(TASK_PROGRESS_LOGS, {**values, "execution_order": order, **more})

    def deliver(self, store: Store) -> None:
        """Put all rows into the store."""
        store.migrate()
        store.insert(Batch(self.rows))

    def write_csv(self, log_dir: Path) -> None:
        """Put all rows into CSV files, as they stand there before they are delivered."""
        log_dir.mkdir(exist_ok=True)
        for name, rows in self.rows.items():
            table = TABLES[name]
            lines = [codec.header(table), *(codec.encode(table, row) for row in rows)]
            (log_dir / f"{name}.csv").write_bytes(b"".join(lines))

    def _add(self, table: str, values: Mapping[str, object]) -> str:
        row_id = self._ids.next()
        now = self.now.timestamp()
        row = make_row(TABLES[table], values, row_id=row_id, trace_id="-", now=now)
        self.rows[table].append(row)
        return str(row_id)
