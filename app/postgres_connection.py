"""Connections to PostgreSQL that wait for nothing without end.

Apart from `app.postgres`, so that psycopg is read only where there is a PostgreSQL. A connection
whose server was silent for too long is closed, and the request gets 503.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from psycopg import AsyncConnection, OperationalError
from psycopg.abc import PQGen
from psycopg.rows import TupleRow
from psycopg.waiting import wait_async

T = TypeVar("T")

_INTERVAL: Final = 0.1
_GRACE_SECONDS: Final = 1.0


class BoundedConnection(AsyncConnection[TupleRow]):
    """A connection that is closed where its server does not answer in time.

    `statement_timeout` is kept by the server itself: one that hangs keeps nothing.
    """

    answer_seconds = 0.0
    ping_seconds = 0.0

    async def wait(
        self,
        gen: PQGen[T],
        interval: float = _INTERVAL,
        timeout: float | None = None,  # noqa: ASYNC109 - psycopg's own signature
    ) -> T:
        """See `psycopg.AsyncConnection.wait`. Raises `OperationalError` after the time."""
        # Outside of a transaction the pool asks whether the connection is still good.
        limit = self.ping_seconds if self.autocommit else self.answer_seconds
        try:
            async with asyncio.timeout(timeout or limit):
                return await wait_async(gen, self.pgconn.socket, interval=interval)
        except TimeoutError as error:
            self.pgconn.finish()
            raise OperationalError("the server did not answer in time") from error
        except asyncio.CancelledError:
            # Its answer is still to come. Asking the server to stop may take as long as it hangs.
            self.pgconn.finish()
            raise


def connector(seconds: float) -> Callable[..., Awaitable[BoundedConnection]]:
    """Makes connections, none of whose statements takes longer than `seconds`."""

    async def connect(*args: Any, **kwargs: Any) -> BoundedConnection:
        try:
            # All of it: looking up the name too, and each host where the URL names more.
            async with asyncio.timeout(seconds / 2):
                connection = await BoundedConnection.connect(*args, **kwargs)
        except TimeoutError as error:
            raise OperationalError("no connection in time") from error
        connection.answer_seconds = seconds + _GRACE_SECONDS
        connection.ping_seconds = seconds / 4
        return connection

    return connect
