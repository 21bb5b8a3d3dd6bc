"""Apps that are made quickly."""

from fastapi import FastAPI
from starlette.routing import BaseRoute

_first: list[FastAPI] = []
_routes: list[BaseRoute] = []


def with_known_routes(app: FastAPI) -> FastAPI:
    """The app with the routes of the first one of this process, which are the same.

    What a route needs FastAPI works out for each app anew, a quarter of a second for all of them.
    Of several apps at a time only the one made last may have `dependency_overrides`.
    """
    if not _first:
        _first.append(app)
        _routes.extend(app.router.routes)
    app.router.routes[:] = _routes
    first = _first[0]
    first.router.routes[:] = _routes  # without what its test has added
    first.openapi_schema = None
    first.dependency_overrides = app.dependency_overrides
    return app
