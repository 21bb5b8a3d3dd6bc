"""CSV files of any origin become rows, each once, and what is no row is named with its line."""

import contextlib
import csv
import datetime as dt
import gzip
import json
import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog import codec, ids
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Row
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, Inserted, RowRejected, Store, StoreUnavailable
from app.lib.tracelog.store.turso_store import TursoStore
from app.lib.tracelog.transfer.csv_source import BadRow, CSVSource, UnknownTable
from app.lib.tracelog.transfer.export import export
from app.lib.tracelog.transfer.load import Loaded, load
from app.lib.tracelog.transfer.whole_file import WrongFile
from tests.lib.tracelog.rows import API, api_row
from tests.support.turso import TursoServer

TOKYO = ZoneInfo("Asia/Tokyo")
STEPS = TABLES[TASK_PROGRESS_LOGS]
TRACE = "6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"
STEP = {"trace_id": TRACE, "task_name": "AI_Refinement", "step_name": "Fetch_Data"}


@pytest.fixture
def store(file_store: SQLiteStore) -> SQLiteStore:
    return file_store


class SourceLogger:
    """Writes as the source document's logger does: each row with its own keys and no other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.time = dt.datetime(2026, 11, 23, 9, 0, 0)  # the clock on the wall

    def log(self, table: str, data: Mapping[str, object]) -> Path:
        self.time += dt.timedelta(milliseconds=250)
        shown = self.time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        if "created_at" not in data:
            data = {**data, "created_at": shown}
        path = self.folder / f"{table}.csv"
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(data))
            if is_new:
                writer.writeheader()
            writer.writerow(data)
        return path


@pytest.fixture
def source(tmp_path: Path) -> SourceLogger:
    folder = tmp_path / "theirs"
    folder.mkdir()
    return SourceLogger(folder)


def put(
    store: Store, path: Path, *, zone: dt.tzinfo | None = TOKYO, **options: object
) -> tuple[Loaded, list[BadRow]]:
    bad: list[BadRow] = []
    loaded = load(store, CSVSource(path, Redactor(), zone=zone), tell=bad.append, **options)  # type: ignore[arg-type]
    return loaded, bad


def stored(store: Store, table: str = API_LOGS) -> list[dict[str, object]]:
    columns = ", ".join(TABLES[table].column_names)
    found = store.query(f"SELECT {columns} FROM {table} ORDER BY id").dicts()
    return [dict(row) for row in found]


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


# --- our own files --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "sqld"])
def test_an_exported_file_fills_an_empty_store_with_the_same_rows(
    store: SQLiteStore, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    rows = [api_row(text) for text in ["a", "日本語\n2", 'x"y', *map(str, range(1200))]]
    store.insert(Batch({API_LOGS: rows}))
    export(store, tmp_path / "out")
    other: Store = SQLiteStore(tmp_path / "other.db")
    if kind == "sqld":
        server: TursoServer = request.getfixturevalue("sqld")
        other = TursoStore(server.url, server.token)
    other.migrate()

    first = put(other, tmp_path / "out" / "api_logs.csv")
    again = put(other, tmp_path / "out" / "api_logs.csv")

    assert first == (Loaded(written=1203), [])
    assert again == (Loaded(known=1203), [])
    assert stored(other) == stored(store)
    other.close()


def test_damage_in_our_own_files_is_told_by_line_and_costs_no_other_row(
    store: SQLiteStore, tmp_path: Path
) -> None:
    lines = [codec.encode(API, api_row(str(n))) for n in range(6)]
    damaged = [
        lines[0],
        b"\0" * 70 + b"\n",
        lines[1],
        lines[2][:50] + lines[3],
        lines[4],
        lines[5][:-8],
    ]
    path = tmp_path / "copy.csv"
    path.write_bytes(codec.header(API) + b"".join(damaged))

    loaded, bad = put(store, path)

    assert (loaded.written, loaded.bad) == (4, 3)
    assert [each.line for each in bad] == [3, 5, 7]
    assert "torn" in bad[1].reason


def test_lines_are_counted_through_long_files_of_our_own(tmp_path: Path) -> None:
    class Picky(SQLiteStore):
        def insert(self, batch: Batch) -> Inserted:
            if any("poison" in str(row) for row in batch.rows[API_LOGS]):
                raise RowRejected("poison")
            return Inserted(written=len(batch))

    row = codec.encode(API, api_row())
    poison = codec.encode(API, api_row("poison"))
    lines = [row] * 5_000
    lines[1_000] = lines[2_999] = lines[4_999] = b"damage\n"
    lines[1_001] = lines[3_500] = poison
    path = tmp_path / "copy.csv"
    path.write_bytes(codec.header(API) + b"".join(lines))

    loaded, bad = put(Picky(tmp_path / "trace.db"), path)

    assert (loaded.written, loaded.bad) == (4_995, 5)
    assert sorted(each.line for each in bad) == [1_002, 1_003, 3_001, 3_502, 5_001]


def test_a_file_of_ours_that_becomes_shorter_meanwhile_is_read_to_its_end(
    store: SQLiteStore, tmp_path: Path
) -> None:
    path = tmp_path / "copy.csv"
    lines = [codec.encode(API, api_row(str(n))) for n in range(6)]
    path.write_bytes(codec.header(API) + b"".join(lines))
    source = CSVSource(path, Redactor())
    os.truncate(path, len(codec.header(API) + b"".join(lines[:4])))

    assert load(store, source) == Loaded(written=4)


def saved_with_a_mark_and_carriage_returns(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))


def saved_with_quotes_and_other_columns_first(path: Path) -> None:
    lines = [line[::-1] for line in csv.reader(path.read_text(encoding="utf-8").splitlines())]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(lines)


def cut_to_its_rows(path: Path) -> None:
    path.write_bytes(path.read_bytes().partition(b"\n")[2])


@pytest.mark.parametrize(
    "change",
    [
        saved_with_a_mark_and_carriage_returns,
        saved_with_quotes_and_other_columns_first,
        cut_to_its_rows,
    ],
)
def test_our_rows_are_known_whatever_another_program_has_made_of_their_file(
    store: SQLiteStore, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    logger = CSVOnlyLogger(tmp_path)
    with contextlib.suppress(ValueError), logger.task("Ｔ\u3000\\") as task, task.step("S", "text"):
        raise ValueError("two\nlines")
    logger.close()
    path = tmp_path / "task_progress_logs.csv"
    put(store, path)
    before = stored(store, TASK_PROGRESS_LOGS)
    change(path)

    assert put(store, path) == (Loaded(known=2), [])
    assert stored(store, TASK_PROGRESS_LOGS) == before


# --- the source document's own logger -------------------------------------------------------


def test_the_source_documents_sample_arrives_whole(
    store: SQLiteStore, source: SourceLogger
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

    assert put(store, requests) == (Loaded(written=1), [])
    assert put(store, steps) == (Loaded(written=3, guessed=2), [])

    [row] = stored(store)
    assert json.loads(str(row["request_header"])) == headers
    assert json.loads(str(row["request_body"])) == {"item_id": 101}
    assert row["created_at"] == "2026-11-23 00:00:00.250", "nine o'clock in Tokyo"
    assert row["ip_address"] == "127.0.0.1"
    found = stored(store, TASK_PROGRESS_LOGS)
    assert [(step["status"], step["execution_order"]) for step in found] == [
        ("SUCCESS", 1),
        ("IN_PROGRESS", 2),
        ("FAILED", 2),
    ]
    assert json.loads(str(found[1]["input_data"])) == {"text": "修正前の文章"}
    assert found[2]["error_message"] == "it broke,\nbadly"
    assert {step["trace_id"] for step in found} == {TRACE}


def test_a_second_import_changes_nothing_and_a_longer_file_adds_its_rows(
    store: SQLiteStore, source: SourceLogger
) -> None:
    for n in range(30):
        path = source.log(API_LOGS, {"trace_id": TRACE, "method": "GET", "endpoint": f"/{n}"})
    put(store, path)
    before = stored(store)

    assert put(store, path) == (Loaded(known=30), [])
    assert stored(store) == before

    for n in range(30, 35):
        source.log(API_LOGS, {"trace_id": TRACE, "method": "GET", "endpoint": f"/{n}"})
    assert put(store, path) == (Loaded(written=5, known=30), [])
    assert [row["endpoint"] for row in stored(store)] == [f"/{n}" for n in range(35)]


@pytest.mark.parametrize("count", [900, 1500])
def test_rows_of_the_same_millisecond_all_arrive(
    store: SQLiteStore, tmp_path: Path, count: int
) -> None:
    lines = [f"{TRACE},GET,/{n % 40},2026-11-23 09:00:00.000" for n in range(count)]
    text = "\n".join(["trace_id,method,endpoint,created_at", *lines])
    path = write(tmp_path / "api_logs.csv", text)

    assert put(store, path)[0].written == count
    assert put(store, path)[0].known == count

    if count <= 1000:
        assert [row["endpoint"] for row in stored(store)] == [f"/{n % 40}" for n in range(count)]


def test_two_files_with_rows_of_the_same_moment_do_not_swallow_each_other(
    store: SQLiteStore, tmp_path: Path
) -> None:
    draw = random.Random(3)
    for host in range(20):
        lines = [
            f"{TRACE},GET,/{host}/{n},2026-11-23 09:00:00.{draw.randrange(30):03}"
            for n in range(200)
        ]
        text = "\n".join(["trace_id,method,endpoint,created_at", *lines])
        put(store, write(tmp_path / f"api_logs-{host}.csv", text))

    assert len({row["endpoint"] for row in stored(store)}) == 4000


def test_dictionaries_come_as_python_wrote_them_or_as_json(
    store: SQLiteStore, source: SourceLogger
) -> None:
    values: list[object] = [
        {"a": None, "b": True, "c": [1, 2.5, "it's"], "d": ("t", {"x"})},
        '{"a": null, "b": true}',
        "just text",
        "{'broken': ",
        "{a: b}",
        "[" + "-" * 5_000 + "1]",
        "12",
    ]
    for value in values:
        row = {"trace_id": TRACE, "method": "GET", "endpoint": "/", "request_body": value}
        path = source.log(API_LOGS, row)

    assert put(store, path) == (Loaded(written=len(values)), [])

    bodies = [json.loads(str(row["request_body"])) for row in stored(store)]
    assert bodies[0] | {"d": None} == {"a": None, "b": True, "c": [1, 2.5, "it's"], "d": None}
    assert bodies[1:] == [{"a": None, "b": True}, *values[2:-1], 12]


def test_columns_of_their_own_go_into_the_json_column(
    store: SQLiteStore, source: SourceLogger
) -> None:
    row = {"method": "GET", "region": "tokyo", "trace_id": TRACE, "endpoint": "/", "plan": {"a": 1}}
    path = source.log(API_LOGS, row)
    step = {**STEP, "status": "DONE", "machine": "m1"}
    steps = source.log(TASK_PROGRESS_LOGS, step)

    assert put(store, path)[1] == put(store, steps)[1] == []

    extra = json.loads(str(stored(store)[0]["request_header"]))[":extra"]
    assert extra == {"region": "tokyo", "plan": {"a": 1}}
    [found] = stored(store, TASK_PROGRESS_LOGS)
    assert found["status"] == "IN_PROGRESS"
    assert json.loads(str(found["output_data"])) == {":extra": {"status": "DONE", "machine": "m1"}}


def test_secrets_of_a_logger_that_kept_them_stay_behind(
    store: SQLiteStore, source: SourceLogger
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
    put(store, path)

    assert "a@example.com" in str(stored(store))
    assert "hush-hush" not in str(stored(store))
    assert "hush-hush" not in (path.parent.parent / "trace.db").read_bytes().decode(
        errors="replace"
    )


# --- files in any state ---------------------------------------------------------------------


GOOD = "trace_id,method,endpoint,created_at\nt,GET,/日本,2026-11-23 09:00:00\n" * 2


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "empty"),
        (gzip.compress(GOOD.encode()), "packed"),
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


def test_one_byte_that_is_damaged_does_not_speak_for_the_whole_file(
    store: SQLiteStore, tmp_path: Path
) -> None:
    path = tmp_path / "api_logs.csv"
    lines = b"trace_id,method,endpoint,created_at\nt,GET,/\xe9,2026-11-23 09:00:00\n"
    path.write_bytes(lines + b"t,GET,/,2026-11-23 09:00:00\n")

    loaded, bad = put(store, path)

    assert (loaded.written, bad) == (1, [BadRow(2, "it is no UTF-8")])


def test_bad_rows_are_told_by_line_and_reason_and_good_ones_go_on(
    store: SQLiteStore, tmp_path: Path
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

    loaded, bad = put(store, path)

    assert (loaded.written, loaded.bad) == (3, 5)
    assert [(each.line, each.reason) for each in bad] == [
        (5, "created_at is no time"),
        (7, "2 fields where 5 belong"),
        (8, "it is no UTF-8"),
        (9, "created_at is out of range"),
        (11, "created_at is no time"),
    ]
    found = stored(store)
    assert [row["endpoint"] for row in found] == ["/1", "/2\nsecond line", "/5"]
    assert {row["created_at"] for row in found} == {"2026-11-23 00:00:00.000"}
    assert json.loads(str(found[2]["request_header"])) == {":extra": {"response_status": "fine"}}


@pytest.mark.parametrize("header", ["{'a': 'b, c'}", "plain"])
def test_a_row_that_a_kill_has_cut_off_takes_none_of_those_behind_it_along(
    store: SQLiteStore, source: SourceLogger, header: str
) -> None:
    row = {"trace_id": TRACE, "method": "GET", "endpoint": "/", "request_header": header}
    for _ in range(3):
        path = source.log(API_LOGS, row)
    for _ in range(2):
        with path.open("ab") as file:
            file.write(f"{TRACE},GET,/torn,\"{{'a': 'b".encode())
        for _ in range(10):
            source.log(API_LOGS, row)

    loaded, bad = put(store, path)

    # The next one stands in the same line.
    assert loaded.written == 3 + 9 + 9
    assert [each.line for each in bad] == [5, 15]


def test_what_somebody_has_sent_is_no_row_of_its_own_where_its_row_is_left_out(
    store: SQLiteStore, source: SourceLogger
) -> None:
    forged = f'\n{TRACE},GET,/forged,"x",2026-01-02 03:04:05.678\n'
    row = {"trace_id": TRACE, "method": "GET", "endpoint": "/", "request_body": forged}
    source.log(API_LOGS, row)
    path = source.log(API_LOGS, {**row, "created_at": "never"})

    loaded, bad = put(store, path)

    assert (loaded.written, [each.reason for each in bad]) == (1, ["created_at is no time"])
    assert [each["endpoint"] for each in stored(store)] == ["/"]


def test_a_second_header_is_no_row(store: SQLiteStore, source: SourceLogger) -> None:
    row = {"trace_id": TRACE, "method": "GET", "endpoint": "/"}
    path = source.log(API_LOGS, row)
    # Two processes have begun the file at once.
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0] + path.read_bytes())
    source.log(API_LOGS, row)

    assert put(store, path) == (Loaded(written=2), [])


def test_a_file_that_excel_has_saved_is_read(store: SQLiteStore, tmp_path: Path) -> None:
    text = '\ufefftrace_id,method,endpoint,created_at\r\nt,GET,"/a,b",2026-11-23 09:00:00\r\n'

    assert put(store, write(tmp_path / "api_logs.csv", text)) == (Loaded(written=1), [])
    assert stored(store)[0]["endpoint"] == "/a,b"


def test_a_dump_of_the_table_keeps_its_times_and_what_its_ids_were(
    store: SQLiteStore, tmp_path: Path
) -> None:
    ours = ids.first_at(1_795_000_000.5)
    rows = [["17", "t", "GET", "/old"], [str(ours), "t", "GET", "/new"]]
    rest = ["", "", "200", "", "3", "", "", "2026-11-23 04:47:08.123"]
    path = tmp_path / "dump.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(
            [API.column_names, *(r + rest for r in rows)]
        )

    assert put(store, path) == (Loaded(written=2), [])

    old, new = sorted(stored(store), key=lambda row: str(row["endpoint"]), reverse=True)
    assert new["id"] == ours
    assert {old["created_at"], new["created_at"]} == {"2026-11-23 04:47:08.123"}
    assert json.loads(str(old["request_header"])) == {":extra": {"old_id": "17"}}


def test_rows_that_a_database_has_numbered_come_back_out_of_their_export(
    store: SQLiteStore, tmp_path: Path
) -> None:
    old = SQLiteStore(tmp_path / "old.db")
    old.migrate()
    columns = "trace_id, method, endpoint, request_body, created_at"
    row = (TRACE, "GET", "/a\nb", "no JSON", "2026-11-23 04:47:08.123")
    insert = f"INSERT INTO api_logs ({columns}) VALUES (?, ?, ?, ?, ?)"
    old.transact([Statement(insert, row), Statement(insert, row)])
    export(old, tmp_path / "out")
    old.close()

    assert put(store, tmp_path / "out" / "api_logs.csv") == (Loaded(written=2), [])
    assert put(store, tmp_path / "out" / "api_logs.csv") == (Loaded(known=2), [])

    first, second = stored(store)
    assert [json.loads(str(each["request_header"])) for each in (first, second)] == [
        {":extra": {"old_id": "1"}},
        {":extra": {"old_id": "2"}},
    ]
    assert (first["endpoint"], first["request_body"]) == ("/a\nb", '"no JSON"')
    assert first["created_at"] == "2026-11-23 04:47:08.123"


def test_what_only_begins_with_a_number_is_told_and_a_numbered_row_keeps_its_escapes(
    store: SQLiteStore, tmp_path: Path
) -> None:
    time = "2026-11-23 04:47:08.123"
    good = rf'17,t,GET,/a\tb,,"{{""a"":""two\nlines""}}",,,,,,{time}'
    bad = ["17,t,GET", rf"18,t,GET,/\q,,,,,,,,{time}", "19,t,GET,/,,,,,,,,"]
    text = "\n".join([codec.header(API).decode().strip(), *bad, good, ""])

    loaded, told = put(store, write(tmp_path / "api_logs.csv", text))

    assert (loaded.written, [each.line for each in told]) == (1, [2, 3, 4])
    [row] = stored(store)
    assert row["endpoint"] == "/a\tb"
    assert json.loads(str(row["request_body"])) == {"a": "two\nlines"}


def test_a_row_that_a_database_has_numbered_is_new_where_its_number_is_another_rows(
    store: SQLiteStore, tmp_path: Path
) -> None:
    insert = "INSERT INTO api_logs (trace_id, method, endpoint) VALUES ('t', 'GET', ?)"
    store.transact([Statement(insert, (f"/{n}",)) for n in range(3)])
    export(store, tmp_path / "out")
    store.transact([Statement("UPDATE api_logs SET endpoint = '/other' WHERE id = 2")])

    assert put(store, tmp_path / "out" / "api_logs.csv") == (Loaded(written=1, known=2), [])
    assert put(store, tmp_path / "out" / "api_logs.csv") == (Loaded(known=3), [])
    assert [row["endpoint"] for row in stored(store)] == ["/0", "/other", "/2", "/1"]


def test_times_without_a_zone_are_those_of_the_one_that_is_given(
    store: SQLiteStore, tmp_path: Path
) -> None:
    lines = ["t,GET,/,2026-07-01 12:00:00", "t,GET,/,2026-12-01 12:00:00.5"]
    text = "\n".join(["trace_id,method,endpoint,created_at", *lines])

    put(store, write(tmp_path / "api_logs.csv", text), zone=ZoneInfo("Europe/Berlin"))

    times = [row["created_at"] for row in stored(store)]
    assert times == ["2026-07-01 10:00:00.000", "2026-12-01 11:00:00.500"]


def test_rows_from_before_the_ids_reach_are_kept_and_counted_as_old(
    store: SQLiteStore, tmp_path: Path
) -> None:
    lines = ["t,GET,/a,2019-05-01 12:00:00", "t,GET,/b,2026-11-23 12:00:00"]
    text = "\n".join(["trace_id,method,endpoint,created_at", *lines])
    path = write(tmp_path / "api_logs.csv", text)

    old_before = ids.first_at(1_790_000_000)
    assert put(store, path, old_before=old_before)[0] == Loaded(written=2, old=1)
    assert put(store, path, old_before=old_before)[0] == Loaded(known=2, old=1)

    assert stored(store)[0]["created_at"] == "2019-05-01 03:00:00.000"
    assert stored(store)[0]["id"] >= ids.MIN_ID  # type: ignore[operator]


def test_a_row_without_a_trace_gets_one_of_its_own(store: SQLiteStore, tmp_path: Path) -> None:
    lines = [",GET,/a,2026-11-23 12:00:00", ",GET,/b,2026-11-23 12:00:00"]
    text = "\n".join(["trace_id,method,endpoint,created_at", *lines])
    path = write(tmp_path / "api_logs.csv", text)

    assert put(store, path)[0].written == 2
    assert put(store, path)[0].known == 2
    assert len({str(row["trace_id"]) for row in stored(store)}) == 2


def test_a_file_that_fits_no_table_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "customers.csv", "name,created_at\nA,2026-11-23 09:00:00\n")

    with pytest.raises(UnknownTable, match=r"customers\.csv"):
        CSVSource(path, Redactor())
    assert CSVSource(path, Redactor(), table=API).table is API


def test_the_header_tells_the_table_where_the_name_does_not(tmp_path: Path) -> None:
    steps = write(tmp_path / "a.csv", "created_at,step_name,task_name,status\n")
    requests = write(tmp_path / "b.csv", "created_at,endpoint,method\n")

    assert CSVSource(steps, Redactor()).table is STEPS
    assert CSVSource(requests, Redactor()).table is API


# --- stores in any state --------------------------------------------------------------------


def test_a_row_that_the_store_rejects_is_told_and_the_others_arrive(tmp_path: Path) -> None:
    class Picky(SQLiteStore):
        def insert(self, batch: Batch) -> Inserted:
            if any("poison" in str(row) for each in batch.rows.values() for row in each):
                raise RowRejected("poison")
            return super().insert(batch)

    store = Picky(tmp_path / "trace.db")
    store.migrate()
    lines = [f"t,GET,/{'poison' if n == 70 else n},2026-11-23 12:00:00" for n in range(200)]
    text = "\n".join(["trace_id,method,endpoint,created_at", *lines])

    loaded, bad = put(store, write(tmp_path / "api_logs.csv", text))

    assert (loaded.written, bad) == (199, [BadRow(72, "poison")])
    store.close()


def test_a_store_that_does_not_answer_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    class Tired(SQLiteStore):
        failures = 3

        def insert(self, batch: Batch) -> Inserted:
            if self.failures:
                self.failures -= 1
                raise StoreUnavailable("gone")
            return super().insert(batch)

    pauses: list[float] = []
    store = Tired(tmp_path / "trace.db")
    store.migrate()
    path = write(tmp_path / "api_logs.csv", "endpoint,created_at\n/,2026-11-23 12:00:00\n")

    assert put(store, path, sleep=pauses.append)[0].written == 1
    assert len(pauses) == 3

    store.failures = 1000
    with pytest.raises(StoreUnavailable):
        put(store, path, sleep=pauses.append)
    assert len(pauses) == 8
    store.close()


@pytest.mark.parametrize(("count", "size", "sent"), [(1100, 1, [500, 500, 100]), (5, 4, [3, 2])])
def test_rows_are_sent_in_batches_that_every_store_takes(
    tmp_path: Path, count: int, size: int, sent: list[int]
) -> None:
    class Counting(SQLiteStore):
        def insert(self, batch: Batch) -> Inserted:
            batches.append(len(batch))
            return super().insert(batch)

    batches: list[int] = []
    told: list[int] = []
    store = Counting(tmp_path / "trace.db")
    store.migrate()
    rows = [api_row("x" * (size * 100_000 if size > 1 else 1)) for _ in range(count)]
    lines = b"".join(codec.encode(API, row) for row in rows)
    (tmp_path / "api_logs.csv").write_bytes(codec.header(API) + lines)

    put(store, tmp_path / "api_logs.csv", watch=lambda loaded: told.append(loaded.written))

    assert batches == sent
    assert told == [sum(sent[: n + 1]) for n in range(len(sent))]
    store.close()


def test_imported_rows_are_exported_as_files_of_our_own(
    store: SQLiteStore, source: SourceLogger
) -> None:
    path = source.log(API_LOGS, {"trace_id": TRACE, "method": "GET", "endpoint": "/a\tb"})
    put(store, path)
    export(store, source.folder / "out")

    line = (source.folder / "out" / "api_logs.csv").read_bytes().splitlines()[1]
    row: Row = codec.decode(API, line)
    assert row[3] == "/a\tb"
