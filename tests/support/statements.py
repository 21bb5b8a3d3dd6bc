"""Counting what is asked of a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.acting import ACT


@contextmanager
def executed(engine: AsyncEngine) -> Iterator[list[tuple[str, Any]]]:
    """Fills a list with each statement that is sent while it is open, and its parameters.

    That the database is told whom a transaction acts for is not counted.
    """
    sent: list[tuple[str, Any]] = []

    def record(
        _connection: object, _cursor: object, statement: str, given: Any, *_: object
    ) -> None:
        if statement != ACT:
            sent.append((statement, given))

    event.listen(engine.sync_engine, "before_cursor_execute", record)
    try:
        yield sent
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", record)


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """The same without the parameters; the list is full when it closes."""
    sent: list[str] = []
    with executed(engine) as both:
        yield sent
    sent += [statement for statement, _ in both]
