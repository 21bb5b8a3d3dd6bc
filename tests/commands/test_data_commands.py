"""`manage.py migrate` and `seed`."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from commands import migrate, seed
from commands.kit.words import Failure
from tests.commands.conftest import Checkout


def test_migrate_makes_the_tables_and_may_run_again(checkout: Checkout) -> None:
    for _ in range(2):
        done = checkout.manage("migrate")
        assert (done.returncode, done.stdout) == (0, "The database is up to date.\n")

    with closing(sqlite3.connect(checkout.folder / "data" / "app.db")) as database:
        assert database.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_migrate_works_on_postgresql(checkout: Checkout, empty_postgres_database: str) -> None:
    done = checkout.manage("migrate", DATABASE_URL=empty_postgres_database)

    assert done.returncode == 0, done.stdout
    with psycopg.connect(empty_postgres_database) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_a_new_migration_holds_what_the_models_have_more(own_checkout: Checkout) -> None:
    model = own_checkout.folder / "app" / "models" / "user.py"
    model.write_text(
        model.read_text(encoding="utf-8")
        + "    nickname: Mapped[str | None] = mapped_column(String(30))\n",
        encoding="utf-8",
    )
    versions = own_checkout.folder / "migrations" / "versions"
    before = set(versions.glob("*.py"))

    done = own_checkout.manage("migrate", "--make", "people have nicknames")

    assert done.returncode == 0, done.stdout
    (made,) = set(versions.glob("*.py")) - before
    assert made.stem.endswith("people_have_nicknames")
    assert re.search(r"add_column\(.*nickname", made.read_text(encoding="utf-8"))
    assert own_checkout.manage("migrate").returncode == 0
    with closing(sqlite3.connect(own_checkout.folder / "data" / "app.db")) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(users)")]
    assert "nickname" in columns


def test_a_migration_of_several_tables_passes_the_checks(own_checkout: Checkout) -> None:
    model = own_checkout.folder / "app" / "models" / "user.py"
    text = model.read_text(encoding="utf-8").replace(
        "import BigInteger,", "import BigInteger, ForeignKey,"
    )
    for table, column in (
        ("goods", ""),
        ("orders", "    user_id: Mapped[int] = mapped_column(Id, ForeignKey('users.id'))\n"),
    ):
        text += f"\n\nclass {table.title()}(Base):\n    __tablename__ = {table!r}\n"
        text += "    id: Mapped[int] = mapped_column(Id, primary_key=True)\n" + column
    model.write_text(text, encoding="utf-8")

    assert own_checkout.manage("migrate", "--make", "a shop").returncode == 0

    (made,) = own_checkout.folder.glob("migrations/versions/*_a_shop.py")
    text = made.read_text(encoding="utf-8")
    assert "from app.row_security import own_rows, system_rows\n" in text
    assert 'own_rows("orders", "user_id")' in text


def test_a_migration_has_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(Failure, match="--make"):
        migrate.main(["--make", " "])

    assert list(tmp_path.iterdir()) == []


def test_seed_makes_one_administrator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("DATABASE_URL", "sqlite:///app.db")

    assert seed.main([]) == 0
    first = capsys.readouterr().out
    assert seed.main([]) == 0
    second = capsys.readouterr().out

    assert first.count("with the password") == 1
    assert "with the password" not in second
    with closing(sqlite3.connect("app.db")) as database:
        assert database.execute("SELECT role FROM users").fetchall() == [("admin",)]
