"""Whatever a dictionary holds becomes a row that every store takes."""

import datetime as dt
import json

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS
from tests.lib.tracelog.rows import TRACE_ID, columns, make

API = TABLES[API_LOGS]
TASKS = TABLES[TASK_PROGRESS_LOGS]


def test_what_no_store_takes_is_replaced() -> None:
    row = columns(
        API,
        make(API, method="GET", endpoint="/\ud800", request_body={"a": "\udfff"}, user_id=2**63),
    )

    assert row["endpoint"] == "/\ufffd"
    assert row["user_id"] is None
    assert str(2**63) in str(row["request_header"])
    codec.decode(API, codec.encode(API, make(API, method="G", endpoint="/", request_body="\ud800")))


def test_dicts_lists_and_plain_text_become_json() -> None:
    row = columns(
        API,
        make(
            API,
            method="POST",
            endpoint="/x",
            request_header={"a": 1},
            request_body='{"kept": "as it is"}',
            response_body="no json",
        ),
    )

    assert row["request_header"] == '{"a":1}'
    assert row["request_body"] == '{"kept": "as it is"}'
    assert row["response_body"] == '"no json"'


def test_unknown_keys_go_into_a_json_column_and_never_become_columns() -> None:
    api = columns(API, make(API, method="GET", endpoint="/", request_header={"a": "b"}, region="x"))
    task = columns(TASKS, make(TASKS, task_name="t", step_name="s", status="START", region="x"))

    assert json.loads(str(api["request_header"])) == {"a": "b", ":extra": {"region": "x"}}
    assert json.loads(str(task["output_data"])) == {":extra": {"region": "x"}}


NO_TIMES = (
    "yesterday",
    "9999-99-99 99:99:99.999",
    "２０２６-01-02 03:04:05.678",
    "0001-01-01T00:00:00+09:00",
    1e15,
    -1e15,
    float("nan"),
    True,
)


@pytest.mark.parametrize(
    ("given", "held"),
    [
        (None, "2026-11-18 11:06:40.123"),
        ("2026-01-02 03:04:05.678", "2026-01-02 03:04:05.678"),
        ("2026-01-02T12:04:05.678+09:00", "2026-01-02 03:04:05.678"),
        (dt.datetime(2026, 1, 2, 3, 4, 5, 678_999, tzinfo=dt.UTC), "2026-01-02 03:04:05.678"),
        (1_767_323_045, "2026-01-02 03:04:05.000"),
        (dt.datetime(33, 4, 3, 15), "0033-04-03 15:00:00.000"),  # taken as UTC
        (-61_200_000_000, "0030-08-25 16:00:00.000"),
        *((given, "2026-11-18 11:06:40.123") for given in NO_TIMES),
    ],
)
def test_created_at_is_utc_with_milliseconds(given: object, held: str) -> None:
    row = make(API, method="GET", endpoint="/", created_at=given)

    assert columns(API, row)["created_at"] == held
    assert codec.decode(API, codec.encode(API, row)) == row


def test_missing_names_are_a_dash_and_a_missing_trace_is_the_current_one() -> None:
    row = columns(TASKS, make(TASKS))

    assert (row["task_name"], row["step_name"], row["status"]) == ("-", "-", "IN_PROGRESS")
    assert (row["trace_id"], row["execution_order"]) == (TRACE_ID, 0)


def test_an_unknown_status_is_kept_beside_the_row() -> None:
    assert columns(TASKS, make(TASKS, status="success"))["status"] == "SUCCESS"
    row = columns(TASKS, make(TASKS, status="PAUSED"))
    assert row["status"] == "IN_PROGRESS"
    assert json.loads(str(row["output_data"])) == {":extra": {"status": "PAUSED"}}


def test_an_empty_text_is_no_value_and_nothing_left_over() -> None:
    row = columns(API, make(API, method="GET", endpoint="/", ip_address="", request_body=""))

    assert row["ip_address"] is row["request_body"] is row["request_header"] is None


def test_a_trace_id_that_is_given_holds() -> None:
    assert columns(API, make(API, trace_id="theirs"))["trace_id"] == "theirs"


def test_what_is_left_over_finds_room_beside_a_list() -> None:
    row = columns(API, make(API, method="GET", endpoint="/", request_header=[1, 2], region="x"))

    held = json.loads(str(row["request_header"]))
    assert held == {":value": [1, 2], ":extra": {"region": "x"}}


@pytest.mark.parametrize(
    ("given", "held"),
    [(3.7, 3), ("200", 200), (True, 1), (2**53, 2**53), (-(2**63), -(2**63)), (None, None)],
)
def test_numbers_of_any_kind_become_integers(given: object, held: int | None) -> None:
    number = columns(API, make(API, method="GET", endpoint="/", user_id=given))["user_id"]

    assert (type(number), number) == (type(held), held)
