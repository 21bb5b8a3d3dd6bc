"""What is exported is what the journal had, byte for byte."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog import codec
from app.lib.tracelog.journal import reader
from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Table, Value
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, QueryFailed, Result, Store, StoreSchemaMissing
from app.lib.tracelog.store.turso_store import TursoStore
from app.lib.tracelog.transfer.csv_source import CSVSource
from app.lib.tracelog.transfer.export import export
from app.lib.tracelog.transfer.load import Loaded, load
from commands.kit.environment import ROOT
from tests.lib.tracelog.rows import API, api_row, append
from tests.lib.tracelog.writer import WRITER
from tests.support.turso import TursoServer

HOSTILE = [
    'comma, "quote", line\r\nbreak\ttab',
    "NUL \x00, next line \x85, separators \u2028\u2029, mark \ufeff",
    "日本語 😀 \\ backslash \\n that is none",
    "=1+1",
    "x" * 300_000,
    "",
]


def journal_of(folder: Path, table: str = API_LOGS) -> bytes:
    """The lines of all segments under one header."""
    segments = reader.list_segments(folder, TABLES[table])
    header = codec.header(TABLES[table])
    return header + b"".join(each.path.read_bytes().removeprefix(header) for each in segments)


def deliver(folder: Path, store: Store) -> None:
    shipper = Shipper(folder, lambda: store)
    while shipper.run_once():
        pass
    shipper.stop()


def test_the_journal_of_one_writer_comes_back_byte_for_byte(store: Store, tmp_path: Path) -> None:
    journal = Journal(tmp_path, API, max_bytes=50_000, fsync="no")
    for n in range(700):
        text = HOSTILE[n % len(HOSTILE)] if n < 60 else f"row {n}"
        append(journal, api_row(text, path=f"/{n}"))
    journal.close()
    steps = Journal(tmp_path, TABLES[TASK_PROGRESS_LOGS], fsync="no")
    for n, text in enumerate(HOSTILE):
        data = {"task_name": text, "step_name": "S", "error_message": text, "stack_trace": text}
        step = make_row(steps.table, data, row_id=10**18 + n, trace_id="t", now=n)
        steps.append(codec.encode(steps.table, step), 10**18 + n)
    steps.close()
    deliver(tmp_path, store)
    written: list[int] = []

    rows = export(store, tmp_path / "out", written.append)

    assert rows == {API_LOGS: 700, TASK_PROGRESS_LOGS: len(HOSTILE)}
    assert sum(written) == 700 + len(HOSTILE)
    for table in TABLES:
        assert (tmp_path / "out" / f"{table}.csv").read_bytes() == journal_of(tmp_path, table)


@pytest.mark.skipif(os.name == "nt", reason="rights are another thing there")
def test_an_export_is_for_its_owner_alone(file_store: SQLiteStore, tmp_path: Path) -> None:
    export(file_store, tmp_path / "out")

    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o600}


def test_the_journal_of_several_writers_comes_back_line_for_line(tmp_path: Path) -> None:
    logger = EnhancedCSVLogger(base_path=tmp_path)
    command = [sys.executable, "-c", WRITER, str(tmp_path), "1500"]
    writers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    logger.start()
    assert logger.shipper.drain(60)

    export(logger.store, tmp_path / "out")

    exported = (tmp_path / "out" / "api_logs.csv").read_bytes().splitlines()
    # Writers that cannot have the lock in time may leave an empty line or another header.
    assert {*exported} == {*journal_of(tmp_path).splitlines()} - {b""}
    ids = [line[:19] for line in exported[1:]]
    assert ids == sorted(ids)
    assert len(ids) == 4500
    logger.close()


def test_rows_too_large_for_one_answer_come_in_several(sqld: TursoServer, tmp_path: Path) -> None:
    store = TursoStore(sqld.url, sqld.token)
    store.migrate()
    rows = [api_row("x" * 400_000) for _ in range(60)]
    for row in rows:
        store.insert(Batch({API_LOGS: [row]}))

    assert export(store, tmp_path / "out")[API_LOGS] == 60

    encoded = b"".join(codec.encode(API, row) for row in rows)
    assert (tmp_path / "out" / "api_logs.csv").read_bytes() == codec.header(API) + encoded
    store.close()


class Narrow(SQLiteStore):
    """Answers with `most` rows of the tables at a time."""

    most = 1

    def query(self, sql: str, args: Sequence[Value] = (), *, timeout: float = 10.0) -> Result:
        answer = super().query(sql, args, timeout=timeout)
        if len(answer.rows) > self.most:
            raise QueryFailed("The answer is too large.")
        return answer


def test_rows_that_come_one_by_one_only_all_come_and_go_back(tmp_path: Path) -> None:
    store = Narrow(tmp_path / "trace.db")
    store.migrate()
    insert = "INSERT INTO api_logs (trace_id, method, endpoint) VALUES ('t', 'GET', ?)"
    store.transact([Statement(insert, (f"/{n}",)) for n in range(20)])

    assert export(store, tmp_path / "out")[API_LOGS] == 20

    source = CSVSource(tmp_path / "out" / "api_logs.csv", Redactor())
    assert load(store, source) == Loaded(known=20)
    store.close()


def test_a_row_that_no_answer_has_room_for_is_told(tmp_path: Path) -> None:
    store = Narrow(tmp_path / "trace.db")
    store.migrate()
    store.transact(
        [Statement("INSERT INTO api_logs (trace_id, method, endpoint) VALUES (1, 2, 3)")]
    )
    export(store, tmp_path / "out")
    store.most = 0

    with pytest.raises(QueryFailed, match="too large"):
        export(store, tmp_path / "again")
    with pytest.raises(QueryFailed, match="too large"):
        load(store, CSVSource(tmp_path / "out" / "api_logs.csv", Redactor()))
    store.close()


def test_a_file_is_whole_on_the_disk_before_it_takes_its_name(
    file_store: SQLiteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced: list[bytes] = []
    names = [tmp_path / "out" / f"{name}.csv.part" for name in TABLES]
    monkeypatch.setattr(os, "fsync", lambda fd: forced.append(names[len(forced)].read_bytes()))
    file_store.insert(Batch({API_LOGS: [api_row()]}))

    export(file_store, tmp_path / "out")

    assert forced == [name.with_suffix("").read_bytes() for name in names]


def test_an_empty_store_becomes_headers(file_store: SQLiteStore, tmp_path: Path) -> None:
    assert export(file_store, tmp_path / "new" / "folder") == {API_LOGS: 0, TASK_PROGRESS_LOGS: 0}
    assert (tmp_path / "new" / "folder" / "api_logs.csv").read_bytes() == codec.header(API)


def test_no_file_is_overwritten(file_store: SQLiteStore, tmp_path: Path) -> None:
    (tmp_path / "task_progress_logs.csv").write_text("somebody's")

    with pytest.raises(FileExistsError) as caught:
        export(file_store, tmp_path)

    assert caught.value.filename == str(tmp_path / "task_progress_logs.csv")
    assert not (tmp_path / "api_logs.csv").exists()


def test_rows_that_others_put_into_the_tables_are_lines_too(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    values = "(7, 'a', 'GET', 'two\nlines', '{\n \"a\": 1\n}', x'00ff', '200', 'text\nlines', 1.5)"
    columns = "id, trace_id, method, endpoint, request_header, request_body, response_status, "
    columns += "response_body, duration_ms"
    file_store.transact([Statement(f"INSERT INTO api_logs ({columns}) VALUES {values}")])

    export(file_store, tmp_path / "out")

    header, line = (tmp_path / "out" / "api_logs.csv").read_bytes().splitlines()
    fields = codec.split_fields(line.decode())
    assert fields[:5] == ["7", "a", "GET", "two\\nlines", '{  "a": 1 }']
    assert fields[5:9] == ['"\\u0000\ufffd"', "200", '"text\\nlines"', "1.5"]
    assert header + b"\n" == codec.header(API)


def test_text_that_others_put_where_json_belongs_comes_back_out_of_its_export(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    file_store.insert(Batch({API_LOGS: [api_row()]}))
    # The database numbers it behind our ids.
    columns, values = "trace_id, method, endpoint, request_body", "'t', 'GET', '/', 'no json'"
    file_store.transact([Statement(f"INSERT INTO api_logs ({columns}) VALUES ({values})")])
    export(file_store, tmp_path / "out")

    copy = SQLiteStore(tmp_path / "copy.db")
    copy.migrate()
    loaded = load(copy, CSVSource(tmp_path / "out" / "api_logs.csv", Redactor()))

    assert (loaded.written, loaded.bad) == (2, 0)
    body = copy.query("SELECT request_body FROM api_logs WHERE trace_id = 't'").rows
    assert body == [('"no json"',)]
    copy.close()


def test_an_export_that_comes_back_into_its_own_store_adds_nothing(
    store: SQLiteStore | TursoStore, tmp_path: Path
) -> None:
    columns = "trace_id, method, endpoint, request_body, duration_ms"
    insert = f"INSERT INTO api_logs ({columns}) VALUES (?, ?, ?, ?, ?)"
    for n, body in enumerate(["no JSON", '{\n"a": 1}', '{"password": "hush"}', None]):
        store.transact([Statement(insert, ("t", "GET", f"/a\n{n}", body, n))])
    store.insert(Batch({API_LOGS: [api_row()]}))
    export(store, tmp_path / "out")

    loaded = load(store, CSVSource(tmp_path / "out" / "api_logs.csv", Redactor()))

    assert loaded == Loaded(known=5)
    assert store.query("SELECT count(*) FROM api_logs").rows == [(5,)]


@pytest.mark.parametrize("table", TABLES)
def test_an_export_that_fails_leaves_no_file_and_says_which_one_did(
    file_store: SQLiteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    file_store.insert(Batch({API_LOGS: [api_row()]}))
    header = codec.header

    def fail(of: Table) -> bytes:
        if of.name == table:
            raise OSError(28, "No space left on device")
        return header(of)

    monkeypatch.setattr(codec, "header", fail)
    with pytest.raises(OSError, match="No space") as caught:
        export(file_store, tmp_path / "out")

    assert list((tmp_path / "out").iterdir()) == []
    assert caught.value.filename == str(tmp_path / "out" / f"{table}.csv.part")


def test_an_export_out_of_a_store_without_tables_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreSchemaMissing):
        export(SQLiteStore(tmp_path / "none.db"), tmp_path / "out")

    assert list((tmp_path / "out").iterdir()) == []
