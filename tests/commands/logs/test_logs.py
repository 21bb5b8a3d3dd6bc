"""What every `manage.py logs` has in common: sentences for a person, JSON for a script."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from commands import logs
from commands.kit.words import Failure
from tests.commands.logs.rows import record
from tests.support.turso import TursoServer


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
