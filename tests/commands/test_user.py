import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from commands import user
from commands.kit.words import Failure


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The commands' database, reached through the environment as in real life."""
    path = tmp_path / "data" / "app.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path.as_posix()}")
    monkeypatch.setenv("LOG_DIR", str(tmp_path / "logs"))
    return path


def stored(path: Path, columns: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f"SELECT {columns} FROM users ORDER BY id").fetchall()


def test_an_added_user_has_the_printed_password_only_as_a_hash(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert user.main(["add", "Aki@Example.com", "--name", "亜希"]) == 0

    printed = re.search(r"Added aki@example.com \(user\) .* (\S{16}) \(", capsys.readouterr().out)
    assert printed
    assert stored(database, "email, name, role") == [("aki@example.com", "亜希", "user")]
    assert str(stored(database, "password_hash")[0][0]).startswith("$argon2id$")
    assert printed[1].encode() not in database.read_bytes()


def test_a_user_without_a_name_is_called_as_in_the_address(database: Path) -> None:
    user.main(["add", "aki@example.com", "--admin"])

    assert stored(database, "name, role") == [("aki", "admin")]


@pytest.mark.parametrize("email", ["aki", "aki@", "@example.com", ""])
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(Failure, match=rf"^“{email}”: Please enter an e-mail address such as"):
        user.main(["add", email])


def test_one_address_has_one_account(database: Path) -> None:
    user.main(["add", "aki@example.com"])

    with pytest.raises(Failure, match=r"There is an account for aki@example\.com already"):
        user.main(["add", "AKI@example.com"])

    assert len(stored(database, "id")) == 1


def test_make_admin_and_list(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    user.main(["add", "aki@example.com"])
    user.main(["add", "ben@example.com"])
    assert user.main(["make-admin", "Ben@example.com"]) == 0
    capsys.readouterr()

    assert user.main(["list"]) == 0

    listed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[1:] for line in listed] == [
        ["user", "aki@example.com", "aki"],
        ["admin", "ben@example.com", "ben"],
    ]


def test_reset_gives_another_password_and_ends_sign_ins(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    user.main(["add", "aki@example.com"])
    before = stored(database, "password_hash")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "INSERT INTO login_sessions (token_hash, user_id, created_at, last_seen_at,"
            " authenticated_at, expires_at, user_agent, ip_address) SELECT 'x', id, created_at,"
            " created_at, created_at, created_at, '', '' FROM users"
        )
        connection.commit()
    capsys.readouterr()

    assert user.main(["reset", "aki@example.com"]) == 0

    assert "The password of aki@example.com is " in capsys.readouterr().out
    assert stored(database, "password_hash") != before
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM login_sessions").fetchone() == (0,)


def test_who_lost_the_second_factor_can_do_without(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    user.main(["add", "aki@example.com"])
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE users SET totp_key = 'x', totp_confirmed_at = created_at")
        connection.execute("INSERT INTO backup_codes (user_id, code_hash) VALUES (1, 'x')")
        connection.commit()

    assert user.main(["second-factor-off", "aki@example.com"]) == 0

    assert "without a second factor" in capsys.readouterr().out
    with closing(sqlite3.connect(database)) as connection:
        kept = connection.execute("SELECT totp_key, totp_confirmed_at FROM users").fetchone()
        assert kept == (None, None)
        assert connection.execute("SELECT count(*) FROM backup_codes").fetchone() == (0,)
        (kind,) = connection.execute("SELECT kind FROM account_events").fetchone()
        assert kind == "second_factor_off"


@pytest.mark.parametrize("action", ["make-admin", "reset", "second-factor-off"])
def test_an_unknown_user_is_said_so(action: str) -> None:
    with pytest.raises(Failure, match=r"no account for nobody@example\.com; .* user list"):
        user.main([action, "nobody@example.com"])
