"""Values tell to which columns they belong, where a header does not."""

import pytest

from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS
from app.lib.tracelog.transfer.field_order import by_header, by_value

API = TABLES[API_LOGS]
STEPS = TABLES[TASK_PROGRESS_LOGS]
TRACE = "6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"


@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        (
            [TRACE, "GET", "/", "200", "3", "7", "2026-11-23 12:00:00"],
            "trace_id method endpoint response_status duration_ms user_id created_at",
        ),
        (
            [TRACE, "GET", "/", "{'a': 1}", "{'b': 2}", "::1", "2026-11-23 12:00:00"],
            "trace_id method endpoint request_header request_body ip_address created_at",
        ),
        (
            [TRACE, "GET", "/", "404", "[1]", "2026-11-23 12:00:00"],
            "trace_id method endpoint response_status response_body created_at",
        ),
        (
            [TRACE, "GET", "/", "", "{'b': 2}", "200", "2026-11-23 12:00:00"],
            "trace_id method endpoint request_header request_body response_status created_at",
        ),
        ([TRACE, "GET", "nowhere", "2026-11-23 12:00:00"], None),
        ([TRACE, "GET", "/", "2026-11-23 12:00:00", "{'order': 'another'}"], None),
        ([TRACE, "GET"], None),
        (["GET", "/", "2026-11-23 12:00:00"], None),
        ([TRACE, "", "/", "2026-11-23 12:00:00"], None),
        ([TRACE, "GET", "/", "yesterday"], None),
    ],
)
def test_values_tell_their_columns(fields: list[str], columns: str | None) -> None:
    named = by_value(fields, API)

    assert (list(named) if named else None) == (columns.split() if columns else None)


def test_an_error_and_its_stack_trace_are_told_apart() -> None:
    start = [TRACE, "T", "S", "FAILED"]
    stack = 'Traceback (most recent call last):\n  File "a.py"'
    for rest, columns in (
        (["boom", stack], ["error_message", "stack_trace"]),
        ([stack], ["stack_trace"]),
        (["boom"], ["error_message"]),
        (["{'a': 1}", "boom", "2"], ["input_data", "error_message", "execution_order"]),
    ):
        named = by_value([*start, *rest, "2026-11-23 12:00:00"], STEPS)
        assert named is not None
        assert list(named)[4:-1] == columns


@pytest.mark.parametrize(
    ("row", "fits"),
    [
        (["t", "S", "SUCCESS", "{'a': 1}", "1"], True),
        (["t", "S", "SUCCESS", "just text", "1"], True),
        (["t", "S", "FAILED", "it broke", "1"], False),
        (["t", "S", "FAILED", "", "1"], True),
        (["t", "S", "SUCCESS", "{}", "first"], False),
        (["t", "S", "1", "SUCCESS", "{}"], False),
        (["t", "S", "it broke", "{}", "1"], False),
        (["t", "S", "SUCCESS", "{}"], False),
    ],
)
def test_a_header_holds_unless_the_values_say_otherwise(row: list[str], *, fits: bool) -> None:
    header = ["task_name", "step_name", "status", "input_data", "execution_order"]

    assert (by_header(header, row, STEPS) is not None) == fits
