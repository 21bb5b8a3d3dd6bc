"""What commands say of their arguments, in the language of the person."""

import re
import subprocess
import sys

import pytest

from commands.kit.door import COMMANDS
from commands.kit.environment import ROOT
from commands.kit.explanations import ARGUMENTS_IN_JAPANESE, COMMANDS_IN_JAPANESE
from tests.commands.conftest import Checkout
from tests.support.live_app import clean_env

JAPANESE = re.compile(r"[ぁ-ヶ一-龠]")

EXPLAIN = """
import sys
from contextlib import suppress
from commands.kit.door import main
for name in sys.argv[1:]:
    with suppress(SystemExit):
        main([*name.split(), "--help"])
"""


@pytest.fixture(scope="module")
def explained() -> str:
    """All that `--help` says where Japanese is spoken; in one process, for each takes a second."""
    done = subprocess.run(
        [sys.executable, "-c", EXPLAIN, *COMMANDS_IN_JAPANESE],
        cwd=ROOT,
        env=clean_env(LANG="ja_JP.UTF-8", PYTHONIOENCODING="utf-8"),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_each_command_and_argument_is_explained_in_japanese(explained: str) -> None:
    for name, words in COMMANDS_IN_JAPANESE.items():
        assert f"使い方: manage.py {name}" in explained
        assert words in explained, name
    assert "usage:" not in explained
    assert "options:" not in explained
    told = re.findall(r"^  +(?:-\S.*?|[a-z]\S*)  +(\S.*)$", explained, re.MULTILINE)
    assert len(told) > len(ARGUMENTS_IN_JAPANESE)
    assert [words for words in told if not JAPANESE.search(words)] == []


def test_nothing_is_explained_that_no_command_takes() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("commands", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        if path.stem != "explanations"
    )

    assert [words for words in ARGUMENTS_IN_JAPANESE if words not in code] == []
    assert {name.split()[0] for name in COMMANDS_IN_JAPANESE} == set(COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("doctor --jsno", "manage.py doctor: 使えない引数です: --jsno"),
        ("seed --items x", "manage.py seed: --items: 'x' は正しい値ではありません（int）"),
        ("run --port http", "manage.py run: --port: ポートは 1 から 65535 の数です"),
        ("run --port 65536", "manage.py run: --port: ポートは 1 から 65535 の数です"),
        ("user", "manage.py user: 引数が足りません: action"),
        ("logs trace", "manage.py logs: action: 'trace' は選べません。次から選んでください: "),
        ("migrate --make", "manage.py migrate: --make: 値を一つ指定してください"),
        ("logs verify --alone --shared", "--shared: --alone と同時には指定できません"),
    ],
)
def test_what_does_not_fit_is_said_in_japanese(
    checkout: Checkout, arguments: str, words: str
) -> None:
    done = checkout.manage(*arguments.split(), LANG="ja_JP.UTF-8")

    assert done.returncode == 2
    assert done.stdout.startswith("使い方: manage.py ")
    assert words in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["bench", "recrding"], 2, "argument name: invalid choice: 'recrding'"),
        (["bench"], 2, "the following arguments are required: name"),
        (["remove", "ai", "picture"], 2, "argument PART: invalid choice: 'picture'"),
        (["remove", "ai", "items"], 1, "pictures"),
        (["remove", "--help"], 0, "usage: manage.py remove [-h] PART [PART ...]"),
    ],
)
def test_where_much_would_be_installed_arguments_are_looked_at_first(
    checkout: Checkout, base_python: list[str], arguments: list[str], code: int, words: str
) -> None:
    done = checkout.without_venv().manage(*arguments, python=base_python)

    assert (done.returncode, checkout.venv.exists()) == (code, False)
    assert words in done.stdout
