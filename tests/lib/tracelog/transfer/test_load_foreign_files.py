"""Files that spreadsheets and databases have saved, with times, ids and traces of their own."""

import csv
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.lib.tracelog import codec, ids
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.transfer.csv_source import CSVSource
from app.lib.tracelog.transfer.export import export
from app.lib.tracelog.transfer.load import Loaded, load
from tests.lib.tracelog.rows import API, STEPS
from tests.lib.tracelog.transfer.loading import TRACE, put, stored, write


def test_a_file_that_excel_has_saved_is_read(file_store: SQLiteStore, tmp_path: Path) -> None:
    text = '\ufefftrace_id,method,endpoint,created_at\r\nt,GET,"/a,b",2026-11-23 09:00:00\r\n'

    path = write(tmp_path / "api_logs.csv", text)
    source = CSVSource(path, Redactor(), zone=ZoneInfo("Asia/Tokyo"))

    assert load(file_store, source) == Loaded(written=1)
    assert stored(file_store)[0]["endpoint"] == "/a,b"
    assert source.position == path.stat().st_size


@pytest.mark.parametrize(
    ("header", "rest"),
    [
        (b"trace_id, method , endpoint,created_at", ""),
        (b"trace_id,method,endpoint,created_at,,", ",,"),
        (b"trace_id,method,endpoint,created_at,\x94\xf5\x8d\x6c", ",seen"),
    ],
)
def test_blanks_around_names_columns_without_one_and_names_in_another_encoding_do_no_harm(
    file_store: SQLiteStore, tmp_path: Path, header: bytes, rest: str
) -> None:
    path = tmp_path / "api_logs.csv"
    path.write_bytes(header + f"\nt,GET,/,2026-11-23 09:00:00{rest}\n".encode())

    assert put(file_store, path) == (Loaded(written=1), [])
    assert (stored(file_store)[0]["method"], stored(file_store)[0]["endpoint"]) == ("GET", "/")


def test_a_dump_of_the_table_keeps_its_times_and_what_its_ids_were(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    ours = ids.first_at(1_795_000_000.5)
    rows = [["17", "t", "GET", "/old"], [str(ours), "t", "GET", "/new"]]
    rest = ["", "", "200", "", "3", "", "", "2026-11-23 04:47:08.123"]
    path = tmp_path / "dump.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(
            [API.column_names, *(r + rest for r in rows)]
        )

    assert put(file_store, path) == (Loaded(written=2), [])

    old, new = sorted(stored(file_store), key=lambda row: str(row["endpoint"]), reverse=True)
    assert new["id"] == ours
    assert {old["created_at"], new["created_at"]} == {"2026-11-23 04:47:08.123"}
    assert json.loads(str(old["request_header"])) == {":extra": {"old_id": "17"}}


