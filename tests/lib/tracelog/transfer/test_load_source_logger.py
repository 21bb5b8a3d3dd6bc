"""Files of the source document's own logger become rows, each once."""

import json
import random
from pathlib import Path

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.schema import API_LOGS, TASK_PROGRESS_LOGS, Row
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.transfer.export import export
from app.lib.tracelog.transfer.load import Loaded
from tests.lib.tracelog.rows import API
from tests.lib.tracelog.transfer.loading import STEP, TRACE, SourceLogger, put, stored, write


def test_the_source_documents_sample_arrives_whole(
    file_store: SQLiteStore, source: SourceLogger
) -> None:
    headers = {"host": "localhost", "user-agent": "curl/8"}
    request: dict[str, object] = {"trace_id": TRACE, "method": "POST"}
    request |= {"endpoint": "/execute-ai-task"}
    request |= {"request_header": headers, "request_body": {"item_id": 101}}
    requests = source.log(API_LOGS, {**request, "ip_address": "127.0.0.1"})
    source.log(TASK_PROGRESS_LOGS, {**STEP, "status": "SUCCESS", "execution_order": 1})
    running = {**STEP, "status": "IN_PROGRESS", "input_data": {"text": "修正前の文章"}}
    source.log(TASK_PROGRESS_LOGS, {**running, "execution_order": 2})
    failed = {**STEP, "status": "FAILED", "error_message": "it broke,\nbadly", "execution_order": 2}
    steps = source.log(TASK_PROGRESS_LOGS, failed)

    assert put(file_store, requests) == (Loaded(written=1), [])
    assert put(file_store, steps) == (Loaded(written=3, guessed=2), [])

    [row] = stored(file_store)
    assert json.loads(str(row["request_header"])) == headers
    assert json.loads(str(row["request_body"])) == {"item_id": 101}
    assert row["created_at"] == "2026-11-23 00:00:00.250", "nine o'clock in Tokyo"
    assert row["ip_address"] == "127.0.0.1"
    found = stored(file_store, TASK_PROGRESS_LOGS)
    assert [(step["status"], step["execution_order"]) for step in found] == [
        ("SUCCESS", 1),
        ("IN_PROGRESS", 2),
        ("FAILED", 2),
    ]
    assert json.loads(str(found[1]["input_data"])) == {"text": "修正前の文章"}
    assert found[2]["error_message"] == "it broke,\nbadly"
    assert {step["trace_id"] for step in found} == {TRACE}


def test_a_second_import_changes_nothing_and_a_longer_file_adds_its_rows(
    file_store: SQLiteStore, source: SourceLogger
) -> None:
    for n in range(30):
        path = source.log(API_LOGS, {"trace_id": TRACE, "method": "GET", "endpoint": f"/{n}"})
    put(file_store, path)
    before = stored(file_store)

    assert put(file_store, path) == (Loaded(known=30), [])
    assert stored(file_store) == before

    for n in range(30, 35):
        source.log(API_LOGS, {"trace_id": TRACE, "method": "GET", "endpoint": f"/{n}"})
    assert put(file_store, path) == (Loaded(written=5, known=30), [])
    assert [row["endpoint"] for row in stored(file_store)] == [f"/{n}" for n in range(35)]


@pytest.mark.parametrize("count", [900, 1500])
def test_rows_of_the_same_millisecond_all_arrive(
    file_store: SQLiteStore, tmp_path: Path, count: int
) -> None:
    lines = [f"{TRACE},GET,/{n % 40},2026-11-23 09:00:00.000" for n in range(count)]
    text = "\n".join(["trace_id,method,endpoint,created_at", *lines])
    path = write(tmp_path / "api_logs.csv", text)

    assert put(file_store, path)[0].written == count
    assert put(file_store, path)[0].known == count

    if count <= 1000:
        assert [row["endpoint"] for row in stored(file_store)] == [
            f"/{n % 40}" for n in range(count)
        ]


