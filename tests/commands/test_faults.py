"""`manage.py faults` says each minute what became of the rows, and ends with 1 if it is wrong."""

import tempfile
from pathlib import Path

import pytest

from commands import faults
from commands.kit.parts import sqld_path
from commands.kit.words import Failure
from tests.faults import chaos
from tests.faults.ledger import Ledger
from tests.support import turso
from tests.support.parts import needs


@pytest.fixture(autouse=True)
def _english_and_tidy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(chaos, "WRITERS", 2)
    monkeypatch.setattr(chaos, "DELIVERERS", 1)


@pytest.fixture
def _server_there() -> None:
    needs("sqld", there=sqld_path() is not None, mend="`python3 manage.py test` installs it")


@pytest.mark.usefixtures("_server_there")
def test_a_short_run_prints_its_seed_and_the_identity_and_ends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert faults.main(["--minutes", "0.02", "--seed", "7"]) == 0

    first, identity, last = capsys.readouterr().out.splitlines()
    assert "0.02 min of faults with --seed 7" in first
    assert " appended = " in identity
    assert "every row is where it must be" in identity
    assert "Nothing was lost" in last


@pytest.mark.usefixtures("_server_there")
def test_a_broken_promise_ends_it_with_1_and_tells_which(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object, **__: object) -> list[str]:
        return ["3 rows are nowhere, 0 counted: w1/5"]

    monkeypatch.setattr(Ledger, "violations", wrong)

    assert faults.main(["--minutes", "0.005", "--seed", "7"]) == 1

    output = capsys.readouterr().out
    assert "a promise is broken" in output
    assert "3 rows are nowhere" in output
    assert "--seed 7 decides the same again" in output


@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "inf", "-inf"])
@pytest.mark.parametrize(
    ("language", "said"), [("C.UTF-8", "a number above 0"), ("ja_JP.UTF-8", "0 より大きい数")]
)
def test_a_run_without_a_length_does_not_say_that_nothing_was_lost(
    minutes: str, language: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", language)

    with pytest.raises(Failure, match=said):
        faults.main([f"--minutes={minutes}"])


@pytest.mark.parametrize("option", ["--imports=-1", "--away=-1", "--away=nan", "--away=inf"])
def test_imports_that_nothing_hurts_are_not_told_as_unhurt(option: str) -> None:
    with pytest.raises(Failure, match="not below 0"):
        faults.main([option])


def test_without_a_server_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turso, "sqld_path", lambda: None)

    with pytest.raises(Failure, match="need sqld"):
        faults.main([])
    assert list(Path(tempfile.gettempdir()).glob("faults-*")) == []
