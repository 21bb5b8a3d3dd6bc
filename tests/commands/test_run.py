"""`manage.py run`: the first start, the next ones, and their ends."""

import gc
import json
import re
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import psutil
import pytest
import uvicorn

from app.config import Settings
from app.lib.env_file import read_env_file
from commands.kit import settings as kit_settings
from commands.kit.environment import ROOT
from commands.kit.server import Server
from tests.commands.conftest import Checkout, Run, StartRun
from tests.support.plain_http import plain_client
from tests.support.processes import free_port, wait_until


def people(checkout: Checkout) -> int:
    with closing(sqlite3.connect(checkout.folder / "data" / "app.db")) as database:
        count: int = database.execute("SELECT count(*) FROM users").fetchone()[0]
    return count


def test_the_first_start_prepares_everything_and_the_next_ones_redo_nothing(
    checkout: Checkout, run: StartRun
) -> None:
    first = run()
    first.process.send_signal(signal.SIGINT)
    assert first.wait() == 0
    assert_ended_cleanly(first)

    assert re.search(r"Sign in as admin@example.com with the password \S{16} ", first.output())
    assert f"Ready: {first.origin}" in first.output()
    assert people(checkout) == 1
    recorded = "".join(path.read_text() for path in checkout.folder.glob("logs/*.csv"))
    assert "/sign-in" not in recorded, "nobody has asked for a page yet"
    written = checkout.env_file.read_text(encoding="utf-8")
    assert len(read_env_file(checkout.env_file)["SECRET_KEY"]) >= 43
    assert stat.S_IMODE(checkout.env_file.stat().st_mode) == 0o600

    first.log.unlink()
    first.start()
    # Its work, not the clock: this machine may be busy with other tests.
    used = sum(psutil.Process(first.process.pid).cpu_times()[:4])
    assert first.stop() == 0
    assert_ended_cleanly(first)

    assert used < 10
    assert first.output().splitlines() == [
        "Database  SQLite, data/app.db",
        "Accounts  in the app's own database",
        "Trace log CSV in logs, then SQLite, logs/trace.db",
        "Jobs      DBOS on SQLite, data/app.jobs.db",
        "Mail      stays here, at /dev/mail",
        f"Ready: {first.origin}  (Ctrl+C ends it)",
    ]
    assert checkout.env_file.read_text(encoding="utf-8") == written
    assert people(checkout) == 1


def assert_ended_cleanly(app: Run) -> None:
    assert "Traceback" not in app.output()
    with pytest.raises(httpx.ConnectError):
        httpx.get(app.origin, trust_env=False, timeout=60)


def test_with_reload_a_change_of_the_code_is_there_by_itself(
    own_checkout: Checkout, run: StartRun
) -> None:
    app = run("--reload", checkout=own_checkout)
    main = own_checkout.folder / "app" / "main.py"

    main.write_text(
        main.read_text(encoding="utf-8").replace("title=NAME", 'title="Changed"'),
        encoding="utf-8",
    )

    with plain_client(base_url=app.origin) as client:

        def changed() -> bool:
            try:
                response = client.get("/api/openapi.json")
            except httpx.HTTPError:
                return False
            return bool(response.json()["info"]["title"] == "Changed")

        wait_until(changed, seconds=60, what="the reload")
    assert app.stop() == 0
    assert_ended_cleanly(app)


def test_with_reload_ctrl_c_ends_it_cleanly(run: StartRun) -> None:
    app = run("--reload")

    app.process.send_signal(signal.SIGINT)

    assert app.wait() == 0
    assert_ended_cleanly(app)


def test_with_reload_ctrl_c_is_heard_at_any_moment() -> None:
    # A handler that waits for what its own thread holds would never come back.
    program = """
import signal
from commands.kit.serving import End

for _ in range(300):
    end = End()
    signal.signal(signal.SIGALRM, lambda *_: end.set())
    signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0002)
    while not end.wait(0.00001):
        pass
    assert end.is_set()
    signal.setitimer(signal.ITIMER_REAL, 0)
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)


def test_a_key_is_filled_into_a_env_file_without_one(checkout: Checkout) -> None:
    lines = "# mine\nSECRET_KEY=\nLOG_DIR=records\nDATABASE_URL=postgresql://u:p@127.0.0.1:9/n\n"
    checkout.env_file.write_text(lines, encoding="utf-8")

    done = checkout.manage("run", PORT=str(free_port()))

    assert "PostgreSQL at 127.0.0.1 does not answer" in done.stdout, "the key was no obstacle"

    written = checkout.env_file.read_text(encoding="utf-8").splitlines()
    assert (written[0], written[2]) == ("# mine", "LOG_DIR=records")
    assert re.fullmatch(r"SECRET_KEY=[\w-]{64}", written[1])
    assert (checkout.folder / "records").is_dir()


def test_in_production_no_demo_administrator_is_made_and_a_log_store_may_be_silent(
    checkout: Checkout, run: StartRun
) -> None:
    checkout.env_file.write_text('LOG_DIR="my records"\n', encoding="utf-8")
    app = run(
        ENVIRONMENT="production",
        SECRET_KEY=f"'{'k' * 40}'",
        TURSO_URL="http://u:hush@127.0.0.1:9",
    )
    app.stop()

    said = [json.loads(line) for line in app.output().splitlines()]
    at_start = [entry["message"] for entry in said if entry["logger"] == "app.start"]
    assert at_start[0].startswith("The log store of TURSO_URL, 127.0.0.1, does not answer")
    assert [line.split("  ")[0] for line in at_start[1:6]] == [
        *("Database", "Accounts", "Trace log CSV in my records, then Turso at 127.0.0.1:9", "Jobs"),
        *("Mail",),
    ]
    assert "password" not in app.output()
    assert "hush" not in app.output()
    assert "Traceback" not in app.output()
    assert people(checkout) == 0
    # A key in the environment is enough, and quotes are dropped and said once.
    (quotes,) = [entry["message"] for entry in said if "quotes" in entry["message"]]
    assert "SECRET_KEY" in quotes
    assert "LOG_DIR" in quotes
    assert "kkk" not in app.output()
    assert (checkout.folder / "my records").is_dir()
    assert checkout.env_file.read_text(encoding="utf-8") == 'LOG_DIR="my records"\n'


def test_what_is_said_of_preparing_is_no_line_of_the_app_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard output is for the app log, and of other commands for JSON."""
    monkeypatch.setattr(kit_settings, "ENV_FILE", tmp_path / ".env")
    monkeypatch.delenv("SECRET_KEY", raising=False)

    kit_settings.provide_env_file()

    assert (tmp_path / ".env").exists()
    said = capsys.readouterr()
    assert (said.out, ".env" in said.err) == ("", True)


def test_hashes_of_passwords_leave_no_memory_behind() -> None:
    code = """
import threading
from pathlib import Path
import argon2
from commands.kit.memory import give_memory_back
rss = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4 // 1024
give_memory_back()
before = rss()
def work():
    for _ in range(3):
        argon2.PasswordHasher(memory_cost=19456, time_cost=1, parallelism=1).hash("x")
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(rss() - before)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert int(done.stdout) < 15, "one hash takes 19 MB"


async def test_garbage_is_collected_again_once_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def no_startup(*_: object, **__: object) -> None: ...

    monkeypatch.setattr(uvicorn.Server, "startup", no_startup)
    gc.disable()
    try:
        await Server(uvicorn.Config("app"), Settings(secret_key="k" * 40)).startup()
        assert gc.isenabled()
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()
        gc.enable()
