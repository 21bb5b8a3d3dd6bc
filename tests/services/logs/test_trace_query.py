"""What administrators find of a trace, asked of a SQLite file and of a real sqld."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.lib.tracelog.schema import TASK_PROGRESS_LOGS
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Store
from app.services.logs import trace_query
from app.services.logs.log_service import LogService
from app.services.logs.store_reader import StoreReader
from tests.services.log_book import LogBook
from tests.services.logs.asked import TRACE, trace_of


async def test_a_trace_shows_requests_whole_and_each_step_with_its_times_and_values(
    store: Store,
) -> None:
    book = LogBook()
    book.after(2.25).step("Item_Update", "Validation", "START", input_data={"title": "a"})
    book.after(0.5).step("Item_Update", "Validation", "SUCCESS", output_data={"ok": True})
    book.after(1).step("Item_Update", "DB_Update", "START", order=2)
    book.after(3).step(
        "Item_Update",
        "DB_Update",
        "FAILED",
        order=2,
        error_message="IntegrityError: no",
        stack_trace="Traceback\n  boom",
    )
    book.after(1).request(
        "/items/7",
        500,
        method="POST",
        duration=8,
        request_header={"host": "example.com", ":route": "/items/{item_id}", ":query": "a=1"},
        request_body={"title": "日本"},
        response_body={"detail": "no"},
        ip_address="203.0.113.9",
    )
    book.deliver(store)
    trace = await trace_of(store, book)

    [request] = trace.requests
    assert (request.line.endpoint, request.line.status, request.ip_address) == (
        "/items/7",
        500,
        "203.0.113.9",
    )
    assert request.facts == {"route": "/items/{item_id}", "query": "a=1"}
    assert request.headers is not None
    assert request.headers.text == '{\n  "host": "example.com"\n}'
    assert request.request_body is not None
    assert request.request_body.text == '{\n  "title": "日本"\n}'
    assert request.ended_at - request.line.created_at == timedelta(milliseconds=8)

    [task] = trace.tasks
    assert (task.name, task.number, task.status) == ("Item_Update", 1, "FAILED")
    validation, update = (step.attempts[0] for step in task.steps)
    assert [step.name for step in task.steps] == ["Validation", "DB_Update"]
    assert validation.status == "SUCCESS"
    assert validation.ended_at is not None
    assert validation.ended_at - validation.started_at == timedelta(milliseconds=0.5)
    assert validation.input is not None
    assert validation.output is not None
    assert '"ok": true' in validation.output.text
    assert (update.status, update.error_message) == ("FAILED", "IntegrityError: no")
    assert update.stack_trace == "Traceback\n  boom"
    assert (trace.started_at, trace.ended_at) == (request.line.created_at, request.ended_at)


async def test_several_requests_share_a_trace_and_each_runs_the_task_anew(store: Store) -> None:
    book = LogBook()
    for path in ("/items/1", "/items/2"):
        book.after(1).step("Item_Delete", "DB_Update", "START")
        book.after(1).step("Item_Delete", "DB_Update", "SUCCESS")
        book.after(1).request(path, duration=3)
    book.after(1).step("Mail", "Send", "START")
    book.after(1).step("Mail", "Send", "SUCCESS")
    book.deliver(store)
    trace = await trace_of(store, book)
    assert [request.line.endpoint for request in trace.requests] == ["/items/1", "/items/2"]
    assert [(task.name, task.number) for task in trace.tasks] == [
        ("Item_Delete", 1),
        ("Item_Delete", 2),
        ("Mail", 1),
    ]


async def test_more_rows_than_are_shown_are_announced(
    sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(trace_query.MOST_ROWS, TASK_PROGRESS_LOGS, 3)
    book = LogBook()
    for order in range(1, 5):
        book.after(1).step("Import", f"Step_{order}", "SUCCESS", order=order)
    book.deliver(sqlite_store)
    trace = await trace_of(sqlite_store, book)
    assert trace.truncated
    assert [step.name for step in trace.tasks[0].steps] == ["Step_1", "Step_2", "Step_3"]


async def test_nothing_is_known_of_a_trace_that_never_was(store: Store, tmp_path: Path) -> None:
    LogBook().deliver(store)
    assert await LogService(StoreReader(store), tmp_path).trace(TRACE) is None
