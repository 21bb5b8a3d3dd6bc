"""`manage.py` on machines that are not ready, and what it says of itself."""

import ast
import hashlib
import json
import os
import re
import shutil
import string
import subprocess
import sys
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.lib.tracelog.journal.locks import try_lock
from commands.kit import door, environment
from commands.kit.door import COMMANDS
from commands.kit.environment import ROOT, STAMP, VENV
from commands.kit.sentences import SENTENCES
from commands.kit.words import Failure
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
    files = (ROOT / "commands").rglob("*.py")
    code = "\n".join(path.read_text(encoding="utf-8") for path in files if path.stem != "sentences")

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


_METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
_WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class Installation:
    """A checkout with an empty `.venv`, and a folder of packages instead of the network."""

    def __init__(self, checkout: Checkout, tmp_path: Path) -> None:
        self.checkout = checkout.without_venv()
        venv.EnvBuilder(symlinks=True).create(checkout.folder / ".venv")
        # pip itself comes from this run's .venv: bringing it anew would take seconds.
        self.library = tmp_path / "library"
        self.library.mkdir()
        (installed,) = (VENV / "lib").glob("python3*/site-packages")
        for part in (installed / "pip", next(installed.glob("pip-*.dist-info"))):
            (self.library / part.name).symlink_to(part, target_is_directory=True)
        self.stamp = checkout.folder / ".venv" / STAMP.name
        self.packages = tmp_path / "packages"
        self.packages.mkdir()
        self.env = {
            "PYTHONPATH": str(self.library),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.packages),
        }
        self.digest = self.offers("demo", "1.0", "demo.py", "")

    def offers(self, name: str, version: str, module: str, code: str) -> str:
        """The digest of a new package of one module."""
        wheel = self.packages / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(module, code)
            archive.writestr(f"{info}/METADATA", _METADATA.format(name=name, version=version))
            archive.writestr(f"{info}/WHEEL", _WHEEL)
            archive.writestr(f"{info}/RECORD", "")
        return hashlib.sha256(wheel.read_bytes()).hexdigest()

    def wants(self, package: str, digest: str) -> None:
        requirements = self.checkout.folder / "requirements.txt"
        requirements.write_text(f"{package} --hash=sha256:{digest}\n", encoding="utf-8")

    def provide(self, **env: str) -> str:
        """What is said while the packages are provided."""
        with self.providing(**env) as process:
            said = process.communicate()[1]
        assert process.returncode == 0
        return said

    def providing(self, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                str(self.checkout.folder / ".venv" / "bin" / "python"),
                "-c",
                "import sys; from commands.kit import environment as e, words\n"
                "try: e.provide(['requirements.txt'])\n"
                "except words.Failure as failure: print(failure, file=sys.stderr)",
            ],
            cwd=self.checkout.folder,
            env=self.checkout.env | self.env | env,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def installation(own_checkout: Checkout, tmp_path: Path) -> Installation:
    return Installation(own_checkout, tmp_path)


def test_packages_are_installed_once_and_again_only_when_the_list_changes(
    installation: Installation,
) -> None:
    installation.wants("demo==1.0", installation.digest)
    (site,) = (installation.checkout.folder / ".venv" / "lib").glob("python3*/site-packages")

    assert installation.provide().startswith("Installing the packages of requirements.txt")
    assert (site / "demo.py").exists()
    assert not list(site.glob("__pycache__/demo.*"))
    assert installation.provide() == ""

    (site / "demo.py").unlink()
    shutil.rmtree(site / "demo-1.0.dist-info")
    installation.wants("# again\ndemo==1.0", installation.digest)
    assert installation.provide(PYTHONDONTWRITEBYTECODE="1").startswith("Installing")
    assert list(site.glob("__pycache__/demo.*")), "compiled, where Python itself does not"