def test_two_files_with_rows_of_the_same_moment_do_not_swallow_each_other(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    draw = random.Random(3)
    for host in range(20):
        lines = [
            f"{TRACE},GET,/{host}/{n},2026-11-23 09:00:00.{draw.randrange(30):03}"
            for n in range(200)
        ]
        text = "\n".join(["trace_id,method,endpoint,created_at", *lines])
        put(file_store, write(tmp_path / f"api_logs-{host}.csv", text))

    assert len({row["endpoint"] for row in stored(file_store)}) == 4000


def test_dictionaries_come_as_python_wrote_them_or_as_json(
    file_store: SQLiteStore, source: SourceLogger
) -> None:
    values: list[object] = [
        {"a": None, "b": True, "c": [1, 2.5, "it's"], "d": ("t", {"x"})},
        '{"a": null, "b": true}',
        "just text",
        "{'broken': ",
        "{a: b}",
        "{{'name'}}",
        "{'a', 'b'}",
        "[" + "-" * 5_000 + "1]",
        "12",
    ]
    for value in values:
        row = {"trace_id": TRACE, "method": "GET", "endpoint": "/", "request_body": value}
        path = source.log(API_LOGS, row)

    assert put(file_store, path) == (Loaded(written=len(values)), [])

    bodies = [json.loads(str(row["request_body"])) for row in stored(file_store)]
    assert bodies[0] | {"d": None} == {"a": None, "b": True, "c": [1, 2.5, "it's"], "d": None}
    assert bodies[1:] == [{"a": None, "b": True}, *values[2:-1], 12]


def test_columns_of_their_own_go_into_the_json_column(
    file_store: SQLiteStore, source: SourceLogger
) -> None:
    row = {"method": "GET", "region": "tokyo", "trace_id": TRACE, "endpoint": "/", "plan": {"a": 1}}
    path = source.log(API_LOGS, row)
    step = {**STEP, "status": "DONE", "machine": "m1"}
    steps = source.log(TASK_PROGRESS_LOGS, step)

    assert put(file_store, path)[1] == put(file_store, steps)[1] == []

    extra = json.loads(str(stored(file_store)[0]["request_header"]))[":extra"]
    assert extra == {"region": "tokyo", "plan": {"a": 1}}
    [found] = stored(file_store, TASK_PROGRESS_LOGS)
    assert found["status"] == "IN_PROGRESS"
    assert json.loads(str(found["output_data"])) == {":extra": {"status": "DONE", "machine": "m1"}}


def test_secrets_of_a_logger_that_kept_them_stay_behind(
    file_store: SQLiteStore, source: SourceLogger
) -> None:
    row = {
        "trace_id": TRACE,
        "method": "POST",
        "endpoint": "/sign-in",
        "request_header": {"authorization": "Bearer hush-hush-1", "cookie": "session=hush-hush-2"},
        "request_body": {"email": "a@example.com", "password": "hush-hush-3"},
        "api_key": "hush-hush-4",
    }
    path = source.log(API_LOGS, row)
    put(file_store, path)

    assert "a@example.com" in str(stored(file_store))
    assert "hush-hush" not in str(stored(file_store))
    assert "hush-hush" not in (path.parent.parent / "trace.db").read_bytes().decode(
        errors="replace"
    )


@pytest.mark.parametrize("header", ["{'a': 'b, c'}", "plain"])
def test_a_row_that_a_kill_has_cut_off_takes_none_of_those_behind_it_along(
    file_store: SQLiteStore, source: SourceLogger, header: str
) -> None:
    row = {"trace_id": TRACE, "method": "GET", "endpoint": "/", "request_header": header}
    for _ in range(3):
        path = source.log(API_LOGS, row)
    for _ in range(2):
        with path.open("ab") as file:
            file.write(f"{TRACE},GET,/torn,\"{{'a': 'b".encode())
        for _ in range(10):
            source.log(API_LOGS, row)

    loaded, bad = put(file_store, path)

    # The next one stands in the same line.
    assert loaded.written == 3 + 9 + 9
    assert [each.line for each in bad] == [5, 15]


@pytest.mark.parametrize("end", ["", "\r\n"])
def test_a_row_that_a_kill_has_cut_off_is_not_made_whole_by_the_end_of_the_next_one(
    file_store: SQLiteStore, source: SourceLogger, end: str
) -> None:
    row = {"trace_id": TRACE, "method": "GET", "endpoint": "/", "request_header": 'a "b"'}
    path = source.log(API_LOGS, row)
    with path.open("ab") as file:
        file.write(f'{TRACE},GET,/torn,"a {end}'.encode())
    for _ in range(3):
        source.log(API_LOGS, row)

    loaded, bad = put(file_store, path)

    assert [each["endpoint"] for each in stored(file_store)] == ["/"] * (4 if end else 3)
    assert (loaded.written, [each.line for each in bad]) == (4 if end else 3, [3])


def test_what_somebody_has_sent_is_no_row_of_its_own_where_its_row_is_left_out(
    file_store: SQLiteStore, source: SourceLogger
) -> None:
    forged = f'\n{TRACE},GET,/forged,"x",2026-01-02 03:04:05.678\n'
    row = {"trace_id": TRACE, "method": "GET", "endpoint": "/", "request_body": forged}
    source.log(API_LOGS, row)
    path = source.log(API_LOGS, {**row, "created_at": "never"})

    loaded, bad = put(file_store, path)

    assert (loaded.written, [each.reason for each in bad]) == (1, ["created_at is no time"])
    assert [each["endpoint"] for each in stored(file_store)] == ["/"]


def test_a_second_header_is_no_row(file_store: SQLiteStore, source: SourceLogger) -> None:
    row = {"trace_id": TRACE, "method": "GET", "endpoint": "/"}
    path = source.log(API_LOGS, row)
    # Two processes have begun the file at once.
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0] + path.read_bytes())
    source.log(API_LOGS, row)

    assert put(file_store, path) == (Loaded(written=2), [])


def test_imported_rows_are_exported_as_files_of_our_own(
    file_store: SQLiteStore, source: SourceLogger
) -> None:
    path = source.log(API_LOGS, {"trace_id": TRACE, "method": "GET", "endpoint": "/a\tb"})
    put(file_store, path)
    export(file_store, source.folder / "out")

    line = (source.folder / "out" / "api_logs.csv").read_bytes().splitlines()[1]
    row: Row = codec.decode(API, line)
    assert row[3] == "/a\tb"
