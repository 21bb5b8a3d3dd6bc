"""`manage.py logs` as a person and as a script use it."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger
from app.lib.tracelog import codec, ids
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.shipper.election import LOCK_NAME, Election
from app.lib.tracelog.shipper.quarantine import Entry, Quarantine
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, Store
from app.lib.tracelog.store.turso_store import TursoStore
from commands import logs
from commands.kit.environment import ROOT
from commands.kit.logs import delivery
from commands.kit.words import Failure
from tests.commands.conftest import Checkout
from tests.lib.tracelog.rows import API, api_row
from tests.support.live_app import StartApp, clean_env
from tests.support.plain_http import plain_client
from tests.support.processes import Program, wait_until
from tests.support.turso import TursoServer

AskLogs = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log folder that the settings name; its store is a file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("LOG_DIR", str(tmp_path / "logs"))
    monkeypatch.delenv("TURSO_URL", raising=False)
    return tmp_path / "logs"


@pytest.fixture
def on_sqld(folder: Path, sqld: TursoServer, monkeypatch: pytest.MonkeyPatch) -> TursoServer:
    """The same with `sqld` for a store."""
    monkeypatch.setenv("TURSO_URL", sqld.url)
    monkeypatch.setenv("TURSO_TOKEN", sqld.token)
    return sqld


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> AskLogs:
    """`ask("status")`: what it prints as JSON; `code` is what it should return."""

    def run(*arguments: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert logs.main([*arguments, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return run


def record(folder: Path, rows: int) -> None:
    """Rows that nobody delivers."""
    logger = CSVOnlyLogger(folder)
    for n in range(rows):
        logger.log(None, API_LOGS, {"method": "GET", "endpoint": f"/{n}"})
    logger.close()


def identity(account: dict[str, int]) -> tuple[int, ...]:
    names = ("appended", "shipped", "pending", "quarantined", "dropped", "unaccounted")
    return tuple(account[name] for name in names)


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    """The folder's file, with tables."""
    store = SQLiteStore(folder / "trace.db")
    store.migrate()
    yield store
    store.close()


# --- status and ship ------------------------------------------------------------------------


def test_status_tells_where_every_row_is(
    folder: Path, ask: AskLogs, capsys: pytest.CaptureFixture[str]
) -> None:
    record(folder, 12)

    account = ask("status")
    assert logs.main(["status"]) == 0

    assert identity(account) == (12, 0, 12, 0, 0, 0)
    assert account["store"] == str(folder / "trace.db")
    assert [table["pending"] for table in account["tables"]] == [12, 0]
    shown = capsys.readouterr().out
    assert "Nobody delivers" in shown
    assert "            12  wait in the CSV files," in shown
    assert "unaccounted" not in shown