def test_rows_of_ours_keep_their_ids_where_only_some_columns_were_saved(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    ours, above = ids.first_at(1_795_000_000.5), ids.MAX_ID + 1
    times = "GET,/a,2026-11-23 04:47:08.123\n"
    text = f"id,trace_id,method,endpoint,created_at\n{ours},t,{times}{above},t,{times}"

    assert put(file_store, write(tmp_path / "api_logs.csv", text)) == (Loaded(written=2), [])

    rows = {str(row["id"]): row["request_header"] for row in stored(file_store)}
    assert rows.pop(str(ours)) is None
    [header] = rows.values()
    assert json.loads(str(header)) == {":extra": {"old_id": str(above)}}


def test_the_same_rows_with_their_columns_in_another_order_are_known(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    put(file_store, write(tmp_path / "api_logs.csv", "endpoint,created_at\n/,2026-11-23\n"))
    text = "created_at,endpoint\n2026-11-23,/\n"

    assert put(file_store, write(tmp_path / "api_logs.csv", text)) == (Loaded(known=1), [])


def test_rows_that_a_database_has_numbered_come_back_out_of_their_export(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    old = SQLiteStore(tmp_path / "old.db")
    old.migrate()
    columns = "trace_id, method, endpoint, request_body, created_at"
    row = (TRACE, "GET", "/a\nb", "no JSON", "2026-11-23 04:47:08.123")
    insert = f"INSERT INTO api_logs ({columns}) VALUES (?, ?, ?, ?, ?)"
    old.transact([Statement(insert, row), Statement(insert, row)])
    export(old, tmp_path / "out")
    old.close()

    assert put(file_store, tmp_path / "out" / "api_logs.csv") == (Loaded(written=2), [])
    assert put(file_store, tmp_path / "out" / "api_logs.csv") == (Loaded(known=2), [])

    first, second = stored(file_store)
    assert [json.loads(str(each["request_header"])) for each in (first, second)] == [
        {":extra": {"old_id": "1"}},
        {":extra": {"old_id": "2"}},
    ]
    assert (first["endpoint"], first["request_body"]) == ("/a\nb", '"no JSON"')
    assert first["created_at"] == "2026-11-23 04:47:08.123"


def test_what_only_begins_with_a_number_is_told_and_a_numbered_row_keeps_its_escapes(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    time = "2026-11-23 04:47:08.123"
    good = rf'17,t,GET,/a\tb,,"{{""a"":""two\nlines""}}",,,,,,{time}'
    bad = ["17,t,GET", rf"18,t,GET,/\q,,,,,,,,{time}", "19,t,GET,/,,,,,,,,"]
    text = "\n".join([codec.header(API).decode().strip(), *bad, good, ""])

    loaded, told = put(file_store, write(tmp_path / "api_logs.csv", text))

    assert (loaded.written, [each.line for each in told]) == (1, [2, 3, 4])
    [row] = stored(file_store)
    assert row["endpoint"] == "/a\tb"
    assert json.loads(str(row["request_body"])) == {"a": "two\nlines"}


def test_a_row_that_a_database_has_numbered_is_new_where_its_number_is_another_rows(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    insert = "INSERT INTO api_logs (trace_id, method, endpoint) VALUES ('t', 'GET', ?)"
    file_store.transact([Statement(insert, (f"/{n}",)) for n in range(3)])
    export(file_store, tmp_path / "out")
    file_store.transact([Statement("UPDATE api_logs SET endpoint = '/other' WHERE id = 2")])

    assert put(file_store, tmp_path / "out" / "api_logs.csv") == (Loaded(written=1, known=2), [])
    assert put(file_store, tmp_path / "out" / "api_logs.csv") == (Loaded(known=3), [])
    assert [row["endpoint"] for row in stored(file_store)] == ["/0", "/other", "/2", "/1"]


def test_times_without_a_zone_are_those_of_the_one_that_is_given(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    lines = [f"t,GET,/,{at}" for at in ("2026-07-01 12:00:00", "2026-12-01 12:00:00.5")]
    lines.append("t,GET,/,2026-12-02T12:00:00Z")
    text = "\n".join(["trace_id,method,endpoint,created_at", *lines])

    put(file_store, write(tmp_path / "api_logs.csv", text), zone=ZoneInfo("Europe/Berlin"))

    times = [row["created_at"] for row in stored(file_store)]
    assert times == [
        "2026-07-01 10:00:00.000",
        "2026-12-01 11:00:00.500",
        "2026-12-02 12:00:00.000",
    ]


def test_rows_from_before_the_ids_reach_are_kept_and_counted_as_old(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    lines = ["t,GET,/a,2019-05-01 12:00:00", "t,GET,/b,2026-11-23 12:00:00"]
    text = "\n".join(["trace_id,method,endpoint,created_at", *lines])
    path = write(tmp_path / "api_logs.csv", text)

    old_before = ids.first_at(1_790_000_000)
    assert put(file_store, path, old_before=old_before)[0] == Loaded(written=2, old=1)
    assert put(file_store, path, old_before=old_before)[0] == Loaded(known=2, old=1)

    assert stored(file_store)[0]["created_at"] == "2019-05-01 03:00:00.000"
    assert stored(file_store)[0]["id"] >= ids.MIN_ID  # type: ignore[operator]


def test_a_row_without_a_trace_gets_one_of_its_own(file_store: SQLiteStore, tmp_path: Path) -> None:
    lines = [",GET,/a,2026-11-23 12:00:00", ",GET,/b,2026-11-23 12:00:00"]
    text = "\n".join(["trace_id,method,endpoint,created_at", *lines])
    path = write(tmp_path / "api_logs.csv", text)

    assert put(file_store, path)[0].written == 2
    assert put(file_store, path)[0].known == 2
    assert len({str(row["trace_id"]) for row in stored(file_store)}) == 2


def test_the_header_tells_the_table_where_the_name_does_not(tmp_path: Path) -> None:
    steps = write(tmp_path / "a.csv", "created_at,step_name,task_name,status\n")
    requests = write(tmp_path / "b.csv", "created_at,endpoint,method\n")

    assert CSVSource(steps, Redactor()).table is STEPS
    assert CSVSource(requests, Redactor()).table is API
