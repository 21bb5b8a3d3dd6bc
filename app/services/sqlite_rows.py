"""Many rows in few statements, for SQLite.

Python gives its lock away before each row that it has SQLite insert or return, and waits for it
behind a thread that prepares the next rows: so row by row the two would take turns, not run side by
side.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

_ROWS_A_STATEMENT: Final = 1024


async def insert_rows(
    connection: AsyncConnection, insert: str, row: str, values: Sequence[Any]
) -> int:
    """Insert rows, whose `values` follow each other; the rowid of the last one.

    `row` is what stands behind VALUES for each, as `(?, ?, 1)`.

    Python keeps the last 128 statements of a connection, up to two megabytes each. So they are of
    few kinds, whatever the number of rows: each has a power of two of them.
    """
    start, width, last = 0, row.count("?"), 0
    while left := (len(values) - start) // width:
        count = min(_ROWS_A_STATEMENT, 1 << (left.bit_length() - 1))
        batch = tuple(values[start : start + count * width])
        statement = f"{insert} VALUES {', '.join([row] * count)}"
        last = (await connection.exec_driver_sql(statement, batch)).lastrowid
        start += len(batch)
    return last
