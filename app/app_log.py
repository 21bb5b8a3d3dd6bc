"""What the app says about itself, on standard output: a line of JSON each in production.

It is for operators: a start, a server that does not answer, a failure. What users do is in the
trace log; the trace id leads there.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from app.config import Settings
from app.lib.tracelog.trace import current_trace


def logging_config(settings: Settings) -> dict[str, Any]:
    """For `logging.config.dictConfig`, and for uvicorn, whose own messages then look the same."""
    formatter = JSONLines if settings.environment == "production" else ReadableLines
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "line",
            }
        },
        "root": {"handlers": ["stdout"], "level": "WARNING"},
        "loggers": {"app.start": {"level": "INFO"}},
    }


class JSONLines(logging.Formatter):
    """One JSON object a line, whatever the message or the stack trace holds."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace := current_trace():
            entry["trace_id"] = trace.trace_id
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        # ASCII: U+2028 and its like end a line for some readers.
        return json.dumps(entry)


class ReadableLines(logging.Formatter):
    """Time, level and message, for people."""

    def format(self, record: logging.LogRecord) -> str:
        time = _time(record).astimezone().strftime("%H:%M:%S")
        line = f"{time} {record.levelname:<7} {record.getMessage()}"
        if trace := current_trace():
            line += f" (trace {trace.trace_id})"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)
