"""What a store's sums say, and the rows that they are of."""

from app.lib.tracelog.store.store import Batch, Cell, Store
from tests.services.log_book import LogBook

STACK = (
    'Traceback\n  File "/app/app/report.py", line 4, in render\n    1 / 0\nZeroDivisionError: no'
)


def ask(store: Store, sql: str) -> list[tuple[Cell, ...]]:
    return store.query(sql).rows


def totals(store: Store) -> list[tuple[Cell, ...]]:
    return ask(
        store,
        "SELECT seconds, start, n, c2, c5, ms FROM tracelog_request_sums WHERE method = ''"
        " ORDER BY seconds, start",
    )


def steps(store: Store) -> list[tuple[Cell, ...]]:
    return ask(
        store,
        "SELECT task, step, started, succeeded, failed, timed, ms FROM tracelog_step_sums"
        " WHERE seconds = 3600 ORDER BY task, step",
    )


def open_steps(store: Store) -> list[tuple[Cell, ...]]:
    return ask(store, "SELECT task, step, seen - began FROM tracelog_open_steps ORDER BY 1, 2")


def errors(store: Store) -> list[tuple[Cell, ...]]:
    return ask(store, "SELECT kind, task, step, hits, state FROM tracelog_errors ORDER BY last_id")


def part(book: LogBook) -> Batch:
    """The rows since the last part."""
    batch = Batch({name: list(rows) for name, rows in book.rows.items()})
    for rows in book.rows.values():
        rows.clear()
    return batch
