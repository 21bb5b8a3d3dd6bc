"""What routes ask for."""

from collections.abc import Callable, Iterator
from inspect import isasyncgenfunction, iscoroutinefunction, isfunction
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.routers import ROUTERS


def calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    """All that FastAPI calls for a route."""
    if dependant.call:
        yield dependant.call
    for part in dependant.dependencies:
        yield from calls(part)


def test_no_request_needs_a_thread_to_be_put_together() -> None:
    """FastAPI calls plain functions in one, which takes longer than most of them."""
    called = {
        call
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for call in calls(route.dependant)
        if isfunction(call)
    }
    assert called
    plain = {it for it in called if not (iscoroutinefunction(it) or isasyncgenfunction(it))}
    assert not plain
