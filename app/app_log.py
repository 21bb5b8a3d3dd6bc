"""What the app says about itself, on standard output: a line of JSON each in production.

It is for operators: a start, a server that does not answer, a failure. What users do is in the
trace log; the trace id leads there. Secrets are taken out as they are of that.
"""

import asyncio
import contextvars
import gc
import json
import logging
import logging.config
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from app.lib.tracelog.trace import current_trace, trace_id_of

if TYPE_CHECKING:  # the process that delivers imports this, and little else
    from app.config import Settings
    from app.lib.tracelog.redaction.redactor import Redactor

log = logging.getLogger(__name__)

STACK_CHARS: Final = 32_768
"""Of a longer exception the middle is left out."""


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
        "formatters": {
            "line": {
                "()": f"{__name__}.{formatter.__name__}",
                "redact_keys": list(settings.log_redact_keys),
                "redact_patterns": list(settings.log_redact_patterns),
            }
        },
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


class _Lines(logging.Formatter):
    """Lines without secrets. What is hidden beside those of each app is in the settings."""

    def __init__(
        self, *, redact_keys: Iterable[str] = (), redact_patterns: Iterable[str] = ()
    ) -> None:
        super().__init__()
        self._keys, self._patterns = redact_keys, redact_patterns

    @cached_property
    def _redactor(self) -> "Redactor":
        # The process that delivers has mostly nothing to say.
        from app.lib.tracelog.redaction.redactor import Redactor

        return Redactor(extra_keys=self._keys, extra_patterns=self._patterns)

    def text(self, record: logging.LogRecord) -> str:
        """The message. One whose values do not fit is said as it was written, with its values."""
        try:
            text = record.getMessage().rstrip("\n")
        except (TypeError, ValueError, LookupError):
            text = f"{record.msg} {record.args!r}"
        return _whole(self._redactor.text(text))

    def stack(self, text: str) -> str:
        """An exception with its stack, or a stack alone."""
        return _whole(self._redactor.ends(text, STACK_CHARS))


class JSONLines(_Lines):
    """One JSON object a line, whatever the message or the stack trace holds."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.text(record),
        }
        if trace_id := _trace_id(record):
            entry["trace_id"] = trace_id
        if record.exc_info:
            entry["exception"] = self.stack(self.formatException(record.exc_info))
        if record.stack_info:
            entry["stack"] = self.stack(record.stack_info)
        # ASCII: U+2028 and its like end a line for some readers.
        return json.dumps(entry)


class ReadableLines(_Lines):
    """Time, level and message, for people."""

    def format(self, record: logging.LogRecord) -> str:
        time = _time(record).astimezone().strftime("%H:%M:%S")
        line = f"{time} {record.levelname:<7} {self.text(record)}"
        if trace_id := _trace_id(record):
            line += f" (trace {trace_id})"
        if record.exc_info:
            line += "\n" + self.stack(self.formatException(record.exc_info))
        if record.stack_info:
            line += "\n" + self.stack(record.stack_info)
        return line


def _trace_id(record: logging.LogRecord) -> str | None:
    """The trace that the line is about. The server logs what ended a request after its trace."""
    if trace := current_trace():
        return trace.trace_id
    return trace_id_of(record.exc_info[1]) if record.exc_info else None


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
