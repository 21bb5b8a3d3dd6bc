"""Sums of rows that arrive late, in another order, or beside others that are nearly the same."""

import pytest

from app.lib.tracelog.schema import TASK_PROGRESS_LOGS
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch
from tests.lib.tracelog.rollup.sums import STACK, ask, open_steps, part, steps
from tests.services.log_book import LogBook


@pytest.fixture
def book() -> LogBook:
    return LogBook()


def fail(book: LogBook, message: str) -> str:
    book.after(1)
    error = f"ValueError: {message}"
    return book.step(
        "Report", "Render", "FAILED", trace=message, error_message=error, stack_trace=STACK
    )


def test_a_group_of_failures_says_what_the_latest_of_them_said_whenever_they_arrive(
    file_store: SQLiteStore, book: LogBook
) -> None:
    def group() -> list[tuple[object, ...]]:
        columns = "first_id, last_id, hits, message, last_trace"
        counted = "(SELECT sum(n) FROM tracelog_error_sums)"
        return [*ask(file_store, f"SELECT {columns}, {counted} FROM tracelog_errors")]

    first = fail(book, "one")
    late = part(book)
    second, third = fail(book, "two"), fail(book, "three")
    file_store.insert(part(book))
    told = ("ValueError: three", "three")
    assert group() == [(int(second), int(third), 2, *told, 2)]

    file_store.insert(late)
    assert group() == [(int(first), int(third), 3, *told, 3)]

    fourth = fail(book, "four")
    file_store.insert(part(book))
    assert group() == [(int(first), int(fourth), 4, "ValueError: four", "four", 4)]


def test_a_failure_without_a_message_is_one_all_the_same(
    file_store: SQLiteStore, book: LogBook
) -> None:
    book.step("Report", "Render", "FAILED")
    file_store.insert(part(book))

    assert ask(file_store, "SELECT kind, message, hits FROM tracelog_errors") == [("", "", 1)]


def test_a_row_in_the_middle_of_a_run_that_arrives_late_does_not_end_it(
    file_store: SQLiteStore, book: LogBook
) -> None:
    first = book.step("Report", "Collect", "START")
    file_store.insert(part(book))
    book.after(10).step("Report", "Collect", "IN_PROGRESS")
    late = part(book)
    last = book.after(10).step("Report", "Collect", "SUCCESS")
    file_store.insert(part(book))
    file_store.insert(late)

    runs = "SELECT first_id, last_id, status FROM tracelog_runs"
    assert ask(file_store, runs) == [(int(first), int(last), "SUCCESS")]


def test_a_step_was_seen_when_it_last_said_something_whatever_arrives_late(
    file_store: SQLiteStore, book: LogBook
) -> None:
    book.step("Report", "Collect", "START")
    first_start = part(book)
    book.after(1000).step("Report", "Collect", "START")  # once more
    book.after(20).step("Report", "Collect", "IN_PROGRESS")
    file_store.insert(part(book))
    book.after(20).step("Report", "Collect", "IN_PROGRESS")
    late = part(book)
    book.after(20).step("Report", "Collect", "IN_PROGRESS")
    file_store.insert(part(book))
    file_store.insert(late)
    file_store.insert(first_start)

    assert open_steps(file_store) == [("Report", "Collect", 60_000)]


def test_rows_of_one_batch_count_in_the_order_of_their_ids(
    file_store: SQLiteStore, book: LogBook
) -> None:
    book.step("Report", "Collect", "START")
    book.after(40).step("Report", "Collect", "SUCCESS")
    book.after(1).step("Report", "Render", "START", order=2)
    book.after(20).step("Report", "Render", "IN_PROGRESS", order=2)
    rows = part(book).rows[TASK_PROGRESS_LOGS]
    file_store.insert(Batch({TASK_PROGRESS_LOGS: [*reversed(rows)]}))

    assert steps(file_store)[0] == ("Report", "Collect", 1, 1, 0, 1, 40)
    assert open_steps(file_store) == [("Report", "Render", 20_000)]


@pytest.mark.parametrize(
    ("task", "step", "order"),
    [("Mail", "Collect", 1), ("Report", "Send", 1), ("Report", "Collect", 2)],
)
def test_only_its_own_end_keeps_a_late_start_from_opening_a_step(
    file_store: SQLiteStore, book: LogBook, task: str, step: str, order: int
) -> None:
    book.step("Report", "Collect", "START")
    late = part(book)
    book.after(30).step(task, step, "SUCCESS", order=order)
    file_store.insert(part(book))
    file_store.insert(late)

    assert open_steps(file_store) == [("Report", "Collect", 0)]


def test_a_step_that_failed_before_is_open_while_it_is_tried_again(
    file_store: SQLiteStore, book: LogBook
) -> None:
    book.step("Report", "Collect", "START")
    book.after(30).step("Report", "Collect", "FAILED")
    file_store.insert(part(book))
    book.after(30).step("Report", "Collect", "START")
    file_store.insert(part(book))

    assert open_steps(file_store) == [("Report", "Collect", 0)]
