"""Asks the store from the event loop: in a thread, and never for longer than a page may wait."""

import time
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from anyio import fail_after, to_thread

from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import Cell, Store, StoreUnavailable

SECONDS: Final = 8.0
"""How long the store is waited for."""

T = TypeVar("T")
Found = list[dict[str, Cell]]
Ask = Callable[[Statement], Found]
"""Asks one question; the rows by column name. Raises `StoreError`."""


class StoreReader:
    """Questions to `store`, answered or failed with `StoreError` after `seconds` and one."""

    def __init__(self, store: Store, *, seconds: float = SECONDS) -> None:
        self.store = store
        self.seconds = seconds

    async def run(self, work: Callable[[Ask], T]) -> T:
        """Have `work` ask what it needs, in a thread."""
        deadline = time.monotonic() + self.seconds
        try:
            # The store keeps the deadline by itself; the second is for one that hangs.
            with fail_after(self.seconds + 1):
                ask = partial(self._ask, deadline)
                return await to_thread.run_sync(partial(work, ask), abandon_on_cancel=True)
        except TimeoutError:
            message = f"{self.store.name} gave no answer in {self.seconds:g} s."
            raise StoreUnavailable(message) from None

    async def write(self, *statements: Statement) -> None:
        """Do all statements or none, on tables that are not the log itself."""
        await self.run(lambda _ask: self.store.transact(statements))

    def _ask(self, deadline: float, statement: Statement) -> Found:
        timeout = max(deadline - time.monotonic(), 0.1)
        return self.store.query(statement.sql, statement.args, timeout=timeout).dicts()
