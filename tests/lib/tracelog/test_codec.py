"""A row becomes one line that any CSV reader understands, and comes back unchanged."""

import csv
import datetime as dt
import io
import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lib.tracelog import codec
from app.lib.tracelog.ids import MAX_ID, MIN_ID
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Column, Table
from tests.lib.tracelog.rows import columns, make

API = TABLES[API_LOGS]
TASKS = TABLES[TASK_PROGRESS_LOGS]

HOSTILE = [
    "a\nb",
    "a\r\nb",
    "\r",
    "\x00",
    'say "yes", now',
    '"',
    ",",
    "\u2028\u2029\x85\x0b\x0c\x1c",
    "C:\\new\\table",
    "\\",
    "\\n",
    "=cmd|' /C calc'!A0",
    "日本語、改行\nあり",
    "\ufeffbom",
    "\x7f",
    "👩‍💻",
]


@cache
def values_of(column: Column) -> st.SearchStrategy[str | int | None]:
    if column.kind == "id":
        return st.integers(MIN_ID, MAX_ID)
    if column.kind == "int":
        return st.none() | st.integers(-(2**63), 2**63 - 1)
    if column.kind == "time":
        return st.floats(0, 4e9).map(codec.timestamp)
    text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
    if column.kind == "json":
        values = st.recursive(
            st.none() | st.booleans() | st.integers(-(2**60), 2**60) | text,
            lambda inner: st.lists(inner) | st.dictionaries(text, inner),
        )
        return st.none() | values.map(codec.json_text)
    return text if column.required else st.none() | text


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@settings(max_examples=40)  # of a row of many columns each
@given(data=st.data())
def test_a_row_comes_back_from_its_line_unchanged(table: Table, data: st.DataObject) -> None:
    row = tuple(data.draw(values_of(column)) for column in table.columns)

    line = codec.encode(table, row)

    assert codec.decode(table, line) == row
    assert line.count(b"\n") == 1
    assert len(line.decode().splitlines()) == 1
    assert len(next(csv.reader(io.StringIO(line.decode())))) == len(table.columns)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_survives_in_text_and_json_columns(text: str) -> None:
    row = make(TASKS, task_name=text, step_name="s", input_data={text: text}, error_message=text)

    decoded = columns(TASKS, codec.decode(TASKS, codec.encode(TASKS, row)))

    assert decoded["task_name"] == decoded["error_message"] == text
    assert json.loads(str(decoded["input_data"])) == {text: text}


@pytest.mark.parametrize("text", HOSTILE)
def test_json_fields_are_json_for_any_csv_reader(text: str) -> None:
    line = codec.encode(API, make(API, method="GET", endpoint="/", request_body=[text]))

    fields = next(csv.reader(io.StringIO(line.decode())))

    assert json.loads(fields[5]) == [text]


def test_pretty_printed_json_fits_on_one_line() -> None:
    text = json.dumps({"a": [1, "two\nlines"]}, indent=2)

    row = make(API, method="POST", endpoint="/", request_body=text)

    assert codec.encode(API, row).count(b"\n") == 1
    assert json.loads(str(columns(API, row)["request_body"])) == {"a": [1, "two\nlines"]}


def test_values_too_large_are_cut_and_stay_valid() -> None:
    row = columns(
        TASKS,
        make(
            TASKS,
            task_name="t",
            step_name="s",
            input_data=["x" * 9_999_999],
            error_message="é" * 9_999_999,
        ),
    )

    assert json.loads(str(row["input_data"]))[":cut"] > 9_999_999
    assert len(str(row["error_message"]).encode()) <= codec.MAX_VALUE_BYTES


def test_objects_without_a_json_form_are_shown_as_text() -> None:
    cycle: list[object] = []
    cycle.append(cycle)

    assert json.loads(codec.json_text({"when": dt.date(2026, 1, 2)})) == {"when": "2026-01-02"}
    assert json.loads(codec.json_text({1: 2**70}))
    assert json.loads(codec.json_text(cycle))


def test_what_cannot_even_be_shown_is_named() -> None:
    class Shy:
        def __repr__(self) -> str:
            raise LookupError

    class Halved(list[object]):
        def __repr__(self) -> str:
            return "\ud800"

    assert json.loads(codec.json_text({Shy: 1}))
    assert json.loads(codec.json_text(Shy())) == "Shy"
    halved = Halved()
    halved.append(halved)
    assert json.loads(codec.json_text(halved)) == "\ufffd"
    assert json.loads(codec.json_text({1: 2})) == {"1": 2}


def test_text_is_cut_by_its_bytes_and_half_a_character_is_replaced() -> None:
    assert len(codec.clean_text("あ" * 400_000).encode()) <= codec.MAX_VALUE_BYTES
    assert codec.clean_text("a\udc80") == "a\ufffd"


def test_times_of_every_year_are_of_one_length() -> None:
    assert codec.timestamp(-62_135_596_800.0) == "0001-01-01 00:00:00.000"


LINE = b"1537387947986012629,t,GET,/,{},,200,,3,,,2026-11-23 04:47:08.123"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (LINE.replace(b"GET", b"G\0T"), "control"),
        (LINE.replace(b"GET", b""), "method is empty"),
        (LINE.replace(b"/", rb"/\q"), "unknown escape"),
        (LINE.replace(b"{}", b"{"), "request_header is no JSON"),
        (LINE.replace(b",3,", b",9223372036854775808,"), "duration_ms is no integer"),
        (LINE.replace(b",3,", b",-9223372036854775809,"), "duration_ms is no integer"),
        (LINE.replace(b":08.123", b":08"), "created_at is no time"),
        (b"", "fields"),
        (b"1,2,3", "fields"),
        (b'"', "unexpected end"),
        (b"\xff" + b"," * 11, "UTF-8"),
        (b"5" + b"," * 11, "id"),
        (b"9999999999999999999" + b"," * 11, "id"),
        ("１５３７３８７９４７９８６０１２６２９".encode() + b"," * 11, "id"),
    ],
)
def test_a_line_that_is_no_row_says_why(line: bytes, why: str) -> None:
    assert codec.decode(API, LINE)[0] == 1_537_387_947_986_012_629
    with pytest.raises(codec.BadLine, match=why):
        codec.decode(API, line)


def test_a_line_with_a_flipped_bit_is_refused_or_still_a_row_of_its_table() -> None:
    line = codec.encode(API, make(API, method="GET", endpoint="/a", request_header={"k": "v"}))
    for index in range(len(line) - 1):
        for bit in range(8):
            damaged = bytearray(line)
            damaged[index] ^= 1 << bit
            try:
                row = codec.decode(API, bytes(damaged))
            except codec.BadLine:
                continue
            assert codec.decode(API, codec.encode(API, row)) == row
