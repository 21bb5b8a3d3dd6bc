"""`manage.py logs verify`."""

from pathlib import Path

import pytest

from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch
from app.lib.tracelog.store.turso_store import TursoStore
from commands import logs
from tests.commands.logs.rows import AskLogs, record
from tests.lib.tracelog.rows import api_row
from tests.support.turso import TursoServer


@pytest.mark.sqld
def test_verify_finds_what_differs(on_sqld: TursoServer, folder: Path, ask: AskLogs) -> None:
    record(folder, 40)
    ask("ship", "--once")
    assert ask("verify") == {
        "same": 40,
        **dict.fromkeys(("moved", "missing", "different", "damaged", "extra"), 0),
        **dict.fromkeys(("pending", "expired", "quarantined", "dropped"), 0),
        "examples": [],
        "differs": False,
    }
    store = TursoStore(on_sqld.url, on_sqld.token)
    first = store.query("SELECT min(id) FROM api_logs").rows[0][0]
    store.transact([Statement("DELETE FROM api_logs WHERE id = ?", (int(str(first)),))])
    store.close()

    found = ask("verify", code=1)

    assert (found["same"], found["missing"]) == (39, 1)
    assert found["examples"][0]["id"] == str(first)


def test_rows_that_only_the_store_has_are_wrong_where_nobody_else_delivers(
    folder: Path, ask: AskLogs, capsys: pytest.CaptureFixture[str]
) -> None:
    record(folder, 10)
    ask("ship", "--once")
    store = SQLiteStore(folder / "trace.db")
    first = int(str(store.query("SELECT min(id) FROM api_logs").rows[0][0]))
    store.insert(Batch({API_LOGS: [api_row(row_id=first + 1)]}))
    store.close()

    assert ask("verify", code=1)["extra"] == 1
    assert ask("verify", "--shared")["extra"] == 1
    assert logs.main(["verify"]) == 1
    shown = capsys.readouterr().out
    assert f"extra     api_logs {first + 1}" in shown
    assert shown.endswith("They differ.\n")


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("C.UTF-8", "3 of the delivered rows went to another store, {old}."),
        ("ja_JP.UTF-8", "届いた行のうち 3 行は、以前の保存先 {old} にあります。"),
    ],
)
def test_rows_in_the_store_of_before_are_told_of_and_can_be_brought(
    folder: Path,
    ask: AskLogs,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    says: str,
) -> None:
    monkeypatch.setenv("LANG", language)
    says = says.format(old=folder / "trace.db")
    record(folder, 3)
    ask("ship", "--once")
    assert logs.main(["status"]) == 0
    assert says not in capsys.readouterr().out

    monkeypatch.setenv("TURSO_URL", f"file:{folder.parent / 'new.db'}")
    assert logs.main(["status"]) == 0
    assert says in capsys.readouterr().out
    record(folder, 2)
    ask("ship", "--once")
    assert logs.main(["verify"]) == 1
    told = capsys.readouterr().out
    assert says in told
    assert f"logs import {folder / '*.csv'}" in told
    assert ask("status")["elsewhere"] == 3

    ask("import", *(str(path) for path in folder.glob("*.csv")))
    assert logs.main(["verify"]) == 0
    assert says not in capsys.readouterr().out
