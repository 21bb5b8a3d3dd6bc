"""The trace log as pages, for administrators: all that is under `/logs`."""

from app.routers.logs import (
    alerts,
    errors,
    export,
    live,
    overview,
    requests,
    tasks,
    trace_details,
    traces,
)
from app.routers.logs.router import router

__all__ = [
    "alerts",
    "errors",
    "export",
    "live",
    "overview",
    "requests",
    "router",
    "tasks",
    "trace_details",
    "traces",
]
