"""What is no row or no file of rows is told, with its line, and costs no other row."""

import gzip
import json
import os
from pathlib import Path

import pytest

from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.transfer.csv_source import BadRow, CSVSource, UnknownTable
from app.lib.tracelog.transfer.whole_file import WrongFile
from tests.lib.tracelog.rows import API
from tests.lib.tracelog.transfer.loading import TOKYO, put, stored, write

GOOD = "trace_id,method,endpoint,created_at\nt,GET,/日本,2026-11-23 09:00:00\n" * 2


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "empty"),
        (gzip.compress(GOOD.encode(), mtime=0), "packed"),
        (b"PK\x03\x04 a workbook", "packed"),
        (GOOD.encode("utf-16"), "encoding"),
        (GOOD.encode("utf-16-be"), "encoding"),
        (GOOD.encode("cp932"), "encoding"),
        (GOOD.replace(",", ";").encode(), "separator"),
        (GOOD.replace(",", "\t").encode("utf-8-sig"), "separator"),
        (GOOD.replace("\n", "\r").encode(), "header"),
        (b"trace_id,method,endpoint\nt,GET,/\n", "header"),
        (b"t,GET,/,2026-11-23 09:00:00\n", "header"),
        (b"trace_id,trace_id,endpoint,created_at\n", "twice"),
        (b"id,trace_id,created_at\r\n1.53902E+18,t,2026/11/23 9:00\r\n", "rounded"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_told_once(
    tmp_path: Path, content: bytes, fault: str
) -> None:
    path = tmp_path / "api_logs.csv"
    path.write_bytes(content)

    with pytest.raises(WrongFile) as caught:
        CSVSource(path, Redactor())

    assert caught.value.fault == fault


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_can_be_read_only_once_is_not_taken_for_an_empty_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "api_logs.csv")

    with pytest.raises(WrongFile, match="pipe"):
        CSVSource(tmp_path / "api_logs.csv", Redactor())


def test_a_file_with_times_and_nothing_else_is_not_taken_for_one_with_another_separator(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    path = write(tmp_path / "api_logs.csv", "created_at\n2026-11-23 09:00:00\n")

    assert put(file_store, path)[0].written == 1


def test_one_byte_that_is_damaged_does_not_speak_for_the_whole_file(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    path = tmp_path / "api_logs.csv"
    lines = b"trace_id,method,endpoint,created_at\nt,GET,/\xe9,2026-11-23 09:00:00\n"
    path.write_bytes(lines + b"t,GET,/,2026-11-23 09:00:00\n")

    loaded, bad = put(file_store, path)

    assert (loaded.written, bad) == (1, [BadRow(2, "it is no UTF-8")])


def test_bad_rows_are_told_by_line_and_reason_and_good_ones_go_on(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    path = tmp_path / "api_logs.csv"
    path.write_bytes(
        b"trace_id,method,endpoint,response_status,created_at\n"
        b"t,GET,/1,200,2026-11-23 09:00:00.000\n"
        b't,GET,"/2\nsecond line",200,2026-11-23 09:00:00.000\n'
        b"t,GET,/3,200,yesterday\n"
        b"\n"
        b"t,GET\n"
        b"t,GET,/\xff,200,2026-11-23 09:00:00.000\n"
        b"t,GET,/4,200,9999-12-31 23:59:59\n"
        b"t,GET,/5,fine,2026-11-23T09:00:00+09:00\n"
        b"t,GET,/6,200,"
    )

    loaded, bad = put(file_store, path)

    assert (loaded.written, loaded.bad) == (3, 5)
    assert [(each.line, each.reason) for each in bad] == [
        (5, "created_at is no time"),
        (7, "2 fields where 5 belong"),
        (8, "it is no UTF-8"),
        (9, "created_at is out of range"),
        (11, "created_at is no time"),
    ]
    found = stored(file_store)
    assert [row["endpoint"] for row in found] == ["/1", "/2\nsecond line", "/5"]
    assert {row["created_at"] for row in found} == {"2026-11-23 00:00:00.000"}
    assert json.loads(str(found[2]["request_header"])) == {":extra": {"response_status": "fine"}}


@pytest.mark.parametrize("rows", ["", "2026-11-23 09:00:00,/\n"])
def test_a_file_whose_first_row_is_too_short_or_missing_is_read_all_the_same(
    file_store: SQLiteStore, tmp_path: Path, rows: str
) -> None:
    path = write(tmp_path / "api_logs.csv", f"created_at,endpoint,id\n{rows}")

    loaded, bad = put(file_store, path)

    assert (loaded.written, [each.line for each in bad]) == (0, [2] if rows else [])


def test_what_breaks_a_row_and_times_that_no_clock_has_are_told(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    rows = ["t,/a\rb,2026-11-23 09:00:00", "t,/,0001-01-01 00:00:00", "t,/,2026-11-23 09:00:00"]
    text = "\n".join(["trace_id,endpoint,created_at", *rows, ""])

    for zone in (TOKYO, None):
        _, bad = put(file_store, write(tmp_path / "api_logs.csv", text), zone=zone)
        assert [each.line for each in bad] == [2, 3]


def test_a_file_that_fits_no_table_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "customers.csv", "name,created_at\nA,2026-11-23 09:00:00\n")

    with pytest.raises(UnknownTable, match=r"customers\.csv"):
        CSVSource(path, Redactor())
    assert CSVSource(path, Redactor(), table=API).table is API
