"""The trace log as pages, for administrators: all that is under `/logs`."""

from app.routers.logs import overview, requests, traces
from app.routers.logs.router import router

__all__ = ["overview", "requests", "router", "traces"]
