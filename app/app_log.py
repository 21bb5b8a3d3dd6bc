"""What the app says about itself, on standard output: a line of JSON each in production.

It is for operators: a start, a server that does not answer, a failure. What users do is in the
trace log; the trace id leads there.
"""

import asyncio
import contextvars
import gc
import json
import logging
import logging.config
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from app.lib.tracelog.trace import current_trace, trace_id_of

if TYPE_CHECKING:  # the process that delivers imports this, and little else
    from app.config import Settings

log = logging.getLogger(__name__)


def start_app_log(settings: "Settings") -> None:
    """Bring what this process says into the app log.

    In production that is also what Python itself would print as it likes: warnings, and exceptions
    that nobody has caught, of threads and of destructors too.
    """
    logging.config.dictConfig(logging_config(settings))
    if settings.environment == "production":
        logging.captureWarnings(capture=True)
        sys.excepthook = _uncaught
        threading.excepthook = _uncaught_in_thread
        sys.unraisablehook = _unraisable


def logging_config(settings: "Settings") -> dict[str, Any]:
    """For `logging.config.dictConfig` here and in uvicorn, whose own messages then look the same.

    All in it can be written as JSON, so that it can be handed to another process.
    """
    formatter = JSONLines if settings.environment == "production" else ReadableLines
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"{__name__}.{formatter.__name__}"}},
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


def tell_untended(loop: asyncio.AbstractEventLoop, failure: dict[str, Any]) -> None:
    """As the loop tells what nobody has awaited, but in the trace of the task that failed.

    For `loop.set_exception_handler`.
    """
    # Python 3.11 has no `get_context` for tasks.
    parts = gc.get_referents(failure.get("task") or failure.get("future"))
    contexts = (part for part in parts if isinstance(part, contextvars.Context))
    context = next(contexts, contextvars.Context())
    context.copy().run(loop.default_exception_handler, failure)


class JSONLines(logging.Formatter):
    """One JSON object a line, whatever the message or the stack trace holds."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": _text(record),
        }
        if trace_id := _trace_id(record):
            entry["trace_id"] = trace_id
        if record.exc_info:
            entry["exception"] = _whole(self.formatException(record.exc_info))
        if record.stack_info:
            entry["stack"] = _whole(record.stack_info)
        # ASCII: U+2028 and its like end a line for some readers.
        return json.dumps(entry)


class ReadableLines(logging.Formatter):
    """Time, level and message, for people."""

    def format(self, record: logging.LogRecord) -> str:
        time = _time(record).astimezone().strftime("%H:%M:%S")
        line = f"{time} {record.levelname:<7} {_text(record)}"
        if trace_id := _trace_id(record):
            line += f" (trace {trace_id})"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        if record.stack_info:
            line += "\n" + record.stack_info
        return line


def _trace_id(record: logging.LogRecord) -> str | None:
    """The trace that the line is about. The server logs what ended a request after its trace."""
    if trace := current_trace():
        return trace.trace_id
    return trace_id_of(record.exc_info[1]) if record.exc_info else None


def _text(record: logging.LogRecord) -> str:
    """The message. One whose values do not fit is said as it was written, with its values."""
    try:
        return _whole(record.getMessage().rstrip("\n"))
    except (TypeError, ValueError, LookupError):
        return _whole(f"{record.msg} {record.args!r}")


def _whole(text: str) -> str:
    """Halves of characters are no JSON for most readers."""
    return text.encode("utf-8", "backslashreplace").decode()


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("The process ends.", exc_info=(kind, error, trace))


def _uncaught_in_thread(caught: threading.ExceptHookArgs) -> None:
    if caught.exc_type is not SystemExit:
        name = caught.thread.name if caught.thread else "?"
        error = caught.exc_value or caught.exc_type()
        log.error("The thread %s ends.", name, exc_info=error)


def _unraisable(caught: "sys.UnraisableHookArgs") -> None:
    what = caught.err_msg or "Exception ignored in"
    log.error("%s: %r", what, caught.object, exc_info=caught.exc_value)


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)
