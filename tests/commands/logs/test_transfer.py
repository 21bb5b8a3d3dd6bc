"""`manage.py logs export` and `import`."""

from pathlib import Path

import pytest

from app.lib.tracelog.store.sqlite_store import SQLiteStore
from commands import logs
from tests.commands.conftest import Checkout
from tests.commands.logs.rows import AskLogs, record
from tests.support.turso import TursoServer


@pytest.mark.sqld
def test_a_store_moves_by_export_and_import(
    on_sqld: TursoServer, folder: Path, ask: AskLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(folder, 250)
    ask("ship", "--once")

    assert ask("export", "out")["rows"] == {"api_logs": 250, "task_progress_logs": 0}
    assert Path("out/api_logs.csv").read_bytes() == (folder / "api_logs.csv").read_bytes()

    monkeypatch.delenv("TURSO_URL")
    files = ["out/api_logs.csv", "out/task_progress_logs.csv"]
    first, second = ask("import", *files), ask("import", *files)
    assert [file["written"] for file in first["files"]] == [250, 0]
    assert [file["known"] for file in second["files"]] == [250, 0]
    assert not ask("verify")["differs"]


def test_import_names_bad_rows_and_takes_the_good_ones(
    folder: Path, ask: AskLogs, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["trace_id,method,endpoint,created_at", "t,GET,/,2024-02-03 12:00:00", "t,GET,/,soon"]
    Path("api_logs.csv").write_text("\n".join(lines))

    assert logs.main(["import", "api_logs.csv", "--timezone", "Asia/Tokyo"]) == 1
    shown = capsys.readouterr()
    assert "api_logs.csv:3: created_at is no time" in shown.err
    assert "1 rows are new in the store, 0 were there already." in shown.out
    assert "1 are older than the 14 days of LOG_RETENTION_DAYS" in shown.out

    [file] = ask("import", "api_logs.csv", "--timezone", "Asia/Tokyo", code=1)["files"]
    assert (file["known"], file["bad"], file["old"]) == (1, 1, 1)
    assert file["bad_rows"] == [{"line": 3, "reason": "created_at is no time"}]
    store = SQLiteStore(folder / "trace.db")
    assert store.query("SELECT created_at FROM api_logs").rows == [("2024-02-03 03:00:00.000",)]
    store.close()


def test_import_hides_what_the_settings_add(
    folder: Path, ask: AskLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_REDACT_KEYS", "employee_number")
    monkeypatch.setenv("LOG_REDACT_PATTERNS", r"EMP-\d+")
    header = "trace_id,method,endpoint,request_body,created_at"
    body = "\"{'employee_number': 'A17', 'note': 'see EMP-4711'}\""
    Path("api_logs.csv").write_text(f"{header}\nt,GET,/,{body},2026-11-23 12:00:00\n")

    ask("import", "api_logs.csv")

    store = SQLiteStore(folder / "trace.db")
    [(shown,)] = store.query("SELECT request_body FROM api_logs").rows
    assert "A17" not in str(shown)
    assert "4711" not in str(shown)
    assert "see" in str(shown)
    store.close()


def test_paths_are_those_of_where_the_person_stands(own_checkout: Checkout) -> None:
    there = own_checkout.folder.parent
    (there / "api_logs.csv").write_text("endpoint,created_at\n/,2026-11-23 12:00:00\n")

    assert "1 rows are new" in own_checkout.manage("logs", "import", "api_logs.csv").stdout
    assert "api_logs.csv: 1 rows" in own_checkout.manage("logs", "export", "here").stdout

    assert (there / "here" / "api_logs.csv").exists()
