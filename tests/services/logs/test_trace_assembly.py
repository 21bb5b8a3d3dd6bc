"""The rows of steps become tasks, steps and attempts."""

from datetime import timedelta

from app.lib.tracelog.schema import TABLES, TASK_PROGRESS_LOGS
from app.schemas.log import TraceView
from app.services.logs.log_rows import step_row
from app.services.logs.trace_assembly import assemble
from tests.services.log_book import START, LogBook
from tests.services.logs.asked import TRACE


def test_rows_of_one_step_become_attempts() -> None:
    book = LogBook()
    book.step("Sync", "Fetch", "START", input_data={"page": 1})
    book.after(1).step("Sync", "Fetch", "FAILED", error_message="timeout")
    book.after(1).step("Sync", "Fetch", "START")
    book.after(1).step("Sync", "Fetch", "IN_PROGRESS", output_data={"done": 1, "total": 3})
    book.after(1).step("Sync", "Fetch", "IN_PROGRESS", output_data={"done": 2, "total": 3})
    book.after(1).step("Sync", "Fetch", "SUCCESS", output_data={"rows": 9})
    [task] = assembled(book).tasks
    [step] = task.steps
    first, second = step.attempts
    assert (first.number, first.status, first.error_message) == (1, "FAILED", "timeout")
    assert (second.number, second.status, task.status) == (2, "SUCCESS", "SUCCESS")
    assert second.progress is not None
    assert '"done": 2' in second.progress.text
    assert second.ended_at is not None
    assert second.ended_at - second.started_at == timedelta(milliseconds=3)


def test_running_a_task_again_in_one_request_is_told_from_trying_a_step_again() -> None:
    book = LogBook()
    for _ in range(2):
        for order, step in enumerate(("Validation", "DB_Update"), 1):
            book.after(1).step("Item_Update", step, "START", order=order)
            book.after(1).step("Item_Update", step, "SUCCESS", order=order)
    first, second = assembled(book).tasks
    assert (first.number, second.number) == (1, 2)
    assert [len(step.attempts) for task in (first, second) for step in task.steps] == [1, 1, 1, 1]


def test_steps_that_run_side_by_side_keep_their_own_rows() -> None:
    book = LogBook()
    book.step("Import", "A", "START", order=1)
    book.after(1).step("Import", "B", "START", order=2)
    book.after(1).step("Import", "A", "SUCCESS", order=1, output_data="a")
    book.after(1).step("Import", "B", "SUCCESS", order=2, output_data="b")
    [task] = assembled(book).tasks
    outputs = [step.attempts[0].output for step in task.steps]
    assert [output and output.text for output in outputs] == ["a", "b"]
    assert task.ended_at == START + timedelta(milliseconds=3)


def test_a_step_logged_only_at_its_end_has_no_known_duration() -> None:
    book = LogBook()
    book.step("AI_Refinement", "Fetch_Data", "SUCCESS")
    book.after(5).step("AI_Refinement", "Refine", "SUCCESS", order=2)
    [task] = assembled(book).tasks
    assert [(step.name, step.attempts[0].timed) for step in task.steps] == [
        ("Fetch_Data", False),
        ("Refine", False),
    ]


def test_a_step_without_an_end_is_running_and_after_ten_silent_minutes_unfinished() -> None:
    book = LogBook()
    book.step("Sync", "Fetch", "START")
    book.after(9 * 60_000).step("Sync", "Fetch", "IN_PROGRESS", output_data={"done": 1})
    book.after(9 * 60_000)
    [task] = assembled(book).tasks
    assert (task.status, task.ended_at, assembled(book).is_running) == ("RUNNING", None, True)
    assert assembled(book).ended_at == book.now
    book.after(2 * 60_000)
    [attempt] = assembled(book).tasks[0].steps[0].attempts
    assert attempt.status == "UNFINISHED"
    assert attempt.seen_at - attempt.started_at == timedelta(minutes=9)


def test_an_attempt_that_was_started_over_before_it_ended_is_unfinished() -> None:
    book = LogBook()
    book.step("Sync", "Fetch", "START")
    book.after(1).step("Sync", "Fetch", "START")
    book.after(1).step("Sync", "Fetch", "SUCCESS")
    [step] = assembled(book).tasks[0].steps
    assert [attempt.status for attempt in step.attempts] == ["UNFINISHED", "SUCCESS"]


def test_long_values_are_cut_and_say_so() -> None:
    book = LogBook()
    book.step("Sync", "Fetch", "SUCCESS", input_data={"text": "x" * 9_000}, output_data="y" * 20)
    [attempt] = assembled(book).tasks[0].steps[0].attempts
    assert attempt.input is not None
    assert (len(attempt.input.text), attempt.input.cut, attempt.input.is_json) == (
        8192,
        True,
        False,
    )
    assert attempt.output is not None
    assert not attempt.output.cut


def assembled(book: LogBook) -> TraceView:
    """The trace of the book's steps, as at `book.now`."""
    columns = TABLES[TASK_PROGRESS_LOGS].column_names
    rows = [step_row(dict(zip(columns, row, strict=True))) for row in book.rows[TASK_PROGRESS_LOGS]]
    return assemble(TRACE, [], rows, book.now)
