"""Files that the log itself has written or exported become the same rows, each once."""

import contextlib
import csv
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog import codec
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.schema import API_LOGS, TASK_PROGRESS_LOGS
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, Inserted, RowRejected, Store
from app.lib.tracelog.store.turso_store import TursoStore
from app.lib.tracelog.transfer.csv_source import CSVSource
from app.lib.tracelog.transfer.export import export
from app.lib.tracelog.transfer.load import Loaded, load
from tests.lib.tracelog.rows import API, api_row
from tests.lib.tracelog.transfer.loading import put, stored
from tests.support.turso import TursoServer


@pytest.mark.parametrize("kind", ["sqlite", "sqld"])
def test_an_exported_file_fills_an_empty_store_with_the_same_rows(
    file_store: SQLiteStore, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    rows = [api_row(text) for text in ["a", "日本語\n2", 'x"y', *map(str, range(1200))]]
    file_store.insert(Batch({API_LOGS: rows}))
    export(file_store, tmp_path / "out")
    other: Store = SQLiteStore(tmp_path / "other.db")
    if kind == "sqld":
        server: TursoServer = request.getfixturevalue("sqld")
        other = TursoStore(server.url, server.token)
    other.migrate()

    first = put(other, tmp_path / "out" / "api_logs.csv")
    again = put(other, tmp_path / "out" / "api_logs.csv")

    assert first == (Loaded(written=1203), [])
    assert again == (Loaded(known=1203), [])
    assert stored(other) == stored(file_store)
    other.close()


def test_damage_in_our_own_files_is_told_by_line_and_costs_no_other_row(
    file_store: SQLiteStore, tmp_path: Path
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

    loaded, bad = put(file_store, path)

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
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    path = tmp_path / "copy.csv"
    lines = [codec.encode(API, api_row(str(n))) for n in range(6)]
    path.write_bytes(codec.header(API) + b"".join(lines))
    source = CSVSource(path, Redactor())
    os.truncate(path, len(codec.header(API) + b"".join(lines[:4])))

    assert load(file_store, source) == Loaded(written=4)


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
    file_store: SQLiteStore, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    logger = CSVOnlyLogger(tmp_path)
    with contextlib.suppress(ValueError), logger.task("Ｔ\u3000\\") as task, task.step("S", "text"):
        raise ValueError("two\nlines")
    logger.close()
    path = tmp_path / "task_progress_logs.csv"
    put(file_store, path)
    before = stored(file_store, TASK_PROGRESS_LOGS)
    change(path)

    assert put(file_store, path) == (Loaded(known=2), [])
    assert stored(file_store, TASK_PROGRESS_LOGS) == before
