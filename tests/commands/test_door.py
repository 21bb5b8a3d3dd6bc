"""`manage.py` on machines that are not ready, and what it says of itself."""

import ast
import json
import os
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest

from commands.kit.door import COMMANDS
from commands.kit.environment import ROOT
from commands.kit.sentences import SENTENCES
from tests.commands.conftest import Checkout


def test_it_lists_every_command_in_one_line_each(
    checkout: Checkout, base_python: list[str]
) -> None:
    for arguments in ([], ["--help"], ["help"]):
        done = checkout.without_venv() if (checkout.folder / ".venv").exists() else checkout
        listing = done.manage(*arguments, python=base_python)

        assert listing.returncode == 0
        listed = re.findall(r"^  (\w+) +\S.*[.)]$", listing.stdout, re.MULTILINE)
        assert listed == list(COMMANDS)
        assert not (checkout.folder / ".venv").exists()


def test_who_reads_along_no_further_is_told_nothing_more(checkout: Checkout) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "manage.py", "help"],
        cwd=checkout.folder,
        env=checkout.env,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)

    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
@pytest.mark.parametrize("command", ["help", "doctor --json", "logs verify", "logs status --json"])
def test_a_disk_without_room_for_the_output_is_not_taken_for_another(
    checkout: Checkout, command: str
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "manage.py", *command.split()],
            cwd=checkout.folder,
            env=checkout.env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    says = "The output of this command cannot be written: No space left on device.\n"
    assert (done.returncode, done.stderr) == (2, says)


@pytest.mark.parametrize("command", ["help >&-", "logs status --json <&- >&-"])
def test_without_standard_output_there_is_nobody_to_tell(checkout: Checkout, command: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" manage.py {command}', sys.executable],
        cwd=checkout.folder,
        env=checkout.env,
        stderr=subprocess.PIPE,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_without_standard_error_a_command_does_its_work(checkout: Checkout) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" manage.py logs verify 2>&-', sys.executable],
        cwd=checkout.folder,
        env=checkout.env,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["They agree."])


def test_json_loses_nothing_where_a_console_has_no_such_characters(
    checkout: Checkout,
) -> None:
    env = {"LC_ALL": "ja_JP.UTF-8", "PYTHONIOENCODING": "ascii", "PORT": "http"}

    done = checkout.manage("doctor", "--json", **env)

    assert any("環境変数 PORT は整数" in finding["text"] for finding in json.loads(done.stdout))


def test_every_file_in_commands_is_a_command() -> None:
    files = {path.stem for path in (ROOT / "commands").glob("*.py")} - {"__init__"}

    assert files == set(COMMANDS)


EXPLAIN = """
import sys
from commands.kit.door import main
for name in sys.argv[1:]:
    try:
        main([name, "--help"])
    except SystemExit as end:
        print(f"{name} ends with {end.code}")
"""


def test_every_command_explains_itself(checkout: Checkout) -> None:
    # In one process: to start one for each takes a second each.
    done = subprocess.run(
        [sys.executable, "-c", EXPLAIN, *COMMANDS],
        cwd=checkout.folder,
        env=checkout.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    for name in COMMANDS:
        assert f"usage: manage.py {name}" in done.stdout
        assert f"{name} ends with 0" in done.stdout


def test_a_command_is_explained_through_the_door(checkout: Checkout) -> None:
    done = checkout.manage("doctor", "--help")

    assert (done.returncode, done.stdout[:23]) == (0, "usage: manage.py doctor")


def test_an_unknown_command_is_said_so(checkout: Checkout) -> None:
    done = checkout.manage("rnu")

    assert (done.returncode, done.stdout.count("\n")) == (2, 1)
    assert "'rnu'" in done.stdout


@pytest.mark.parametrize(
    ("env", "word"),
    [
        ({"LANG": "ja_JP.UTF-8"}, "コマンド"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "ja_JP.UTF-8"}, "コマンド"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C.UTF-8"}, "COMMAND"),
        ({"LANG": "de_DE.UTF-8"}, "COMMAND"),
    ],
)
def test_it_speaks_the_language_of_the_locale(
    checkout: Checkout, env: dict[str, str], word: str
) -> None:
    done = checkout.manage(PYTHONIOENCODING="utf-8", **env)

    assert done.stdout.startswith(f"python3 manage.py {word}")


def test_where_a_setting_is_mended_is_said_as_one_writes_it(checkout: Checkout) -> None:
    url = "http://127.0.0.1:1"
    spoken = {"LANG": "ja_JP.UTF-8"}
    given = checkout.manage("logs", "verify", TURSO_URL=url, **spoken)
    checkout.env_file.write_text(f"TURSO_URL={url}\n", encoding="utf-8")
    written = checkout.manage("logs", "verify", **spoken)

    assert "起動するか、環境変数の TURSO_URL を直してください。" in given.stdout
    assert "起動するか、.env の TURSO_URL を直してください。" in written.stdout


def test_a_console_without_japanese_gets_no_stack_trace(checkout: Checkout) -> None:
    done = checkout.manage(LANG="ja_JP", PYTHONIOENCODING="ascii")

    assert done.returncode == 0
    assert "?" in done.stdout


def test_each_sentence_says_the_same_in_both_languages_and_is_used() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "commands").rglob("*.py")
        if "sentences" not in (path.stem, path.parent.name)
    )

    for key, (english, japanese) in SENTENCES.items():
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
            for sentence in (english, japanese)
        ]
        assert key == "settings" or {name.split("!")[0] for name in fields[0]} == fields[1], key
        assert re.search(f"[\"']{key}[\"']", code) or key.startswith("command_"), key


def test_old_pythons_can_read_the_file() -> None:
    source = (ROOT / "manage.py").read_text(encoding="utf-8")

    assert ast.parse(source, feature_version=(3, 4))
    assert not re.search(r"\bf[\"']|->|: *str", source), "Python 2 and 3.5 could not read this"


def test_an_old_python_is_told_so_in_one_sentence(checkout: Checkout) -> None:
    pretend = (
        "import runpy, sys; sys.version_info = (3, 9, 2); "
        f"runpy.run_path({str(checkout.folder / 'manage.py')!r}, run_name='__main__')"
    )
    for language, words in (("C.UTF-8", "Python 3.11 or newer"), ("ja_JP.UTF-8", "3.11 以降")):
        done = subprocess.run(
            [sys.executable, "-c", pretend],
            env=checkout.env | {"LANG": language, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert words in done.stderr
        assert "3.9.2" in done.stderr


def test_without_the_venv_module_it_says_what_to_install(
    checkout: Checkout, base_python: list[str], tmp_path: Path
) -> None:
    checkout.without_venv()
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['ensurepip'] = None\n")

    done = checkout.manage("run", python=base_python, PYTHONPATH=str(tmp_path))

    assert (done.returncode, done.stdout.count("\n")) == (1, 1)
    assert "apt install python3-venv" in done.stdout


def test_a_folder_that_cannot_be_written_is_named(checkout: Checkout, ordinary: list[str]) -> None:
    checkout.without_venv().folder.chmod(0o555)

    done = checkout.manage("run", python=ordinary)

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith(f"{checkout.folder / '.venv'} could not be made")
    assert "Permission denied" in done.stdout
    assert "Traceback" not in done.stdout
