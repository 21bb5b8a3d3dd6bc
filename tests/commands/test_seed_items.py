"""`manage.py seed` makes items."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from commands import seed
from commands.kit.words import Failure


def test_it_adds_as_many_as_wanted_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("DATABASE_URL", "sqlite:///app.db")
    monkeypatch.setattr(seed, "_PART", 10)

    assert seed.main(["--items", "25"]) == 0
    assert seed.main(["--items", "1"]) == 0

    assert "Made 10 example items for admin@example.com." in capsys.readouterr().out
    with closing(sqlite3.connect("app.db")) as database:
        assert database.execute("SELECT count(*) FROM items").fetchone() == (26,)
        titles = database.execute("SELECT count(DISTINCT title) FROM items").fetchone()[0]
        assert titles > 15, "the parts must differ"


def test_less_than_none_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(Failure, match="--items"):
        seed.main(["--items", "-5"])

    assert list(tmp_path.iterdir()) == []
