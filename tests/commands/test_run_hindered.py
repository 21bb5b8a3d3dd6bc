"""What can stand in the way of `manage.py run`, and what it says of it."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.commands.conftest import Checkout, StartRun
from tests.support.processes import free_port, wait_until
from tests.support.turso import TursoServer


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


def no_env(checkout: Checkout) -> dict[str, str]:
    """A key in the environment and an empty `.env`, so that none is written and announced."""
    checkout.env_file.touch()
    return {"SECRET_KEY": "k" * 40}


def free() -> str:
    return str(free_port())
