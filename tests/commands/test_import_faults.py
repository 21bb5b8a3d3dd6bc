"""`manage.py faults` hurts imports where it is told to, and says what became of them."""

import tempfile
from pathlib import Path

import pytest

from commands import faults
from commands.kit.words import Failure


@pytest.fixture(autouse=True)
def _english_and_tidy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_database_that_is_not_its_own_is_not_taken_away() -> None:
    with pytest.raises(Failure, match="--postgresql"):
        faults.main(["--away", "30", "--database", "postgresql://localhost/theirs"])


def test_a_database_that_is_away_in_an_import_is_waited_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert faults.main(["--away", "0.1", "--seed", "7"]) == 0

    first, verdict, last = capsys.readouterr().out.splitlines()
    assert "gone for 0.1 s" in first
    assert "every row is where it must be" in verdict
    assert "after 0.1 s without a database" in last
    assert list(Path(tempfile.gettempdir()).glob("faults-*")) == []
