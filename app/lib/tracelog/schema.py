"""The two tables of the trace log, column for column.

The log database and the header of the CSV files share these columns, in this order.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["id", "text", "json", "int", "time"]
Value = str | int | None
Row = tuple[Value, ...]
"""The values of one row, in the order of its table's columns."""

API_LOGS: Final = "api_logs"
TASK_PROGRESS_LOGS: Final = "task_progress_logs"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `json` is text holding JSON, `time` is UTC as `YYYY-MM-DD HH:MM:SS.mmm`."""

    name: str
    kind: Kind
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the trace log. The first column is the id, the last is `created_at`."""

    name: str
    columns: tuple[Column, ...]
    ddl: tuple[str, ...]
    column_names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "column_names", tuple(column.name for column in self.columns))


_API_LOGS = Table(
    API_LOGS,
    (
        Column("id", "id", required=True),
        Column("trace_id", "text", required=True),
        Column("method", "text", required=True),
        Column("endpoint", "text", required=True),
        Column("request_header", "json"),
        Column("request_body", "json"),
        Column("response_status", "int"),
        Column("response_body", "json"),
        Column("duration_ms", "int"),
        Column("ip_address", "text"),
        Column("user_id", "int"),
        Column("created_at", "time", required=True),
    ),
    (
        """CREATE TABLE IF NOT EXISTS api_logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, trace_id TEXT NOT NULL, method TEXT NOT NULL,
    endpoint TEXT NOT NULL, request_header TEXT, request_body TEXT, response_status INTEGER,
    response_body TEXT, duration_ms INTEGER, ip_address TEXT, user_id INTEGER,
    created_at DATETIME DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW'))
)""",
        "CREATE INDEX IF NOT EXISTS idx_api_logs_trace_id ON api_logs (trace_id)",
        "CREATE INDEX IF NOT EXISTS idx_api_logs_created_at ON api_logs (created_at)",
        "CREATE INDEX IF NOT EXISTS idx_api_logs_status ON api_logs (response_status)",
    ),
)

_TASK_PROGRESS_LOGS = Table(
    TASK_PROGRESS_LOGS,
    (
        Column("id", "id", required=True),
        Column("trace_id", "text", required=True),
        Column("task_name", "text", required=True),
        Column("step_name", "text", required=True),
        Column("status", "text", required=True),
        Column("input_data", "json"),
        Column("output_data", "json"),
        Column("error_message", "text"),
        Column("stack_trace", "text"),
        Column("execution_order", "int"),
        Column("created_at", "time", required=True),
    ),
    (
        """CREATE TABLE IF NOT EXISTS task_progress_logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, trace_id TEXT NOT NULL, task_name TEXT NOT NULL,
    step_name TEXT NOT NULL, status TEXT NOT NULL, input_data TEXT, output_data TEXT,
    error_message TEXT, stack_trace TEXT, execution_order INTEGER DEFAULT 0,
    created_at DATETIME DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW'))
)""",
        "CREATE INDEX IF NOT EXISTS idx_task_progress_trace_id ON task_progress_logs (trace_id)",
        "CREATE INDEX IF NOT EXISTS idx_task_progress_created_at"
        " ON task_progress_logs (created_at)",
    ),
)

TABLES: Final[dict[str, Table]] = {t.name: t for t in (_API_LOGS, _TASK_PROGRESS_LOGS)}

STATUSES: Final = ("START", "IN_PROGRESS", "SUCCESS", "FAILED")
