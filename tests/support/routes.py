"""Apps that are made quickly."""

from unittest.mock import patch

from fastapi import FastAPI
from starlette.routing import BaseRoute

from app import main
from app.config import Settings
from app.lib.logger import TraceLogger

_first: list[FastAPI] = []
_routes: list[BaseRoute] = []


def app_with_known_routes(settings: Settings, *, logger: TraceLogger | None = None) -> FastAPI:
    """An app with the routes of the first one of this process, which are the same.

    What a route needs FastAPI works out for each app anew, a quarter of a second for all of them.
    Of several apps at a time only the one made last may have `dependency_overrides`.
    """
    if not _first:
        _first.append(main.create_app(settings, logger=logger))
        _routes.extend(_first[0].router.routes)
        return _first[0]
    with patch.object(main, "ROUTERS", ()):
        app = main.create_app(settings, logger=logger)
    first = _first[0]
    app.state.routers = first.state.routers
    app.router.routes[:] = _routes
    first.router.routes[:] = _routes  # without what its test has added
    first.openapi_schema = None
    first.dependency_overrides = app.dependency_overrides
    return app
