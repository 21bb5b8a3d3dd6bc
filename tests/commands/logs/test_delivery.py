"""`manage.py logs status` and `ship`."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.shipper.election import LOCK_NAME, Election
from app.lib.tracelog.store.turso_store import TursoStore
from commands import logs
from commands.kit.environment import ROOT
from commands.kit.logs import delivery
from commands.kit.words import Failure
from tests.commands.logs.rows import AskLogs, identity, record
from tests.support.live_app import StartApp, clean_env
from tests.support.plain_http import plain_client
from tests.support.processes import Program, wait_until
from tests.support.turso import TursoServer


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
