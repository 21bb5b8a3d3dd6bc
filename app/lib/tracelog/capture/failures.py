"""What is told of a request that failed, beside its row: a FAILED step."""

import sys

from app.lib.tracelog.capture.asgi import Scope
from app.lib.tracelog.recorder import Recorder
from app.lib.tracelog.schema import TASK_PROGRESS_LOGS
from app.lib.tracelog.trace import Trace


def record_failure(
    recorder: Recorder,
    trace: Trace,
    scope: Scope,
    status: int,
    error: BaseException | None,
    message: str,
) -> None:
    """`message` is told where there is no `error`; without one it is the status."""
    trace.failed = True
    recorder.write(
        TASK_PROGRESS_LOGS,
        lambda: {
            "trace_id": trace.trace_id,
            "task_name": "HTTP",
            "step_name": route_of(scope) or recorder.redactor.path(scope["path"]),
            "status": "FAILED",
            "input_data": {"method": scope["method"], "status": status},
            "execution_order": 0,
            **recorder.failure(error, message or f"HTTP {status}"),
        },
        redacted=True,
    )


def being_answered() -> BaseException | None:
    """The exception that a handler, or the app mounted in ours, answers in its `except` block."""
    error = sys.exc_info()[1]
    # One that is itself an answer, as an HTTPException, says no more than its status.
    return error.__cause__ if error is not None and hasattr(error, "status_code") else error


def route_of(scope: Scope) -> str | None:
    """The template of the path, such as `/items/{item_id}`."""
    path: str | None = getattr(scope.get("route"), "path", None)
    if path is None or "app_root_path" not in scope:
        return path
    # The route of a mounted app knows nothing of where that is mounted.
    return f"{scope['root_path'].removeprefix(scope['app_root_path'])}{path}"