def test_status_in_japanese(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    record(folder, 3)

    assert logs.main(["status"]) == 0

    assert "3  CSV ファイルで配送待ちの行" in capsys.readouterr().out


def test_status_of_a_log_that_has_not_begun(folder: Path, ask: AskLogs) -> None:
    assert identity(ask("status")) == (0, 0, 0, 0, 0, 0)
    assert not folder.exists()


@pytest.mark.sqld
def test_ship_once_delivers_what_waits(on_sqld: TursoServer, folder: Path, ask: AskLogs) -> None:
    record(folder, 700)

    assert ask("ship", "--once")["shipped_now"] == 700
    assert ask("ship", "--once")["shipped_now"] == 0

    assert identity(ask("status")) == (700, 700, 0, 0, 0, 0)
    store = TursoStore(on_sqld.url, on_sqld.token)
    assert store.query("SELECT count(*) FROM api_logs").rows == [(700,)]
    store.close()


@pytest.mark.sqld
def test_ship_once_says_why_it_cannot(
    on_sqld: TursoServer, folder: Path, ask: AskLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(folder, 5)
    monkeypatch.setenv("TURSO_TOKEN", "wrong")
    with pytest.raises(Failure, match=r"cannot be delivered to 127\.0\.0\.1:\d+: .* token"):
        logs.main(["ship", "--once"])
    on_sqld.kill()
    with pytest.raises(Failure, match="nobody listens there"):
        logs.main(["ship", "--once", "--seconds", "0.5"])

    assert identity(ask("status")) == (5, 0, 5, 0, 0, 0)


def test_who_ships_looks_at_the_alert_rules_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers: dict[int, Callable[[int, None], None]] = {}
    seen: list[object] = []

    async def watch(_settings: object, logger: EnhancedCSVLogger, _box: object) -> None:
        seen.append(logger.recorder.log_dir)
        handlers[signal.SIGTERM](signal.SIGTERM, None)
        try:
            await anyio.sleep_forever()
        finally:
            seen.append("ended")

    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(delivery, "watch_alerts", watch)

    assert logs.main(["ship"]) == 0

    assert seen == [folder, "ended"]


def test_ship_once_waits_for_another_process_that_delivers(folder: Path, ask: AskLogs) -> None:
    logger = EnhancedCSVLogger(base_path=folder)
    logger.start()
    wait_until(lambda: logger.status().leader)
    for _ in range(300):
        logger.log(None, API_LOGS, {"method": "GET", "endpoint": "/"})

    account = ask("ship", "--once")

    assert identity(account) == (300, 300, 0, 0, 0, 0)
    assert ask("status")["leader_pid"] is not None
    logger.close()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_ship_delivers_until_it_is_asked_to_end(folder: Path, ask: AskLogs, stop: int) -> None:
    record(folder, 50)
    shipper = Program(
        [sys.executable, "manage.py", "logs", "ship"],
        ready=lambda: "Delivering from" in shipper.output(),
        log=folder.parent / "output.log",
        env=clean_env(LANG="C.UTF-8", LOG_DIR=str(folder)),
        cwd=ROOT,
    )
    shipper.start()
    wait_until(lambda: ask("status")["shipped"] == 50)
    assert ask("status")["leader_pid"] == shipper.process.pid
    record(folder, 2_000)
    shipper.process.send_signal(stop)

    assert shipper.wait() == 0
    assert identity(ask("status")) == (2_050, 2_050, 0, 0, 0, 0)
    assert "Ended; 0 rows wait." in shipper.output()
    assert "Traceback" not in shipper.output()


def test_what_ship_tells_on_the_way_is_not_in_the_way_of_its_json(folder: Path) -> None:
    record(folder, 50)
    results = folder.parent / "results.json"
    with results.open("wb") as output:
        shipper = subprocess.Popen(
            [sys.executable, "manage.py", "logs", "ship", "--json"],
            stdout=output,
            env=clean_env(LANG="C.UTF-8", LOG_DIR=str(folder)),
            cwd=ROOT,
        )
        wait_until(lambda: Election.holder(folder / LOCK_NAME) == shipper.pid)
        shipper.terminate()
        assert shipper.wait() == 0

    assert identity(json.loads(results.read_text())) == (50, 50, 0, 0, 0, 0)


@pytest.mark.sqld
def test_the_app_delivers_while_a_person_looks(
    start_app: StartApp, sqld: TursoServer, ask: AskLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = start_app(TURSO_URL=sqld.url, TURSO_TOKEN=sqld.token)
    for name in ("TURSO_URL", "TURSO_TOKEN", "LOG_DIR"):
        monkeypatch.setenv(name, app.env[name])
    client = plain_client(base_url=app.origin)
    for _ in range(30):
        client.get("/nowhere")

    wait_until(lambda: ask("status")["shipped"] >= 30)
    account = ask("status")
    assert account["unaccounted"] == 0
    assert account["leader_pid"] == app.process.pid
    told = client.get("/readyz").json()["trace_log"]
    client.close()
    assert told["shipped"] == account["shipped"]
    assert not ask("verify")["differs"]


# --- verify ---------------------------------------------------------------------------------


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


# --- export and import ----------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["export", "new"], r"has no tables yet; they are made with the first row"),
        (["export", "logs"], r"is the log folder itself"),
        (["export", "taken"], r"taken/api_logs\.csv is there already"),
        (["export", ""], r"The name of a file or folder is empty"),
        (["import", ""], r"The name of a file or folder is empty"),
        (["import", "customers.csv"], r"Neither the name nor the header of .*customers\.csv"),
        (["import", "api_logs.csv"], r"api_logs\.csv has ';' between its fields; save it with"),
        (["import", "nowhere.csv"], r"nowhere\.csv cannot be read: No such file"),
        (["import", "taken/api_logs.csv", "--timezone", "Mars"], r"no time zone 'Mars'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    folder: Path, arguments: list[str], sentence: str
) -> None:
    record(folder, 1)
    Path("taken").mkdir()
    Path("taken/api_logs.csv").write_text("endpoint,created_at\n")
    Path("customers.csv").write_text("name\n")
    Path("api_logs.csv").write_text("endpoint;created_at\n")

    with pytest.raises(Failure, match=sentence):
        logs.main(arguments)


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["ship", "--once"], ["verify"], ["prune"], ["quarantine"], ["export", "logs/x"]],
)
def test_a_log_folder_that_is_none_is_said_in_one_sentence(
    folder: Path, arguments: list[str]
) -> None:
    folder.write_text("a file")

    with pytest.raises(Failure, match=r"logs(/\S+)? (cannot be used|does not answer)"):
        logs.main(arguments)


@pytest.mark.parametrize("arguments", [["status"], ["ship", "--once"], ["verify"]])
def test_csv_files_that_may_not_be_read_are_not_taken_for_empty(
    folder: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record(folder, 1)
    open_path = Path.open

    def refuse(path: Path, *args: Any, **options: Any) -> Any:
        if path == folder / "api_logs.csv":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return open_path(path, *args, **options)

    # Not by their mode, which the superuser does not care for.
    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(Failure, match=r"api_logs\.csv cannot be used: Permission denied"):
        logs.main(arguments)


@pytest.mark.sqld
@pytest.mark.parametrize("arguments", [["verify"], ["export", "x"], ["prune"]])
def test_a_store_that_is_away_is_said_in_one_sentence(
    on_sqld: TursoServer, arguments: list[str]
) -> None:
    on_sqld.kill()

    with pytest.raises(Failure, match=r"does not answer \(.*nobody listens there"):
        logs.main(arguments)


# --- prune and quarantine ---------------------------------------------------------------------


def test_prune_deletes_what_is_old_or_too_much(
    folder: Path, store: Store, ask: AskLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [api_row(row_id=ids.first_at(time.time() - 20 * 86_400) + n) for n in range(30)]
    store.insert(Batch({API_LOGS: old}))
    monkeypatch.setenv("LOG_RETENTION_DAYS", "0")
    monkeypatch.setenv("LOG_ERROR_RETENTION_DAYS", "0")
    assert ask("prune")["store"] == {"rows": 0, "too_large": False}
    monkeypatch.setenv("LOG_RETENTION_DAYS", "14")

    assert ask("prune")["store"]["rows"] == 30
    assert ask("prune")["store"]["rows"] == 0
    assert store.query("SELECT count(*) FROM api_logs").rows == [(0,)]


def test_prune_makes_room_in_the_folder(
    folder: Path, ask: AskLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = CSVOnlyLogger(folder, segment_bytes=20_000)
    for n in range(600):
        logger.log(None, API_LOGS, {"method": "GET", "endpoint": f"/{n}"})
    logger.close()
    for path in folder.glob("api_logs.*.csv"):
        os.utime(path, (time.time() - 60, time.time() - 60))  # nobody writes to it any more
    monkeypatch.setenv("LOG_MAX_BYTES", "30000")

    freed = ask("prune")["folder"]

    assert freed["files"] > 1
    assert freed["dropped"] > 100
    account = ask("status")
    assert identity(account) == (600, 0, 600 - freed["dropped"], 0, freed["dropped"], 0)


def test_prune_leaves_the_folder_to_the_process_that_delivers(
    folder: Path, ask: AskLogs, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = EnhancedCSVLogger(base_path=folder)
    logger.start()
    wait_until(lambda: logger.status().leader)

    assert ask("prune") == {"store": {"rows": 0, "too_large": False}, "folder": None}
    assert logs.main(["prune"]) == 0
    assert "looked after by the process that delivers" in capsys.readouterr().out
    logger.close()


@pytest.fixture
def damaged(folder: Path, ask: AskLogs) -> Path:
    """A log in which one row was torn, and one could not be read by an earlier version."""
    record(folder, 4)
    path = folder / "api_logs.csv"
    lines = path.read_bytes().split(b"\n")
    lines[2] = b"\0\0" + lines[2]
    path.write_bytes(b"\n".join(lines))
    ask("ship", "--once")
    return folder


def test_quarantine_lists_what_cannot_be_delivered_and_why(
    damaged: Path, ask: AskLogs, capsys: pytest.CaptureFixture[str]
) -> None:
    [entry] = ask("quarantine")
    assert logs.main(["quarantine"]) == 0

    assert entry["table"] == API_LOGS
    assert entry["reason"]
    shown = capsys.readouterr().out
    assert f"api_logs {entry['segment']}@{entry['start']}  {entry['reason']}" in shown
    assert "\\x00\\x00" in shown
    assert identity(ask("status"))[3] == 1


def test_retry_delivers_what_can_be_by_now(folder: Path, ask: AskLogs, store: Store) -> None:
    record(folder, 2)
    ask("ship", "--once")
    row = api_row("rejected once")
    line = codec.encode(API, row)
    entry = Quarantine(folder)
    entry.add([Entry("now", API_LOGS, 1, 0, len(line), "the server said no", line)])
    entry.add([Entry("now", API_LOGS, 1, 900, 903, "3 fields", b"a,b")])

    assert ask("quarantine", "--retry", code=1) == {"shipped": 1, "left": 1}

    assert store.query("SELECT count(*) FROM api_logs WHERE id = ?", (row[0],)).rows == [(1,)]
    assert [each["start"] for each in ask("quarantine")] == [900]


def test_discard_counts_as_dropped(damaged: Path, ask: AskLogs) -> None:
    before = identity(ask("status"))

    assert ask("quarantine", "--discard") == {"discarded": 1}

    assert ask("quarantine") == []
    after = identity(ask("status"))
    assert (before[3:5], after[3:5]) == ((1, 0), (0, 1))
    assert before[:3] + before[5:] == after[:3] + after[5:]


# --- what a script sees -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["export", "taken"], ["import", "nowhere.csv"], ["ship", "--once"], ["status"]]
)
def test_what_could_not_be_done_is_told_to_scripts_as_well(
    folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("taken").mkdir()
    Path("taken/api_logs.csv").touch()
    if arguments[0] in {"ship", "status"}:
        folder.write_text("a file")
    capsys.readouterr()

    with pytest.raises(Failure) as caught:
        logs.main([*arguments, "--json"])

    assert caught.value.code == 2
    assert json.loads(capsys.readouterr().out) == {"error": str(caught.value)}


@pytest.mark.parametrize("seconds", ["-1", "nan", "soon"])
def test_a_length_of_time_is_one(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        logs.main(["ship", "--once", f"--seconds={seconds}"])

    assert f"invalid seconds value: '{seconds}'" in capsys.readouterr().err


def test_progress_goes_to_standard_error_and_only_if_wanted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(folder, 30)
    for wanted in (False, True):
        capsys.readouterr()
        logs.main(["ship", "--once", *(["--progress"] if wanted else [])])
        logs.main(["verify", *(["--progress"] if wanted else [])])
        shown = capsys.readouterr()
        assert shown.out.endswith("They agree.\n")
        assert ("30 rows, " in shown.err) == wanted, shown.err


@pytest.mark.parametrize(
    "action", ["status", "ship", "verify", "export", "import", "prune", "quarantine"]
)
def test_each_action_explains_itself(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        logs.main([action, "--help"])

    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: manage.py logs {action}")
