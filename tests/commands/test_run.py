"""`manage.py run`: the first start, the next ones, their ends, and what can stand in the way."""

import gc
import json
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg
import pytest
import uvicorn

from app.config import Settings
from app.lib.env_file import read_env_file
from commands.kit import settings as kit_settings
from commands.kit.environment import ROOT
from commands.kit.server import Server
from tests.commands.conftest import Checkout, Run
from tests.support.plain_http import plain_client
from tests.support.processes import free_port, wait_until
from tests.support.turso import TursoServer

StartRun = Callable[..., Run]


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

    done = checkout.manage("run", PORT=free())

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


def test_a_taken_port_is_said_so_with_another_one(checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        sentence = checkout.refuse("run", PORT=str(port), **no_env(checkout))

    assert sentence.startswith(f"Port {port} is taken")
    assert f"--port {port + 1}" in sentence


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"HOST": "203.0.113.7"}, "203.0.113.7 is not an address of this machine"),
        ({"HOST": "no-such-host.invalid"}, "no-such-host.invalid is not an address"),
        ({"PORT": "http"}, "PORT in the environment must be a whole number"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL in the environment must be sqlite:///"),
        ({"TURSO_URL": "wss://x.y"}, "TURSO_URL in the environment must look like libsql://"),
        (
            {"DATABASE_URL": "postgresql://u:hush@127.0.0.1:9/n"},
            "PostgreSQL at 127.0.0.1 does not answer; start it, or mend DATABASE_URL in the env",
        ),
        (
            {"DATABASE_URL": "postgresql://u:hush@no-such-host.invalid/n"},
            "PostgreSQL at no-such-host.invalid does not answer",
        ),
    ],
)
def test_what_stands_in_the_way_is_said_in_one_sentence(
    checkout: Checkout, env: dict[str, str], sentence: str
) -> None:
    said = checkout.refuse("run", **no_env(checkout), **{"PORT": free()} | env)

    assert said.startswith(sentence)
    assert "hush" not in said


def test_it_says_so_in_japanese_too(checkout: Checkout) -> None:
    said = checkout.refuse("run", **no_env(checkout), PORT="http", LANG="ja_JP.UTF-8")

    assert said == "環境変数 PORT は整数だけを書いてください。"


@pytest.mark.parametrize("line", ["export PORT=8000", "PORT: 8000", 'PORT="8000'])
def test_a_malformed_line_of_the_env_file_is_told(checkout: Checkout, line: str) -> None:
    checkout.env_file.write_text(f"# settings\n{line}\n", encoding="utf-8")

    assert checkout.refuse("run").startswith("Line 2 of .env ")


@pytest.mark.parametrize("folder", ["data", "logs"])
def test_a_folder_that_cannot_be_made_is_named(checkout: Checkout, folder: str) -> None:
    (checkout.folder / folder).write_text("a file in its place", encoding="utf-8")

    said = checkout.refuse("run", **no_env(checkout), PORT=free())

    assert said.startswith(f"{folder} cannot be written")


def test_a_folder_without_write_permission_is_named(
    checkout: Checkout, ordinary: list[str]
) -> None:
    (checkout.folder / "data").mkdir(mode=0o555)

    done = checkout.manage("run", python=ordinary, **no_env(checkout), PORT=free())

    assert done.returncode == 1
    assert done.stdout.startswith("data cannot be written (Permission denied)")
    assert done.stdout.count("\n") == 1


def test_a_env_file_that_cannot_be_written_is_named(
    checkout: Checkout, ordinary: list[str]
) -> None:
    checkout.folder.chmod(0o555)

    done = checkout.manage("run", python=ordinary, PORT=free())

    assert done.returncode == 1
    assert ".env.new cannot be written (Permission denied)" in done.stdout
    assert done.stdout.count("\n") == 1


def test_a_file_that_is_no_database_is_told(checkout: Checkout) -> None:
    (checkout.folder / "data").mkdir()
    (checkout.folder / "data" / "app.db").write_bytes(b"no database, but text " * 100)

    said = checkout.refuse("run", **no_env(checkout), PORT=free())

    assert said.startswith("The database data/app.db cannot be used (file is not a database)")


def test_a_database_of_newer_code_is_told(checkout: Checkout, sqlite_database: str) -> None:
    with closing(sqlite3.connect(sqlite_database.removeprefix("sqlite:///"))) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    newer = {"DATABASE_URL": sqlite_database}

    said = checkout.refuse("run", **no_env(checkout), **newer, PORT=free())

    assert said.startswith("The database is newer than this code")


def test_on_postgresql_with_a_log_store_that_takes_the_token_and_gets_no_word(
    checkout: Checkout, run: StartRun, empty_postgres_database: str, sqld: TursoServer
) -> None:
    app = run(DATABASE_URL=empty_postgres_database, TURSO_URL=sqld.url, TURSO_TOKEN=sqld.token)
    app.stop()

    with psycopg.connect(empty_postgres_database) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (1,)
    assert not (checkout.folder / "data").exists()
    assert "TURSO" not in app.output()


def test_a_missing_postgresql_database_is_told_by_name(
    checkout: Checkout, postgres_url: str
) -> None:
    url = urlsplit(postgres_url)._replace(path="/not_there").geturl()

    said = checkout.refuse("run", **no_env(checkout), PORT=free(), DATABASE_URL=url)

    assert "has no database 'not_there'" in said


@pytest.fixture
def guarded_postgres(empty_postgres_database: str) -> Iterator[str]:
    """URL of a database with a user whose password is another one."""
    guest = empty_postgres_database.replace("postgres:", "guest:hush", 1)
    with psycopg.connect(empty_postgres_database, autocommit=True) as connection:
        rules = Path(str((connection.execute("SHOW hba_file").fetchone() or ("",))[0]))
        before = rules.read_text(encoding="utf-8")
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'the right one'")
        rules.write_text(f"local all guest scram-sha-256\n{before}", encoding="utf-8")
        connection.execute("SELECT pg_reload_conf()")
        wait_until(lambda: not connects(guest), what="the new rule")
        yield guest
        rules.write_text(before, encoding="utf-8")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("DROP ROLE guest")


def connects(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_user_who_may_not_make_tables_is_told(
    checkout: Checkout, empty_postgres_database: str
) -> None:
    url = empty_postgres_database.replace("postgres:", "reader:", 1)
    with psycopg.connect(empty_postgres_database, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN")
        said = checkout.refuse("run", **no_env(checkout), PORT=free(), DATABASE_URL=url)
        connection.execute("DROP ROLE reader")

    assert said.startswith("The database could not be brought up to date: permission denied")


def test_a_wrong_password_of_postgresql_is_told(checkout: Checkout, guarded_postgres: str) -> None:
    said = checkout.refuse("run", **no_env(checkout), PORT=free(), DATABASE_URL=guarded_postgres)

    assert "does not accept the user or password of DATABASE_URL" in said
    assert "hush" not in said


def test_a_log_store_that_refuses_the_token_is_a_warning_and_the_app_runs(
    run: StartRun, sqld: TursoServer
) -> None:
    app = run(TURSO_URL=sqld.url, TURSO_TOKEN="hush.hush.hush")
    app.stop()

    assert "127.0.0.1, does not accept TURSO_TOKEN (status 401)" in app.output()
    assert "hush" not in app.output()


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


def no_env(checkout: Checkout) -> dict[str, str]:
    """A key in the environment and an empty `.env`, so that none is written and announced."""
    checkout.env_file.touch()
    return {"SECRET_KEY": "k" * 40}


def free() -> str:
    return str(free_port())


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