def test_the_locked_pip_comes_first_and_installs_all_others(installation: Installation) -> None:
    code = "import sys; print('the locked pip is asked for', *sys.argv[1:])"
    digest = installation.offers("pip", "99.0", "pip/__main__.py", code)
    locked = installation.checkout.folder / environment.PIP.name
    locked.write_text(f"pip==99.0 --hash=sha256:{digest}\n", encoding="utf-8")
    shutil.rmtree(installation.library)  # none is there but the one that Python brings
    installation.wants("demo==1.0", installation.digest)

    installation.provide()

    assert installation.stamp.exists()
    log = (installation.checkout.folder / ".venv" / "install.log").read_text(encoding="utf-8")
    assert "Successfully installed pip-99.0\nthe locked pip is asked for install" in log


def test_one_package_that_cannot_be_had_fails_the_whole(installation: Installation) -> None:
    installation.wants("demo==1.0", installation.digest)
    requirements = installation.checkout.folder / "requirements.txt"
    with requirements.open("a", encoding="utf-8") as more:
        more.write(f"other==1.0 --hash=sha256:{'0' * 64}\n")

    said = installation.provide().splitlines()

    assert said[1].startswith("A package is not offered for this Python and machine")
    assert not installation.stamp.exists()


@pytest.mark.parametrize(("command", "compiles"), [("test", True), ("ci", True), ("run", False)])
def test_what_many_programs_of_the_tests_read_is_compiled_once(
    monkeypatch: pytest.MonkeyPatch, command: str, *, compiles: bool
) -> None:
    monkeypatch.setattr("commands.kit.start.remember", lambda: None)  # it is of the whole process
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def provide(files: Sequence[str]) -> None:
        assert (not sys.dont_write_bytecode) is compiles
        assert ("PYTHONDONTWRITEBYTECODE" not in os.environ) is compiles
        raise Failure("no_venv_module")

    monkeypatch.setattr(environment, "provide", provide)

    assert door.main([command]) == 1


def test_of_two_commands_in_one_folder_the_second_waits_and_installs_nothing_again(
    installation: Installation,
) -> None:
    installation.wants("demo==1.0", installation.digest)
    installation.provide()
    done = installation.stamp.read_text()
    installation.stamp.unlink()  # as if the first one were still at it

    with (installation.checkout.folder / "manage.py").open() as turn:
        assert try_lock(turn.fileno())
        second = installation.providing()
        assert second.stderr is not None
        assert second.stderr.readline().startswith("Another command is preparing this folder")
        installation.stamp.write_text(done)
    with second:
        assert second.communicate()[1] == ""
    assert second.returncode == 0


def test_without_a_network_that_is_what_it_says(installation: Installation) -> None:
    installation.wants("demo==1.0", installation.digest)
    dead = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "1", "PIP_NO_INDEX": ""}

    said = installation.provide(**dead, PIP_FIND_LINKS="").splitlines()

    assert len(said) == 2
    assert said[1].startswith("The packages could not be downloaded; check the network")
    log = os.path.join(".venv", "install.log")  # noqa: PTH118 # a relative path as it is printed
    assert log in said[1]


@pytest.mark.parametrize(
    ("package", "digest", "sentence"),
    [
        ("demo==1.0", "0" * 64, "A downloaded package is not the one that was locked"),
        ("demo==2.0", "0" * 64, "A package is not offered for this Python and machine"),
        ("demo = = 1", "0" * 64, "The packages could not be installed"),
    ],
)
def test_an_install_that_fails_has_its_own_sentence(
    installation: Installation, package: str, digest: str, sentence: str
) -> None:
    installation.wants(package, digest)

    assert installation.provide().splitlines()[1].startswith(sentence)
    assert not installation.stamp.exists(), "a failure must not count as done"


def test_a_venv_whose_python_is_gone_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / ".venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to("/nowhere/python3")
    (folder / "left.txt").touch()
    monkeypatch.setattr(environment, "VENV", folder)
    monkeypatch.setattr(environment, "PYTHON", folder / "bin" / "python")
    went_on: list[bool] = []
    monkeypatch.setattr(environment, "_continue_in_venv", lambda: went_on.append(True))
    monkeypatch.setenv("LANG", "C.UTF-8")

    environment.provide(["requirements.txt"])

    assert capsys.readouterr().err.startswith("Making .venv for Python 3.")
    assert (folder / "bin" / "python").exists()
    assert not (folder / "left.txt").exists()
    assert went_on
